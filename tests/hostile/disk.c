// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * An ordinary user reads from a disk with direct I/O while the pages that the disk writes to
 * leave the device.  6.1 holds plain references to the pages during the transfer.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "reads.h"

#define DISK_FILE	"/dev/vda"

static void disk_fill(void)
{
	static char block[PAGE];
	int file;

	if (system("modprobe virtio_pci 2>/dev/null; modprobe virtio_blk 2>/dev/null"))
		SKIP("no module virtio_blk");
	for (int i = 0; i < 50 && access(DISK_FILE, W_OK); i++)
		test_sleep(100);
	file = open(DISK_FILE, O_RDWR | O_CLOEXEC);
	if (file < 0)
		SKIP("no disk " DISK_FILE);
	for (uint64_t i = 0; i < READS_BLOCKS; i++) {
		reads_fill_block(block, i);
		CHECK_EQ(pwrite(file, block, PAGE, i * PAGE), PAGE);
	}
	CHECK_CALL(fsync(file));
	close(file);
	CHECK_CALL(chmod(DISK_FILE, 0444));
}

static void disk_reads(enum reads_way way, unsigned long count)
{
	disk_fill();
	reads_beside(DISK_FILE, way, count, NULL);
}

CASE(disk_reads_beside_migrate_from)
{
	disk_reads(READS_FROM, 20480);
}

CASE(disk_reads_beside_evict)
{
	disk_reads(READS_EVICT, 10240);
}

CASE(disk_reads_beside_unbind)
{
	disk_reads(READS_UNBIND, 2048);
}

CASE(disk_reads_beside_unload)
{
	disk_reads(READS_UNLOAD, 2048);
}
