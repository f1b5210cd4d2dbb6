// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdlib.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"
#include "harness.h"

bool disk_is_there(void)
{
	return !access(DISK, F_OK);
}

bool disk_begin(void)
{
	if (geteuid())
		SKIP("needs root");
	if (disk_is_there())
		return false;
	if (!system("modprobe brd rd_nr=1 rd_size=8192 2>/dev/null"))
		for (int i = 0; i < 20 && access(DISK, W_OK); i++)
			test_sleep(100);
	if (access(DISK, W_OK))
		SKIP("no RAM disk: the kernel's module brd is not to be had");
	return true;
}

void disk_end(bool loaded)
{
	if (loaded && syscall(SYS_delete_module, "brd", O_NONBLOCK))
		test_note("brd stays loaded: %s", strerror(errno));
}

bool disk_take_away(void)
{
	int tries = 50;

	swapoff(DISK);
	/* The last user of the disk may still be exiting. */
	while (syscall(SYS_delete_module, "brd", O_NONBLOCK) && --tries)
		test_sleep(100);
	if (!disk_is_there())
		return true;
	test_note(DISK " stays: %s", strerror(errno));
	return false;
}
