/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Copyright (C) 2026 The devpub developers */
/*
 * devpub: put a process's memory on device-public (coherent) memory.
 *
 * The character device /dev/devpubN represents device N.  A call acts on the
 * memory of the calling process, or on that of another process when the struct
 * names one by its number.  DEVPUB_IOC_EVICT acts on the pages of all processes
 * that are on the device.  /dev/devpub-control creates and removes devices.
 *
 * Extending the structs
 * ---------------------
 * The command number contains the size of the struct.  The kernel identifies a
 * command by its type and number alone, and reads the size from the command:
 *
 *  - The kernel completes an older program's shorter struct with zeros.  Zero in
 *    a field always selects the behaviour of the versions without that field.
 *  - The kernel accepts a newer program's longer struct if all bytes that this
 *    kernel does not know are zero.
 *  - The kernel writes back only as many bytes as the program's struct has.
 *
 * New fields are added at the end only.  The layout is the same for 32-bit and
 * 64-bit programs.
 *
 * Errors
 * ------
 * ENOTTY      The file has no command of this type and number.
 * E2BIG       The struct is longer than this kernel's, and the rest is not zero.
 * EINVAL      A value is wrong: the struct is shorter than its first version,
 *             flags has an unknown bit, a field that must be zero is not, an
 *             address or length is not a multiple of the page size or, for an
 *             atomic operation, of its width, a length is 0, the operation is
 *             unknown, or the ranges of a COPY overlap.  Or the range for a new
 *             device is not free memory.
 * EOPNOTSUPP  This call does not support a known flag.  Or a driver of this
 *             virtual machine would keep the memory that a device gives back.
 * EOVERFLOW   addr + length exceeds 64 bits.
 * EFAULT      The struct, or an array it points to, can't be read or written.  Or
 *             the range exceeds the address space that a process may map.  Or the
 *             device can't access an address in this way.
 * EHWPOISON   The memory that the device is to access has a hardware error.
 * ENOMEM      There is no memory for the call's own bookkeeping, or for a page that
 *             the device's access faults in.  Or no memory of this size can be
 *             taken from the system for a new device.
 * EAGAIN      The process is executing a new program; call again.
 * ENODEV      The device is being removed, or no device has this number.
 * ESRCH       No process has this number, the process is a kernel thread, or it
 *             ended or executed another program during the call, or after
 *             DEVPUB_IOC_BIND.
 * ENOTCONN    DEVPUB_IOC_ACCESS requires DEVPUB_IOC_BIND before.
 * EMFILE      The process has bound 1024 files to its own memory that are open, or
 *             were closed a moment ago.
 * ENOSPC      The maximum number of devices exists.
 * EBUSY       Another user has the memory for a new device.  Or pages can't move
 *             off the device that is to be removed.  Or the file is bound to other
 *             memory.
 * EPERM       The call requires CAP_SYS_ADMIN or, for another process's memory,
 *             CAP_SYS_PTRACE.  Or a process bound the file to its own memory, and
 *             the caller is another process.  Or the kernel is locked down, and a
 *             new device asks for a physical range (DEVPUB_PROVIDER_RESERVED).
 * EINTR       A signal interrupted the call.
 *
 * The kernel writes results back also with EINTR, EBUSY, ENODEV, ESRCH, with EFAULT
 * for the array, and with every error that ends a DEVPUB_IOC_ACCESS after it began, if
 * there are any results.  The first "done" bytes of the range are complete then.  To
 * resume the call exactly, add "done" to addr, and to other and buffer if they are
 * used, and subtract it from length.  A migration completes at least one window of pages
 * before it checks for signals, and an access at least some bytes unless a page fault
 * waits, so a program that is interrupted often still makes progress.
 * With any other error the kernel writes nothing back and changes nothing, except that
 * some pages may have left a device that was to be removed.
 *
 * A page that can't move is no error.  The call returns 0 and counts the page.  If
 * the program passed an array, the call stores the reason there.
 */
#ifndef _UAPI_LINUX_DEVPUB_H
#define _UAPI_LINUX_DEVPUB_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define DEVPUB_IOC_MAGIC	0xDE

/**
 * enum devpub_provider - where a device's memory comes from
 * @DEVPUB_PROVIDER_CARVE:	memory blocks taken from the running system
 * @DEVPUB_PROVIDER_RESERVED:	a physical range that the kernel does not use
 */
enum devpub_provider {
	DEVPUB_PROVIDER_CARVE		= 1,
	DEVPUB_PROVIDER_RESERVED	= 2,
};

/**
 * struct devpub_info - DEVPUB_IOC_INFO: properties of the device
 * @flags:	in: must be 0
 * @index:	out: N of /dev/devpubN
 * @capacity:	out: size of the device memory in bytes
 * @free:	out: free device memory in bytes
 * @phys_start:	out: physical address of the first byte; 0 if the caller lacks
 *		CAP_SYS_ADMIN, just as /proc/PID/pagemap hides frame numbers
 * @page_size:	out: size of a page in bytes; all page counts and arrays are in
 *		units of it
 * @window:	out: pages that a migration handles at a time; it checks for
 *		signals between two windows
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
 * enum devpub_reason - the outcome of a migration for one page
 * @DEVPUB_REASON_UNSEEN:	not reached (the call ended before)
 * @DEVPUB_REASON_MOVED:	moved
 * @DEVPUB_REASON_POPULATED:	a hole before, now a zeroed page on the device
 *				(DEVPUB_MIGRATE_POPULATE)
 * @DEVPUB_REASON_ALREADY:	already at the destination; for
 *				DEVPUB_IOC_MIGRATE_FROM, any page that is not on a
 *				devpub device
 * @DEVPUB_REASON_ABSENT:	no page to move, or only the shared zero page; for
 *				DEVPUB_IOC_MIGRATE_FROM, and in a private file
 *				mapping, also a page that is swapped out
 * @DEVPUB_REASON_UNMAPPED:	refused: nothing is mapped at this address
 * @DEVPUB_REASON_SHARED:	refused: a shared mapping (shmem, memfd, MAP_SHARED)
 * @DEVPUB_REASON_FILE:		refused: a page of a file, in a private mapping
 * @DEVPUB_REASON_HUGETLB:	refused: a hugetlb mapping
 * @DEVPUB_REASON_SPECIAL:	refused: a mapping without ordinary pages (vdso,
 *				vvar, device memory, DAX)
 * @DEVPUB_REASON_LARGE:	refused: part of a large folio that this kernel does
 *				not split; another attempt fails as well
 * @DEVPUB_REASON_KSM:		refused: KSM has merged the page, or may merge it
 *				(MADV_MERGEABLE)
 * @DEVPUB_REASON_SWAPCACHE:	refused: the page still has a copy in swap
 * @DEVPUB_REASON_SWAPPED:	refused: the content is in swap, or for another cause
 *				not in a page at present; touch it and try again
 * @DEVPUB_REASON_PINNED:	refused: the page is pinned (DMA)
 * @DEVPUB_REASON_BUSY:		refused: the page was referenced or locked at every
 *				attempt of the call; try again later
 * @DEVPUB_REASON_NO_SPACE:	refused: no free page at the destination
 * @DEVPUB_REASON_OTHER_DEVICE:	refused: the page is on another device; migrate it
 *				from that device first
 *
 * DEVPUB_REASON_UNMAPPED and all later reasons count as refused.  New versions may
 * add reasons at the end.
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
 * DEVPUB_IOC_MIGRATE_TO: also fill the holes of private anonymous mappings with
 * zeroed pages on the device, as a write fault would.  Holes in a mapping that is not
 * writable, or that userfaultfd handles, are not filled and count as absent.
 */
#define DEVPUB_MIGRATE_POPULATE	(1U << 0)

/*
 * DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM: act on the memory of process @pid.
 * The kernel may have reused the number for another process before the call.  A caller
 * that holds a pidfd can detect that by poll() after the call.
 */
#define DEVPUB_MIGRATE_PID	(1U << 1)

/**
 * struct devpub_migrate - DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM
 * @flags:	in: DEVPUB_MIGRATE_... or 0
 * @pid:	in: with DEVPUB_MIGRATE_PID, the process's number in the caller's PID
 *		namespace; without that flag, must be 0
 * @addr:	in: address of the range, a multiple of the page size
 * @length:	in: length of the range in bytes, a multiple of the page size, not 0
 * @reasons:	in: address of an array with one byte per page of the range, which
 *		receives one enum devpub_reason per page; 0 for no array
 * @done:	out: bytes at the start of the range that are complete
 * @moved:	out: pages that moved
 * @populated:	out: holes that were filled on the device
 * @already:	out: pages that were already at the destination
 * @absent:	out: addresses without a page
 * @refused:	out: pages that were to move and did not
 * @workers:	in: maximum number of processors that work on the call at a time.
 *		With 1, the calling thread does all the work; with 0, the kernel
 *		chooses.  The kernel never uses more than the calling thread's
 *		affinity and the module's parameter allow, and at most one worker
 *		per two windows.  Workers are kernel threads, which the CPU time
 *		limits of the caller's cgroup do not cover
 * @reserved:	in: must be 0
 *
 * The range may span any number of mappings and the gaps between them.  The sum of
 * moved, populated, already, absent and refused always equals done in pages.
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
 * enum devpub_location - the location of a page
 * @DEVPUB_LOCATION_UNSEEN:	not reached (the call ended before)
 * @DEVPUB_LOCATION_ABSENT:	no page: nothing is mapped, the address was never
 *				touched, the shared zero page is mapped, the page is
 *				swapped out, or it is secret memory
 * @DEVPUB_LOCATION_SYSTEM:	in system memory
 * @DEVPUB_LOCATION_DEVICE:	on this device
 * @DEVPUB_LOCATION_OTHER_DEVICE:	on another devpub device
 * @DEVPUB_LOCATION_OTHER:		elsewhere: device memory that its driver maps, DAX,
 *				hugetlb, another driver's coherent memory
 *
 * New versions may add locations at the end.
 */
enum devpub_location {
	DEVPUB_LOCATION_UNSEEN		= 0,
	DEVPUB_LOCATION_ABSENT		= 1,
	DEVPUB_LOCATION_SYSTEM		= 2,
	DEVPUB_LOCATION_DEVICE		= 3,
	DEVPUB_LOCATION_OTHER_DEVICE	= 4,
	DEVPUB_LOCATION_OTHER		= 5,
};

/* DEVPUB_IOC_QUERY: act on the memory of process @pid, as DEVPUB_MIGRATE_PID does. */
#define DEVPUB_QUERY_PID	(1U << 0)

/**
 * struct devpub_query - DEVPUB_IOC_QUERY: the location of each page of a range
 * @flags:	in: DEVPUB_QUERY_PID or 0
 * @pid:	in: with DEVPUB_QUERY_PID, the process's number, as in struct
 *		devpub_migrate; without that flag, must be 0
 * @addr:	in: address of the range, a multiple of the page size
 * @length:	in: length of the range in bytes, a multiple of the page size, not 0
 * @locations:	in: address of an array with one byte per page of the range, which
 *		receives one enum devpub_location per page; 0 for no array
 * @done:	out: bytes at the start of the range that are complete
 * @absent:	out: pages with DEVPUB_LOCATION_ABSENT
 * @system:	out: pages with DEVPUB_LOCATION_SYSTEM
 * @device:	out: pages with DEVPUB_LOCATION_DEVICE
 * @other_device: out: pages with DEVPUB_LOCATION_OTHER_DEVICE
 * @other:	out: pages with DEVPUB_LOCATION_OTHER
 *
 * The call faults no page in and moves no page.  It takes a short reference to each
 * page and marks it accessed.  A page's location is that at the moment when the call
 * read it; the page may have moved since.
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
 * @moved:	out: pages that moved to system memory
 * @remaining:	out: pages on the device when the call ended: pages that could not
 *		move, and pages that arrived during the call
 *
 * Requires CAP_SYS_ADMIN.  The device continues to serve other calls.
 */
struct devpub_evict {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 moved;
	__aligned_u64 remaining;
};

#define DEVPUB_EVICT_SIZE_VER0	24 /* the first version */

/**
 * struct devpub_create - DEVPUB_IOC_CREATE: create a device
 * @flags:	in: must be 0
 * @provider:	in: an enum devpub_provider
 * @start:	in: physical address of the range; 0 with DEVPUB_PROVIDER_CARVE
 * @size:	in: size in bytes, not 0
 * @node:	in: NUMA node to carve from, or -1 for any; -1 with
 *		DEVPUB_PROVIDER_RESERVED
 * @index:	in: must be 0; out: N of the new /dev/devpubN
 *
 * Requires CAP_SYS_ADMIN.  The same rules apply as for the module's parameters.  When
 * the call fails, the kernel log says why and how to solve it.
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
 * @remaining:	in: must be 0; out, with EBUSY and EINTR: pages that are still on
 *		the device
 *
 * Requires CAP_SYS_ADMIN.  The call first moves the pages of all processes to system
 * memory.  During the call, other calls on the device fail with ENODEV.  When the call
 * fails, the device stays and works as before.
 */
struct devpub_destroy {
	__u32 flags;
	__u32 index;
	__aligned_u64 remaining;
};

#define DEVPUB_DESTROY_SIZE_VER0 16 /* the first version */

/* DEVPUB_IOC_BIND: bind the file to process @pid, as DEVPUB_MIGRATE_PID does. */
#define DEVPUB_BIND_PID		(1U << 0)

/**
 * struct devpub_bind - DEVPUB_IOC_BIND: choose the memory that the device accesses
 * @flags:	in: DEVPUB_BIND_PID or 0
 * @pid:	in: with DEVPUB_BIND_PID, the process's number, as in struct
 *		devpub_migrate; without that flag, must be 0
 *
 * The open file stays bound to this memory until it is closed.  Binding it to the same
 * memory again succeeds.  The file does not keep the memory: when the process ends or
 * executes another program, DEVPUB_IOC_ACCESS fails with ESRCH or EPERM.
 */
struct devpub_bind {
	__u32 flags;
	__s32 pid;
};

#define DEVPUB_BIND_SIZE_VER0	8 /* the first version */

/**
 * enum devpub_op - operations of the device on the bound memory
 * @DEVPUB_OP_READ:	read the bytes at @addr into @buffer
 * @DEVPUB_OP_WRITE:	write the bytes of @buffer to @addr
 * @DEVPUB_OP_FILL:	write a pattern of 8 bytes: the byte at an address A becomes byte
 *			A modulo 8 of @operand, as @operand is in memory
 * @DEVPUB_OP_COPY:	copy the bytes at @other to @addr; the ranges must not overlap
 * @DEVPUB_OP_COMPARE:	compare the bytes at @addr with those at @other, and end before
 *			the first difference
 * @DEVPUB_OP_ADD:	add @operand to the value at @addr
 * @DEVPUB_OP_EXCHANGE:	replace the value at @addr by @operand
 * @DEVPUB_OP_COMPARE_EXCHANGE: replace the value at @addr by @operand if it equals
 *			@compare
 *
 * The last three are atomic operations: @length is 4 or 8, @addr is a multiple of it, and
 * @result receives the value before.  They are atomic with the CPU's own atomic
 * operations, and need write access even if the value stays the same.  A READ or WRITE of
 * 1, 2, 4 or 8 bytes at a multiple of that number is a single access, which other
 * observers never see half done.
 *
 * New versions may add operations at the end.
 */
enum devpub_op {
	DEVPUB_OP_READ			= 0,
	DEVPUB_OP_WRITE			= 1,
	DEVPUB_OP_FILL			= 2,
	DEVPUB_OP_COPY			= 3,
	DEVPUB_OP_COMPARE		= 4,
	DEVPUB_OP_ADD			= 5,
	DEVPUB_OP_EXCHANGE		= 6,
	DEVPUB_OP_COMPARE_EXCHANGE	= 7,
};

/**
 * struct devpub_access - DEVPUB_IOC_ACCESS: let the device access the bound memory
 * @flags:	in: must be 0
 * @op:		in: an enum devpub_op
 * @addr:	in: address in the bound memory, of any alignment
 * @length:	in: length in bytes, not 0
 * @other:	in: address of the second range in the bound memory, for COPY and COMPARE;
 *		otherwise must be 0
 * @buffer:	in: address in the caller's memory, for READ and WRITE; otherwise must be 0
 * @operand:	in: operand of FILL and of atomic operations; otherwise must be 0
 * @compare:	in: expected value, for COMPARE_EXCHANGE; otherwise must be 0
 * @result:	out: the value before an atomic operation, if @done equals @length
 * @done:	out: bytes at the start of the range that are complete.  If a COMPARE succeeds
 *		with less than @length, the next byte differs
 * @faults:	out: how often the device had no translation for an address, and got it from
 *		the process's page tables
 * @migrations:	out: pages that the access has migrated; always 0 in this version, in which
 *		no access causes a migration
 * @fault_addr:	out: with EFAULT and EHWPOISON, the address that can't be accessed, in one
 *		of the ranges or in @buffer; otherwise 0
 *
 * The device has the permissions of the mapping, whatever the protection keys.  It can't
 * access mappings that are not readable, secret memory (memfd_secret(2)), memory that a
 * driver maps, and holes that a userfaultfd with UFFD_USER_MODE_ONLY handles.  It does not
 * grow a stack.
 *
 * Any number of calls on a file may run at a time.  The device executes them in slices, one
 * slice after the other.  Calls on different files run in parallel.
 */
struct devpub_access {
	__u32 flags;
	__u32 op;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 other;
	__aligned_u64 buffer;
	__aligned_u64 operand;
	__aligned_u64 compare;
	__aligned_u64 result;
	__aligned_u64 done;
	__aligned_u64 faults;
	__aligned_u64 migrations;
	__aligned_u64 fault_addr;
};

#define DEVPUB_ACCESS_SIZE_VER0	96 /* the first version */

#define DEVPUB_IOC_INFO		_IOWR(DEVPUB_IOC_MAGIC, 0x00, struct devpub_info)
#define DEVPUB_IOC_MIGRATE_TO	_IOWR(DEVPUB_IOC_MAGIC, 0x01, struct devpub_migrate)
#define DEVPUB_IOC_MIGRATE_FROM	_IOWR(DEVPUB_IOC_MAGIC, 0x02, struct devpub_migrate)
#define DEVPUB_IOC_QUERY	_IOWR(DEVPUB_IOC_MAGIC, 0x03, struct devpub_query)
#define DEVPUB_IOC_EVICT	_IOWR(DEVPUB_IOC_MAGIC, 0x04, struct devpub_evict)
#define DEVPUB_IOC_BIND		_IOWR(DEVPUB_IOC_MAGIC, 0x05, struct devpub_bind)
#define DEVPUB_IOC_ACCESS	_IOWR(DEVPUB_IOC_MAGIC, 0x06, struct devpub_access)

/* The commands of /dev/devpub-control */
#define DEVPUB_IOC_CREATE	_IOWR(DEVPUB_IOC_MAGIC, 0x10, struct devpub_create)
#define DEVPUB_IOC_DESTROY	_IOWR(DEVPUB_IOC_MAGIC, 0x11, struct devpub_destroy)

#endif /* _UAPI_LINUX_DEVPUB_H */
