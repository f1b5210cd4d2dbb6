/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libdevpub: device-public memory for programs.
 *
 * Functions return 0 (or a number that they document) on success and a negative
 * errno value on failure; errno itself means nothing after them.  Sizes and
 * lengths are in bytes, counts of memory in pages of devpub_info.page_size bytes.
 * What becomes of a page is an enum devpub_reason, its location an enum
 * devpub_location, both of linux/devpub.h: numbers beyond those that this header
 * knows may come from a newer kernel module.
 *
 * The library has no state of its own.  Any thread may call any function at any
 * time, also with a device or process that other threads are using; only
 * devpub_close() and devpub_detach() must be the last to use theirs.  After
 * fork() both parent and child may use what was open, each for its own memory; but
 * devpub_access() is for the process that called devpub_bind().
 * None of the functions may be called from a signal handler.
 *
 * Errors that any call to a device can give, besides those that it documents:
 *
 *  -EINVAL	a flag, an address or a length that does not fit: addresses and
 *		lengths are multiples of the page size, lengths are not 0
 *  -EOVERFLOW	an address and a length that go past the end of 64 bits
 *  -EFAULT	a range that leaves the address space, an array that is not there
 *  -ENOMEM	no memory for the call's own bookkeeping
 *  -ENODEV	the device is gone, or going
 *  -EPERM	the caller lacks the privilege that the call documents
 *  -EINTR	a signal came before the end; what is done is told, see there
 *  -EOPNOTSUPP	the kernel module that is loaded is too old for this
 */
#ifndef DEVPUB_H
#define DEVPUB_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/devpub.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Entries of an array by reason; no enum devpub_reason will be as large. */
#define DEVPUB_REASONS_MAX	64

/* An open device, and another process whose memory is acted on. */
struct devpub;
struct devpub_process;

/**
 * struct devpub_range - a piece of an address space
 * @addr:	first byte, a multiple of the page size
 * @length:	bytes, a multiple of the page size, not 0
 */
struct devpub_range {
	uint64_t addr;
	uint64_t length;
};

/**
 * struct devpub_outcome - what became of the pages of a migration
 * @done:	bytes dealt with, from the beginning of the (first) range
 * @moved:	pages moved
 * @populated:	pages that came into being on the device
 * @already:	pages that were already there
 * @absent:	pages that do not exist
 * @refused:	pages that should have moved and did not
 * @reason:	pages by enum devpub_reason
 *
 * moved + populated + already + absent + refused is done in pages, and so is the
 * sum of all reasons.
 */
struct devpub_outcome {
	uint64_t done;
	uint64_t moved;
	uint64_t populated;
	uint64_t already;
	uint64_t absent;
	uint64_t refused;
	uint64_t reason[DEVPUB_REASONS_MAX];
};

/**
 * struct devpub_locations - the pages of a range by their location
 * @done:	bytes looked at, from the beginning of the (first) range
 * @absent:	pages that live nowhere
 * @system:	pages in system memory
 * @device:	pages on this device
 * @other_device: pages on another devpub device
 * @other:	pages elsewhere
 */
struct devpub_locations {
	uint64_t done;
	uint64_t absent;
	uint64_t system;
	uint64_t device;
	uint64_t other_device;
	uint64_t other;
};

/**
 * struct devpub_stats - a device, as sysfs shows it
 * @capacity:	bytes of device memory
 * @free:	bytes of it that hold no page of any process
 * @node:	NUMA node, or -1
 * @provider:	an enum devpub_provider, or 0 for one that the library does not know
 * @migrated_to:	pages moved to the device
 * @migrated_from:	pages moved back
 * @populated:	pages that came into being on it
 * @evicted:	pages moved off it by eviction
 * @refused:	pages that a migration did not move, by enum devpub_reason
 *
 * Counters begin at 0 when the device comes.  They are read one after the other,
 * so that together they are no snapshot of a device in use.
 */
struct devpub_stats {
	uint64_t capacity;
	uint64_t free;
	int32_t node;
	uint32_t provider;
	uint64_t migrated_to;
	uint64_t migrated_from;
	uint64_t populated;
	uint64_t evicted;
	uint64_t refused[DEVPUB_REASONS_MAX];
};

/**
 * devpub_list() - which devices there are
 * @index:	receives their numbers, in ascending order; may be NULL if @max is 0
 * @max:	entries of @index
 *
 * Return: the number of devices, which may be more than @max.  -ENODEV when
 * the kernel module is not loaded.
 */
int devpub_list(unsigned int *index, size_t max);

/**
 * devpub_open() - open a device
 * @index:	N of /dev/devpubN
 * @dev:	receives the device, to be closed with devpub_close()
 *
 * The file descriptor is closed by execve().
 *
 * Return: 0.  -ENODEV no such device; -EACCES the caller may not open it; -EMFILE,
 * -ENFILE too many open files; -ENOMEM.
 */
int devpub_open(unsigned int index, struct devpub **dev);

/**
 * devpub_open_any() - open the first device that has room
 * @free:	bytes that must be free on it at this moment; 0 for any device.  They
 *		are not set aside: others may take them
 * @dev:	receives the device, to be closed with devpub_close()
 *
 * Return: 0.  -ENODEV no device at all; -EACCES none that the caller may open;
 * -ENOSPC none with so much free; and as devpub_open().
 */
int devpub_open_any(uint64_t free, struct devpub **dev);

/**
 * devpub_close() - close a device
 * @dev:	the device; NULL is ignored
 *
 * Memory that lives on the device stays there.
 */
void devpub_close(struct devpub *dev);

/**
 * devpub_fd() - the file descriptor of an open device
 * @dev:	the device
 *
 * Return: the descriptor, for ioctls of one's own.  It stays the library's.
 */
int devpub_fd(const struct devpub *dev);

/**
 * devpub_info() - what an open device is
 * @dev:	the device
 * @info:	receives what linux/devpub.h says
 *
 * Return: 0, or an error that any call can give.
 */
int devpub_info(const struct devpub *dev, struct devpub_info *info);

/**
 * devpub_stats() - the state and counters of a device
 * @index:	N of devpubN; the device need not be open, nor may the caller be
 *		allowed to open it
 * @stats:	receives them
 *
 * Return: 0.  -ENODEV no such device.
 */
int devpub_stats(unsigned int index, struct devpub_stats *stats);

/**
 * devpub_attach() - get hold of another process
 * @pid:	its process id; the caller's own will do, too
 * @process:	receives it, to be let go with devpub_detach()
 *
 * The process is not stopped nor otherwise changed.  It may end at any time;
 * calls that act on it then return -ESRCH, even if its number is used again.  One
 * that takes its number while a call is under way may be what that call acts on,
 * which then returns -ESRCH, too, and tells nothing.
 *
 * Return: 0.  -ESRCH no process of this number; -EINVAL the number is that of a
 * thread, or no number; -EMFILE, -ENFILE; -ENOMEM.
 */
int devpub_attach(pid_t pid, struct devpub_process **process);

/**
 * devpub_attach_fd() - get hold of the process of a pidfd
 * @pidfd:	as from pidfd_open(2); it is duplicated and stays the caller's
 * @process:	receives the process, to be let go with devpub_detach()
 *
 * Needs /proc, of the caller's PID namespace.
 *
 * Return: 0.  -EBADF no file descriptor, or none of a process; -ESRCH the process
 * has ended, or has no number in the caller's PID namespace; -ENOENT no such /proc;
 * -EMFILE; -ENOMEM.
 */
int devpub_attach_fd(int pidfd, struct devpub_process **process);

/**
 * devpub_detach() - let go of a process
 * @process:	the process, which is not told; NULL is ignored
 */
void devpub_detach(struct devpub_process *process);

/**
 * devpub_migrate_to() - move a range of one's own memory to the device
 * @dev:	the device
 * @addr:	first byte, a multiple of the page size
 * @length:	bytes, a multiple of the page size, not 0
 * @flags:	DEVPUB_MIGRATE_POPULATE, to give holes a zeroed page there, or 0
 * @reasons:	receives an enum devpub_reason a page, also for those that were
 *		not looked at; NULL for none
 * @outcome:	receives the counts, also with an error; NULL for none
 *
 * A page that can't move is no error, but counted.  One that is refused as busy
 * (DEVPUB_REASON_BUSY) may move in a second call.
 *
 * On -EINTR and -ENODEV, outcome->done tells how much was dealt with: adding it to
 * @addr and taking it off @length resumes the call.
 *
 * Return: 0, or an error that any call can give.
 */
int devpub_migrate_to(const struct devpub *dev, const void *addr, size_t length,
		      unsigned int flags, unsigned char *reasons,
		      struct devpub_outcome *outcome);

/**
 * devpub_migrate_from() - move a range of one's own memory back from the device
 * @dev:	the device
 * @addr:	first byte, a multiple of the page size
 * @length:	bytes, a multiple of the page size, not 0
 * @flags:	must be 0
 * @reasons:	as devpub_migrate_to()
 * @outcome:	as devpub_migrate_to()
 *
 * Return: as devpub_migrate_to().
 */
int devpub_migrate_from(const struct devpub *dev, const void *addr,
			size_t length, unsigned int flags,
			unsigned char *reasons, struct devpub_outcome *outcome);

/**
 * devpub_migrate_to_v() - move ranges of a process's memory to the device
 * @dev:	the device
 * @process:	whose memory; NULL for the caller's own
 * @ranges:	the ranges, in any order
 * @n:		their number, not 0
 * @flags:	as devpub_migrate_to()
 * @reasons:	as devpub_migrate_to(), the ranges' one after the other
 * @outcome:	counts over all ranges.  Its done tells the bytes dealt with in the
 *		order of @ranges
 *
 * Ranges are checked before the first page moves.  The memory of another process
 * needs CAP_SYS_PTRACE over it.
 *
 * Return: as devpub_migrate_to().  -ESRCH the process has ended, or is a kernel
 * thread: nothing is told of the range that was dealt with; -EAGAIN it executes a new
 * program just now: call again; -EPERM it is not the caller's to move.
 */
int devpub_migrate_to_v(const struct devpub *dev,
			const struct devpub_process *process,
			const struct devpub_range *ranges, size_t n,
			unsigned int flags, unsigned char *reasons,
			struct devpub_outcome *outcome);

/**
 * devpub_migrate_from_v() - move ranges of a process's memory back
 * @dev:	the device
 * @process:	as devpub_migrate_to_v()
 * @ranges:	as devpub_migrate_to_v()
 * @n:		as devpub_migrate_to_v()
 * @flags:	must be 0
 * @reasons:	as devpub_migrate_to_v()
 * @outcome:	as devpub_migrate_to_v()
 *
 * Return: as devpub_migrate_to_v().
 */
int devpub_migrate_from_v(const struct devpub *dev,
			  const struct devpub_process *process,
			  const struct devpub_range *ranges, size_t n,
			  unsigned int flags, unsigned char *reasons,
			  struct devpub_outcome *outcome);

/**
 * devpub_query() - the locations of the pages of a range of one's own memory
 * @dev:	the device that counts as this one
 * @addr:	first byte, a multiple of the page size
 * @length:	bytes, a multiple of the page size, not 0
 * @locations:	receives an enum devpub_location a page, also for those that were not
 *		looked at; NULL for none
 * @counts:	receives the counts, also with an error; NULL for none
 *
 * Nothing is faulted in and nothing moves.
 *
 * Return: 0, or an error that any call can give.
 */
int devpub_query(const struct devpub *dev, const void *addr, size_t length,
		 unsigned char *locations, struct devpub_locations *counts);

/**
 * devpub_query_v() - the locations of the pages of ranges of a process's memory
 * @dev:	the device that counts as this one
 * @process:	as devpub_migrate_to_v()
 * @ranges:	as devpub_migrate_to_v()
 * @n:		as devpub_migrate_to_v()
 * @locations:	as devpub_query(), the ranges' one after the other
 * @counts:	counts over all ranges
 *
 * Return: as devpub_query().  -ESRCH, -EAGAIN and -EPERM as devpub_migrate_to_v().
 */
int devpub_query_v(const struct devpub *dev,
		   const struct devpub_process *process,
		   const struct devpub_range *ranges, size_t n,
		   unsigned char *locations, struct devpub_locations *counts);

/**
 * devpub_bind() - choose the memory that an open device accesses
 * @dev:	the device, which stays bound to this memory until it is closed
 * @process:	whose memory; NULL for the caller's own
 *
 * The memory of another process needs CAP_SYS_PTRACE, here and at each devpub_access().  A
 * device that is bound to the caller's own memory is of no use to its children.
 *
 * Return: 0, also if it was bound to this memory before.  -EBUSY it is bound to other
 * memory; -ESRCH the process has ended, or is a kernel thread; -EAGAIN it executes a new
 * program just now; -EPERM it is not the caller's to access; -EINTR; or an error that any
 * call can give.
 */
int devpub_bind(const struct devpub *dev, const struct devpub_process *process);

/**
 * devpub_access() - let the device access the memory that it is bound to
 * @dev:	the device
 * @access:	what to do, and its results, as linux/devpub.h says; the results are there
 *		also with an error, if access->done is not 0
 *
 * On -EINTR, adding access->done to the addresses and taking it off the length resumes the
 * call.
 *
 * Return: 0.  -EFAULT access->fault_addr can't be accessed; -EHWPOISON the memory there
 * has a hardware error; -ENOTCONN the device is not bound; -EPERM it is not bound to the
 * caller's own memory; -ESRCH the process has ended; or an error that any call can give.
 */
int devpub_access(const struct devpub *dev, struct devpub_access *access);

/**
 * devpub_alloc() - memory that starts on the device
 * @dev:	the device, which may be closed while the memory is used
 * @length:	bytes, rounded up to whole pages; not 0
 * @addr:	receives the address of zeroed memory, to be given back with
 *		devpub_free() or munmap(2)
 *
 * It is private anonymous memory like any other: it can move, be forked, and be
 * swapped out once it is back in system memory.  All of it is on the device when
 * the call returns, or nothing is allocated.
 *
 * Return: 0.  -ENOSPC the device has not so much free; -ENOMEM no address space,
 * or no leave to have so much memory; -EAGAIN a page was busy, as may be after
 * mlockall(2) with MCL_FUTURE; or an error that any call can give, but for -EINTR.
 */
int devpub_alloc(const struct devpub *dev, size_t length, void **addr);

/**
 * devpub_free() - give memory of devpub_alloc() back
 * @addr:	the address; NULL is ignored
 * @length:	as it was given to devpub_alloc()
 *
 * Return: 0, or -EINVAL for what is no such memory.
 */
int devpub_free(void *addr, size_t length);

/**
 * devpub_evict() - move every process's pages off the device
 * @dev:	the device
 * @moved:	receives the pages moved, also with -EINTR; NULL for none
 * @remaining:	receives the pages that are on the device after that; NULL for none
 *
 * Needs CAP_SYS_ADMIN.
 *
 * Return: 0, or an error that any call can give.
 */
int devpub_evict(const struct devpub *dev, uint64_t *moved,
		 uint64_t *remaining);

/**
 * devpub_create_carved() - make a device out of memory of the running system
 * @size:	bytes, which are rounded up to whole memory blocks
 * @node:	NUMA node to take them from, or -1 for any
 * @index:	receives N of the new devpubN
 *
 * May take minutes.  Needs CAP_SYS_ADMIN.
 *
 * Return: 0.  -EINVAL a wrong size or node; -ENOMEM, -EBUSY no such memory can be
 * taken; -ENOSPC too many devices; -EACCES, -EPERM; -EINTR; -ENODEV the
 * kernel module is not loaded; -EOPNOTSUPP it is too old for this.
 */
int devpub_create_carved(uint64_t size, int node, unsigned int *index);

/**
 * devpub_create_reserved() - make a device out of memory that the kernel leaves alone
 * @start:	physical address of its first byte
 * @size:	bytes
 * @index:	receives N of the new devpubN
 *
 * Needs CAP_SYS_ADMIN.
 *
 * Return: as devpub_create_carved().  -EINVAL also when the kernel uses the range;
 * -EBUSY when somebody else does.
 */
int devpub_create_reserved(uint64_t start, uint64_t size, unsigned int *index);

/**
 * devpub_destroy() - move all pages off a device, remove it, give its memory back
 * @index:	N of devpubN
 * @remaining:	receives the pages that are on the device still, with -EBUSY and
 *		-EINTR; 0 otherwise; NULL for none
 *
 * With an error, the device is still there.  Needs CAP_SYS_ADMIN.
 *
 * Return: 0.  -EBUSY somebody holds pages on it, which can't move; -ENODEV no such
 * device; -EACCES, -EPERM; -EINTR; -EOPNOTSUPP.
 */
int devpub_destroy(unsigned int index, uint64_t *remaining);

/**
 * devpub_reason_name() - a reason as one word, as sysfs has it ("no_space")
 * @reason:	an enum devpub_reason
 *
 * Return: a string that lives for ever; "unknown" for what the library does not know.
 */
const char *devpub_reason_name(unsigned int reason);

/**
 * devpub_reason_string() - a reason as a person would say it
 * @reason:	an enum devpub_reason
 *
 * Return: a string that lives for ever.
 */
const char *devpub_reason_string(unsigned int reason);

/**
 * devpub_location_name() - a location as one word ("other_device")
 * @location:	an enum devpub_location
 *
 * Return: a string that lives for ever; "unknown" for what the library does not know.
 */
const char *devpub_location_name(unsigned int location);

/**
 * devpub_provider_name() - a provider as one word, as sysfs has it ("carve")
 * @provider:	an enum devpub_provider
 *
 * Return: a string that lives for ever; "unknown" for what the library does not know.
 */
const char *devpub_provider_name(unsigned int provider);

#ifdef __cplusplus
}
#endif

#endif /* DEVPUB_H */
