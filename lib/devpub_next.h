/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the next version of linux/devpub.h has: the memory of other processes, and
 * devices that come and go.  To be included before linux/devpub.h, in its place.
 *
 * Once linux/devpub.h has all this, delete this file and include that one in
 * internal.h instead; nothing else knows.
 */
#ifndef DEVPUB_NEXT_H
#define DEVPUB_NEXT_H

/* The structs below take the names of those that they extend. */
#define devpub_migrate	devpub_migrate_ver0
#define devpub_query	devpub_query_ver0
#include <linux/devpub.h>
#undef devpub_migrate
#undef devpub_query

#ifdef DEVPUB_MIGRATE_PIDFD
#error "linux/devpub.h has all this now: delete lib/devpub_next.h"
#endif

/* Act on the memory of the process that pidfd refers to. */
#define DEVPUB_MIGRATE_PIDFD	(1U << 1)
#define DEVPUB_QUERY_PIDFD	(1U << 0)

struct devpub_migrate {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 reasons;
	__aligned_u64 done;
	__aligned_u64 moved;
	__aligned_u64 populated;
	__aligned_u64 already;
	__aligned_u64 absent;
	__aligned_u64 refused;
	__s32 pidfd;
	__u32 reserved2;
};

struct devpub_query {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 where;
	__aligned_u64 done;
	__aligned_u64 absent;
	__aligned_u64 system;
	__aligned_u64 device;
	__aligned_u64 other_device;
	__aligned_u64 other;
	__s32 pidfd;
	__u32 reserved2;
};

struct devpub_create {
	__u32 flags;
	__u32 provider;
	__aligned_u64 start;
	__aligned_u64 size;
	__s32 node;
	__u32 index;
};

struct devpub_destroy {
	__u32 flags;
	__u32 index;
};

/* Of /dev/devpub-control. */
#define DEVPUB_IOC_CREATE	_IOWR(DEVPUB_IOC_MAGIC, 0x10, struct devpub_create)
#define DEVPUB_IOC_DESTROY	_IOWR(DEVPUB_IOC_MAGIC, 0x11, struct devpub_destroy)

#endif /* DEVPUB_NEXT_H */
