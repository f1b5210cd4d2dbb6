/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * devpub: put a process's memory on device-public (coherent) memory.
 *
 * One character device, /dev/devpubN, stands for one device.  All calls act on
 * the memory of the calling process, but for those that are given another one's
 * number, and DEVPUB_IOC_EVICT, which acts on whatever lives on the device.
 * /dev/devpub-control makes and removes devices.
 *
 * How the calls grow
 * ------------------
 * The size of a struct is part of the command number.  The kernel takes the
 * command by type and number alone and the size from the command:
 *
 *  - an older program's shorter struct is completed with zeros, and zero in a
 *    field that a program does not know means what happened before the field
 *    was added;
 *  - a newer program's longer struct is accepted as long as what this kernel
 *    does not know is zero;
 *  - only as much as the program's struct holds is written back.
 *
 * New fields come at the end only.  The layout is the same for 32-bit and
 * 64-bit programs.
 *
 * Errors
 * ------
 * ENOTTY      the number is not one of ours, or the type is not.
 * E2BIG       the struct is longer than this kernel's and the rest is not zero.
 * EINVAL      a wrong value: the struct is shorter than its first version, an
 *             unknown bit in flags, a field that must be zero and is not, an
 *             address or length that is not a multiple of the page size, a
 *             length of 0; or the range that a new device should have is not
 *             free memory.
 * EOPNOTSUPP  a known flag that this call does not support; or a driver of this
 *             virtual machine would keep memory that a device gives back.
 * EOVERFLOW   addr + length goes past the end of 64 bits.
 * EFAULT      the struct, or an array it points to, can't be read or written;
 *             or the range leaves the address space that a user may map.
 * ENOMEM      no memory for the call's own bookkeeping, or none of that size that
 *             could be taken from the system for a new device.
 * EAGAIN      the process executes a new program just now; call again.
 * ENODEV      the device is being removed, or there is none of this number.
 * ESRCH       there is no process of this number, it has ended or has executed
 *             another program meanwhile, or it is a kernel thread.
 * ENOSPC      there are as many devices as there can be.
 * EBUSY       somebody else took the memory that a new device should have; or
 *             pages on the device that should go can't move.
 * EPERM       the call needs CAP_SYS_ADMIN, or, for another process's memory,
 *             CAP_SYS_PTRACE.
 * EINTR       a signal came.  The results say how far the call came.
 *
 * With EINTR, EBUSY, ENODEV, ESRCH and an EFAULT of the array, results are
 * written back all the same, if there are any: the first "done" bytes are dealt
 * with, and adding "done" to addr and taking it off length resumes the call exactly.
 * At least one window of pages is dealt with before a signal is looked at, so a
 * program that is interrupted often still comes to the end.  With every other
 * error, nothing was written; and nothing was done, but that some pages may have left
 * a device that should be removed.
 *
 * A page that can't move is no error.  The call returns 0, counts it, and,
 * where the program gave an array for it, says why.
 */
#ifndef _UAPI_LINUX_DEVPUB_H
#define _UAPI_LINUX_DEVPUB_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define DEVPUB_IOC_MAGIC	0xDE

/**
 * enum devpub_provider - where a device's memory comes from
 * @DEVPUB_PROVIDER_CARVE:	memory blocks taken out of the running system
 * @DEVPUB_PROVIDER_RESERVED:	a range that the kernel does not use
 */
enum devpub_provider {
	DEVPUB_PROVIDER_CARVE		= 1,
	DEVPUB_PROVIDER_RESERVED	= 2,
};

/**
 * struct devpub_info - DEVPUB_IOC_INFO: what the device is
 * @flags:	in: must be 0
 * @index:	out: N of /dev/devpubN
 * @capacity:	out: bytes of device memory
 * @free:	out: bytes of it that hold no page of any process now
 * @phys_start:	out: physical address of its first byte; 0 for a caller without
 *		CAP_SYS_ADMIN, as /proc/PID/pagemap hides frame numbers
 * @page_size:	out: bytes of a page; the unit of all page counts and arrays
 * @window:	out: pages that a migration handles at a time, between two
 *		looks at signals
 * @node:	out: NUMA node of the memory, or -1
 * @provider:	out: an enum devpub_provider
 */
struct devpub_info {
	__u32 flags;
	__u32 index;
	__aligned_u64 capacity;
	__aligned_u64 free;
	__aligned_u64 phys_start;
	__u32 page_size;
	__u32 window;
	__s32 node;
	__u32 provider;
};

#define DEVPUB_INFO_SIZE_VER0	48 /* the first version */

/**
 * enum devpub_reason - what became of a page in a migration
 * @DEVPUB_REASON_UNSEEN:	not looked at (the call ended before)
 * @DEVPUB_REASON_MOVED:	moved
 * @DEVPUB_REASON_POPULATED:	there was no page; a zeroed one is on the device
 *				now (DEVPUB_MIGRATE_POPULATE)
 * @DEVPUB_REASON_ALREADY:	already where it should be.  On the way back that
 *				is: not on this device nor on another one
 * @DEVPUB_REASON_ABSENT:	no page here (or the shared zero page stands in for
 *				it), nothing to move.  On the way back, and in a
 *				private mapping of a file, that includes a page that
 *				is swapped out
 * @DEVPUB_REASON_UNMAPPED:	refused: nothing is mapped at this address
 * @DEVPUB_REASON_SHARED:	refused: a shared mapping (shmem, memfd, MAP_SHARED)
 * @DEVPUB_REASON_FILE:		refused: a page of a file, privately mapped
 * @DEVPUB_REASON_HUGETLB:	refused: a hugetlb mapping
 * @DEVPUB_REASON_SPECIAL:	refused: a mapping without ordinary pages (vdso,
 *				vvar, device memory, DAX)
 * @DEVPUB_REASON_LARGE:	refused: part of a large folio that this kernel does
 *				not split; it stays so
 * @DEVPUB_REASON_KSM:		refused: a page merged by KSM, or that it may merge
 *				(MADV_MERGEABLE)
 * @DEVPUB_REASON_SWAPCACHE:	refused: the page still has a copy in swap
 * @DEVPUB_REASON_SWAPPED:	refused: swapped out, or for another reason in no
 *				page at present; touch it and try again
 * @DEVPUB_REASON_PINNED:	refused: somebody pins the page (DMA)
 * @DEVPUB_REASON_BUSY:		refused: somebody held or locked the page each time
 *				that the call tried; try again later
 * @DEVPUB_REASON_NO_SPACE:	refused: no free page where it should go
 * @DEVPUB_REASON_OTHER_DEVICE:	refused: the page lives on another device; bring
 *				it back from that one first
 *
 * From DEVPUB_REASON_UNMAPPED on, the page counts as refused.  Later versions
 * may add reasons at the end.
 */
enum devpub_reason {
	DEVPUB_REASON_UNSEEN		= 0,
	DEVPUB_REASON_MOVED		= 1,
	DEVPUB_REASON_POPULATED		= 2,
	DEVPUB_REASON_ALREADY		= 3,
	DEVPUB_REASON_ABSENT		= 4,
	DEVPUB_REASON_UNMAPPED		= 5,
	DEVPUB_REASON_SHARED		= 6,
	DEVPUB_REASON_FILE		= 7,
	DEVPUB_REASON_HUGETLB		= 8,
	DEVPUB_REASON_SPECIAL		= 9,
	DEVPUB_REASON_LARGE		= 10,
	DEVPUB_REASON_KSM		= 11,
	DEVPUB_REASON_SWAPCACHE		= 12,
	DEVPUB_REASON_SWAPPED		= 13,
	DEVPUB_REASON_PINNED		= 14,
	DEVPUB_REASON_BUSY		= 15,
	DEVPUB_REASON_NO_SPACE		= 16,
	DEVPUB_REASON_OTHER_DEVICE	= 17,
};

/*
 * DEVPUB_IOC_MIGRATE_TO: give the holes of private anonymous mappings, too, a
 * page on the device, filled with zeros, as a write would.  Not those of a mapping
 * that can't be written to or that a userfaultfd watches: they count as absent.
 */
#define DEVPUB_MIGRATE_POPULATE	(1U << 0)

/*
 * DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM: the memory is that of process @pid.
 * A number may be another process's by the time of the call: a caller that holds
 * a pidfd finds out by poll() afterwards.
 */
#define DEVPUB_MIGRATE_PID	(1U << 1)

/**
 * struct devpub_migrate - DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM
 * @flags:	in: DEVPUB_MIGRATE_... or 0
 * @pid:	in: with DEVPUB_MIGRATE_PID, the process, by its number in the
 *		caller's PID namespace; without, must be 0
 * @addr:	in: first byte of the range, a multiple of the page size
 * @length:	in: bytes of the range, a multiple of the page size, not 0
 * @reasons:	in: address of an array of one byte a page of the range, which
 *		receives an enum devpub_reason each; 0 for none
 * @done:	out: bytes of the range dealt with, from its beginning
 * @moved:	out: pages moved
 * @populated:	out: pages that came into being on the device
 * @already:	out: pages that were already there
 * @absent:	out: pages that do not exist
 * @refused:	out: pages that should have moved and did not
 * @workers:	in: processors that may work on the call at a time: 1, the calling
 *		thread does it all; 0, the kernel chooses.  There are never more than
 *		the calling thread's affinity and the module's parameter allow, nor
 *		more than pay.  All but the calling thread are the kernel's: a limit
 *		of its cgroup on time does not bound them.  Another process's memory
 *		always comes back by one at least, whose cpuset has all nodes
 * @reserved:	in: must be 0
 *
 * The range may span any number of mappings and the gaps between them.
 * moved + populated + already + absent + refused is done in pages, always.
 */
struct devpub_migrate {
	__u32 flags;
	__s32 pid;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 reasons;
	__aligned_u64 done;
	__aligned_u64 moved;
	__aligned_u64 populated;
	__aligned_u64 already;
	__aligned_u64 absent;
	__aligned_u64 refused;
	__u32 workers;
	__u32 reserved;
};

#define DEVPUB_MIGRATE_SIZE_VER0	88 /* the first version */

/**
 * enum devpub_location - where a page lives
 * @DEVPUB_LOCATION_UNSEEN:	not looked at (the call ended before)
 * @DEVPUB_LOCATION_ABSENT:	nowhere: nothing mapped, never touched, the shared
 *				zero page, swapped out, or secret memory
 * @DEVPUB_LOCATION_SYSTEM:	in system memory
 * @DEVPUB_LOCATION_DEVICE:	on this device
 * @DEVPUB_LOCATION_OTHER_DEVICE:	on another devpub device
 * @DEVPUB_LOCATION_OTHER:		elsewhere: device memory mapped by its driver, DAX,
 *				hugetlb, another driver's coherent memory
 *
 * Later versions may add locations at the end.
 */
enum devpub_location {
	DEVPUB_LOCATION_UNSEEN		= 0,
	DEVPUB_LOCATION_ABSENT		= 1,
	DEVPUB_LOCATION_SYSTEM		= 2,
	DEVPUB_LOCATION_DEVICE		= 3,
	DEVPUB_LOCATION_OTHER_DEVICE	= 4,
	DEVPUB_LOCATION_OTHER		= 5,
};

/* DEVPUB_IOC_QUERY: likewise. */
#define DEVPUB_QUERY_PID	(1U << 0)

/**
 * struct devpub_query - DEVPUB_IOC_QUERY: where each page of a range lives
 * @flags:	in: DEVPUB_QUERY_PID or 0
 * @pid:	in: with DEVPUB_QUERY_PID, the process, as in struct devpub_migrate;
 *		without, must be 0
 * @addr:	in: first byte of the range, a multiple of the page size
 * @length:	in: bytes of the range, a multiple of the page size, not 0
 * @locations:	in: address of an array of one byte a page of the range, which
 *		receives an enum devpub_location each; 0 for none
 * @done:	out: bytes of the range looked at, from its beginning
 * @absent:	out: pages of DEVPUB_LOCATION_ABSENT
 * @system:	out: pages of DEVPUB_LOCATION_SYSTEM
 * @device:	out: pages of DEVPUB_LOCATION_DEVICE
 * @other_device: out: pages of DEVPUB_LOCATION_OTHER_DEVICE
 * @other:	out: pages of DEVPUB_LOCATION_OTHER
 *
 * Nothing is faulted in and nothing moves, but each page is held for a moment and
 * counts as accessed.  The answer is true of each page at the moment it was
 * looked at.
 */
struct devpub_query {
	__u32 flags;
	__s32 pid;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 locations;
	__aligned_u64 done;
	__aligned_u64 absent;
	__aligned_u64 system;
	__aligned_u64 device;
	__aligned_u64 other_device;
	__aligned_u64 other;
};

#define DEVPUB_QUERY_SIZE_VER0	80 /* the first version */

/**
 * struct devpub_evict - DEVPUB_IOC_EVICT: move every process's pages off the device
 * @flags:	in: must be 0
 * @reserved:	in: must be 0
 * @moved:	out: pages moved to system memory
 * @remaining:	out: pages on the device when the call ended: those that could
 *		not move, and those that came meanwhile
 *
 * Needs CAP_SYS_ADMIN.  The device goes on serving other calls.
 */
struct devpub_evict {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 moved;
	__aligned_u64 remaining;
};

#define DEVPUB_EVICT_SIZE_VER0	24 /* the first version */

/**
 * struct devpub_create - DEVPUB_IOC_CREATE: make a device
 * @flags:	in: must be 0
 * @provider:	in: an enum devpub_provider
 * @start:	in: physical address of the range; 0 with DEVPUB_PROVIDER_CARVE
 * @size:	in: bytes, not 0
 * @node:	in: NUMA node to carve from, or -1 for any; -1 with
 *		DEVPUB_PROVIDER_RESERVED
 * @index:	in: must be 0; out: N of the new /dev/devpubN
 *
 * Needs CAP_SYS_ADMIN.  What is refused is told on the kernel's log, too, with what
 * can be done about it.  The rules are those of the module's parameters.
 */
struct devpub_create {
	__u32 flags;
	__u32 provider;
	__aligned_u64 start;
	__aligned_u64 size;
	__s32 node;
	__u32 index;
};

#define DEVPUB_CREATE_SIZE_VER0	32 /* the first version */

/**
 * struct devpub_destroy - DEVPUB_IOC_DESTROY: remove a device
 * @flags:	in: must be 0
 * @index:	in: N of /dev/devpubN
 * @remaining:	in: must be 0; out, with EBUSY and EINTR: pages that are on the
 *		device still
 *
 * Needs CAP_SYS_ADMIN.  Every process's pages are moved to system memory first.
 * Meanwhile calls on the device fail with ENODEV.  With an error, the device is still
 * there, and as it was.
 */
struct devpub_destroy {
	__u32 flags;
	__u32 index;
	__aligned_u64 remaining;
};

#define DEVPUB_DESTROY_SIZE_VER0 16 /* the first version */

#define DEVPUB_IOC_INFO		_IOWR(DEVPUB_IOC_MAGIC, 0x00, struct devpub_info)
#define DEVPUB_IOC_MIGRATE_TO	_IOWR(DEVPUB_IOC_MAGIC, 0x01, struct devpub_migrate)
#define DEVPUB_IOC_MIGRATE_FROM	_IOWR(DEVPUB_IOC_MAGIC, 0x02, struct devpub_migrate)
#define DEVPUB_IOC_QUERY	_IOWR(DEVPUB_IOC_MAGIC, 0x03, struct devpub_query)
#define DEVPUB_IOC_EVICT	_IOWR(DEVPUB_IOC_MAGIC, 0x04, struct devpub_evict)

/* Of /dev/devpub-control */
#define DEVPUB_IOC_CREATE	_IOWR(DEVPUB_IOC_MAGIC, 0x10, struct devpub_create)
#define DEVPUB_IOC_DESTROY	_IOWR(DEVPUB_IOC_MAGIC, 0x11, struct devpub_destroy)

#endif /* _UAPI_LINUX_DEVPUB_H */
