/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_DMIRROR_H
#define DEVPUB_DMIRROR_H

#include <linux/bits.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#include "access/exclusive.h"

struct devpub_channel;
struct devpub_device;

/**
 * struct devpub_dmirror_command - argument of all commands of /dev/hmm_dmirrorN
 * @addr:	in: the first address, a multiple of the page size
 * @buffer:	in: the address of the caller's buffer: data to write, or room for data that is
 *		read, or room for one byte per page that a snapshot describes
 * @npages:	in: number of pages.  DMIRROR_FLAGS: the flags
 * @cpages:	out: number of pages that were handled
 * @faults:	out: number of times that the device stopped because a page of the range was
 *		missing in its page tables
 *
 * The layout is that of the kernel's test module (lib/test_hmm.c).  Results are written only
 * when the command succeeds.
 */
struct devpub_dmirror_command {
	__u64 addr;
	__u64 buffer;
	__u64 npages;
	__u64 cpages;
	__u64 faults;
};

#define DMIRROR_IOC_MAGIC	'H'

/*
 * enum devpub_dmirror_op - numbers of the commands
 * @DMIRROR_READ:		the device copies the range to the buffer
 * @DMIRROR_WRITE:		the device copies the buffer to the range
 * @DMIRROR_MIGRATE_TO_DEV:	move the range to the device, then do DMIRROR_READ
 * @DMIRROR_MIGRATE_TO_SYS:	move the range to system memory
 * @DMIRROR_SNAPSHOT:		describe the process's page tables, without faults
 * @DMIRROR_EXCLUSIVE:		take the pages away from the CPUs, then read them
 * @DMIRROR_CHECK_EXCLUSIVE:	fail if a page is still taken away from the CPUs
 * @DMIRROR_RELEASE:		move all pages of all processes off the device
 * @DMIRROR_FLAGS:		set DMIRROR_FLAG_...
 * @DMIRROR_READ_UNLOCKED:	DMIRROR_READ; faults may release mmap_lock, which
 *				userfaultfd needs
 */
enum devpub_dmirror_op {
	DMIRROR_READ,
	DMIRROR_WRITE,
	DMIRROR_MIGRATE_TO_DEV,
	DMIRROR_MIGRATE_TO_SYS,
	DMIRROR_SNAPSHOT,
	DMIRROR_EXCLUSIVE,
	DMIRROR_CHECK_EXCLUSIVE,
	DMIRROR_RELEASE,
	DMIRROR_FLAGS,
	DMIRROR_READ_UNLOCKED,
};

/*
 * The next allocation of a huge page on the device fails, so that small pages are used.  devpub
 * always uses small pages, so this has no effect.
 */
#define DMIRROR_FLAG_FAIL_ALLOC	BIT_ULL(0)

/**
 * struct devpub_dmirror - an open file of /dev/hmm_dmirrorN
 * @ddev:	the device; holds a reference
 * @channel:	executes operations on the memory of the process that opened the file
 * @exclusive:	pages that were taken away from the CPUs
 */
struct devpub_dmirror {
	struct devpub_device *ddev;
	struct devpub_channel *channel;
	struct devpub_exclusive exclusive;
};

int devpub_dmirror_read(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg);
int devpub_dmirror_write(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg);
int devpub_dmirror_snapshot(struct devpub_dmirror *dmirror,
			    struct devpub_dmirror_command *arg);
int devpub_dmirror_exclusive(struct devpub_dmirror *dmirror,
			     struct devpub_dmirror_command *arg);
int devpub_dmirror_check_exclusive(struct devpub_dmirror *dmirror,
				   struct devpub_dmirror_command *arg);

int devpub_dmirror_migrate_to_device(struct devpub_dmirror *dmirror,
				     struct devpub_dmirror_command *arg);
int devpub_dmirror_migrate_to_system(struct devpub_dmirror *dmirror,
				     struct devpub_dmirror_command *arg);
int devpub_dmirror_release(struct devpub_dmirror *dmirror,
			   struct devpub_dmirror_command *arg);

void devpub_dmirror_publish(void);
void devpub_dmirror_unpublish(void);

#endif /* DEVPUB_DMIRROR_H */
