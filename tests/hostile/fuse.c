// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * As nfs.c, with a file system of the user, who decides how long it holds the pages.  FUSE locks
 * each page to mark it dirty before it drops its reference (set_page_dirty_lock()), so it waits
 * for the end of a migration.  NFS and disks mark pages dirty without the lock.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse_server.h"
#include "harness.h"
#include "reads.h"

/* About the duration of a move of the range. */
#define DELAY_US	20000

static void mount_own(void)
{
	fuse_server_mount(DELAY_US);
}

static void fuse_reads(enum reads_way way, unsigned long count)
{
	if (access("/dev/fuse", F_OK) && system("modprobe fuse 2>/dev/null"))
		SKIP("no module fuse");
	/* The permissions that udev sets. */
	CHECK_CALL(chmod("/dev/fuse", 0666));
	reads_beside("/mnt/data", way, count, mount_own);
}

CASE(fuse_reads_beside_migrate_from)
{
	fuse_reads(READS_FROM, 2048);
}

CASE(fuse_reads_beside_evict)
{
	fuse_reads(READS_EVICT, 2048);
}
