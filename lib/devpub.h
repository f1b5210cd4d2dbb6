/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * libdevpub: device-public memory for programs.
 *
 * On success, functions return 0, or a number that they document.  On failure,
 * they return a negative errno value; errno itself is undefined after a call.
 * Sizes and lengths are in bytes.  Counts are in pages of devpub_info.page_size
 * bytes.  The outcome for a page is an enum devpub_reason and its location an
 * enum devpub_location, both from linux/devpub.h.  A newer kernel module may
 * return numbers that this header does not know.
 *
 * The library has no state of its own.  Any thread may call any function at any
 * time, also with a device or process that other threads are using.  Only
 * devpub_close() and devpub_detach() must be the last use of their argument.
 * After fork(), both parent and child may use open devices, each for its own
 * memory, but only the process that called devpub_bind() may call devpub_access().
 * A signal handler must not call any of the functions.
 *
 * Errors that any call to a device can return, besides those that it documents:
 *
 *  -EINVAL	a flag is wrong, an address or length is not a multiple of the page
 *		size, or a length is 0
 *  -EOVERFLOW	an address plus a length exceeds 64 bits
 *  -EFAULT	a range exceeds the address space, or an array can't be written
 *  -ENOMEM	no memory for the call's own bookkeeping
 *  -ENODEV	the device is removed or being removed
 *  -EPERM	the caller lacks the privilege that the call documents
 *  -EINTR	a signal interrupted the call; the call documents what is complete
 *  -EOPNOTSUPP	the loaded kernel module is too old for this
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

/* Number of entries of an array by reason.  Every enum devpub_reason stays below it. */
#define DEVPUB_REASONS_MAX	64

/* An open device, and a process whose memory calls act on. */
struct devpub;
struct devpub_process;

/**
 * struct devpub_range - a range of addresses of a process
 * @addr:	address of the first byte, a multiple of the page size
 * @length:	length in bytes, a multiple of the page size, not 0
 */
struct devpub_range {
	uint64_t addr;
	uint64_t length;
};

/**
 * struct devpub_outcome - the outcome of a migration
 * @done:	bytes from the start of the (first) range on that are complete
 * @moved:	pages that moved
 * @populated:	holes that were filled on the device
 * @already:	pages that were already at the destination
 * @absent:	addresses without a page
 * @refused:	pages that were to move and did not
 * @reason:	pages by enum devpub_reason
 *
 * moved + populated + already + absent + refused equals done in pages.  The sum of all
 * entries of reason equals it as well.
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
 * @done:	bytes from the start of the (first) range on that are complete
 * @absent:	addresses without a page
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
 * struct devpub_stats - state and counters of a device, from sysfs
 * @capacity:	size of the device memory in bytes
 * @free:	free device memory in bytes
 * @node:	NUMA node, or -1
 * @provider:	an enum devpub_provider, or 0 if the library does not know the provider
 * @migrated_to:	pages that migrated to the device
 * @migrated_from:	pages that migrated back
 * @populated:	holes that were filled on the device
 * @evicted:	pages that eviction moved off the device
 * @refused:	pages that a migration refused to move, by enum devpub_reason
 *
 * Counters start at 0 when the device is created.  The library reads them one after the
 * other, so they are no consistent snapshot of a device in use.
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
 * devpub_list() - list the devices
 * @index:	receives the numbers of the devices in ascending order; may be NULL if @max is 0
 * @max:	number of entries of @index
 *
 * Return: the number of devices, which may exceed @max.  -ENODEV if the kernel module
 * is not loaded.
 */
int devpub_list(unsigned int *index, size_t max);

/**
 * devpub_open() - open a device
 * @index:	N of /dev/devpubN
 * @dev:	receives the device; close it with devpub_close()
 *
 * execve() closes the file descriptor.
 *
 * Return: 0.  -ENODEV if the device does not exist; -EACCES if the caller may not open it;
 * -EMFILE or -ENFILE for too many open files; -ENOMEM.
 */
int devpub_open(unsigned int index, struct devpub **dev);

/**
 * devpub_open_any() - open the first device with enough free memory
 * @free:	bytes that must be free on it at this moment; 0 for any device.  The call
 *		does not reserve them: others may use them
 * @dev:	receives the device; close it with devpub_close()
 *
 * Return: 0.  -ENODEV if no device exists; -EACCES if the caller may open none; -ENOSPC
 * if none has enough free memory; and the errors of devpub_open().
 */
int devpub_open_any(uint64_t free, struct devpub **dev);

/**
 * devpub_close() - close a device
 * @dev:	the device; NULL is ignored
 *
 * Memory on the device stays there.
 */
void devpub_close(struct devpub *dev);

/**
 * devpub_fd() - return the file descriptor of an open device
 * @dev:	the device
 *
 * Return: the descriptor, for the caller's own ioctls.  The library closes it.
 */
int devpub_fd(const struct devpub *dev);

/**
 * devpub_info() - read the properties of an open device
 * @dev:	the device
 * @info:	receives the properties; linux/devpub.h documents them
 *
 * Return: 0, or an error that any call can return.
 */
int devpub_info(const struct devpub *dev, struct devpub_info *info);

/**
 * devpub_stats() - read the state and counters of a device
 * @index:	N of devpubN; the device need not be open, and the caller needs no permission
 *		to open it
 * @stats:	receives the state and counters
 *
 * Return: 0.  -ENODEV if the device does not exist.
 */
int devpub_stats(unsigned int index, struct devpub_stats *stats);

/**
 * devpub_attach() - get a handle of a process by its number
 * @pid:	the number of the process, which may be the caller
 * @process:	receives the handle; release it with devpub_detach()
 *
 * The call does not stop or change the process.  The process may end at any time.
 * Calls that act on it then return -ESRCH, even if its number is used again.  If
 * another process gets its number during a call, that call may act on the other
 * process; it returns -ESRCH then, too, and no results.
 *
 * Return: 0.  -ESRCH if no process has this number; -EINVAL if it is the number of a
 * thread, or not positive; -EMFILE or -ENFILE; -ENOMEM.
 */
int devpub_attach(pid_t pid, struct devpub_process **process);

/**
 * devpub_attach_fd() - get a handle of a process by its pidfd
 * @pidfd:	a pidfd, as from pidfd_open(2).  The library duplicates it; the caller still
 *		has to close its own
 * @process:	receives the handle; release it with devpub_detach()
 *
 * Requires /proc of the caller's PID namespace.
 *
 * Return: 0.  -EBADF if @pidfd is not open, or not a pidfd; -ESRCH if the process has
 * ended, or has no number in the caller's PID namespace; -ENOENT if /proc is not
 * mounted; -EMFILE; -ENOMEM.
 */
int devpub_attach_fd(int pidfd, struct devpub_process **process);

/**
 * devpub_detach() - release the handle of a process
 * @process:	the handle; NULL is ignored.  The call does not affect the process
 */
void devpub_detach(struct devpub_process *process);

/**
 * devpub_migrate_to() - move a range of the caller's memory to the device
 * @dev:	the device
 * @addr:	address of the first byte, a multiple of the page size
 * @length:	length in bytes, a multiple of the page size, not 0
 * @flags:	DEVPUB_MIGRATE_POPULATE to also fill holes with zeroed pages on the device, or 0
 * @reasons:	receives one enum devpub_reason per page, also for pages that the call did
 *		not reach; NULL for none
 * @outcome:	receives the counts, also with an error; NULL for none
 *
 * A page that can't move is no error; the call counts it.  A page that is refused as
 * busy (DEVPUB_REASON_BUSY) may move in a second call.
 *
 * With -EINTR and -ENODEV, outcome->done is the number of bytes that are complete.  To
 * resume the call, add it to @addr and subtract it from @length.
 *
 * Return: 0, or an error that any call can return.
 */
int devpub_migrate_to(const struct devpub *dev, const void *addr, size_t length,
		      unsigned int flags, unsigned char *reasons,
		      struct devpub_outcome *outcome);

/**
 * devpub_migrate_from() - move a range of the caller's memory back from the device
 * @dev:	the device
 * @addr:	address of the first byte, a multiple of the page size
 * @length:	length in bytes, a multiple of the page size, not 0
 * @flags:	must be 0
 * @reasons:	as for devpub_migrate_to()
 * @outcome:	as for devpub_migrate_to()
 *
 * Return: as devpub_migrate_to().
 */
int devpub_migrate_from(const struct devpub *dev, const void *addr,
			size_t length, unsigned int flags,
			unsigned char *reasons, struct devpub_outcome *outcome);

/**
 * devpub_migrate_to_v() - move ranges of a process's memory to the device
 * @dev:	the device
 * @process:	the process; NULL for the caller
 * @ranges:	the ranges, in any order
 * @n:		the number of ranges, not 0
 * @flags:	as for devpub_migrate_to()
 * @reasons:	as for devpub_migrate_to(), for the pages of all ranges in the order of
 *		@ranges
 * @outcome:	receives the counts over all ranges.  Its done counts bytes in the order of
 *		@ranges
 *
 * The call checks all ranges before it moves the first page.  It requires
 * CAP_SYS_PTRACE if @process is not the caller.
 *
 * Return: as devpub_migrate_to().  -ESRCH if the process has ended, or is a kernel
 * thread: @outcome does not contain the range at which the call failed then.  -EAGAIN
 * if the process is executing a new program: call again.  -EPERM if the caller lacks
 * CAP_SYS_PTRACE.
 */
int devpub_migrate_to_v(const struct devpub *dev,
			const struct devpub_process *process,
			const struct devpub_range *ranges, size_t n,
			unsigned int flags, unsigned char *reasons,
			struct devpub_outcome *outcome);

/**
 * devpub_migrate_from_v() - move ranges of a process's memory back
 * @dev:	the device
 * @process:	as for devpub_migrate_to_v()
 * @ranges:	as for devpub_migrate_to_v()
 * @n:		as for devpub_migrate_to_v()
 * @flags:	must be 0
 * @reasons:	as for devpub_migrate_to_v()
 * @outcome:	as for devpub_migrate_to_v()
 *
 * Return: as devpub_migrate_to_v().
 */
int devpub_migrate_from_v(const struct devpub *dev,
			  const struct devpub_process *process,
			  const struct devpub_range *ranges, size_t n,
			  unsigned int flags, unsigned char *reasons,
			  struct devpub_outcome *outcome);

/**
 * devpub_query() - read the locations of the pages of a range of the caller's memory
 * @dev:	the device that DEVPUB_LOCATION_DEVICE means
 * @addr:	address of the first byte, a multiple of the page size
 * @length:	length in bytes, a multiple of the page size, not 0
 * @locations:	receives one enum devpub_location per page, also for pages that the call did
 *		not reach; NULL for none
 * @counts:	receives the counts, also with an error; NULL for none
 *
 * The call faults no page in and moves no page.
 *
 * Return: 0, or an error that any call can return.
 */
int devpub_query(const struct devpub *dev, const void *addr, size_t length,
		 unsigned char *locations, struct devpub_locations *counts);

/**
 * devpub_query_v() - read the locations of the pages of ranges of a process's memory
 * @dev:	the device that DEVPUB_LOCATION_DEVICE means
 * @process:	as for devpub_migrate_to_v()
 * @ranges:	as for devpub_migrate_to_v()
 * @n:		as for devpub_migrate_to_v()
 * @locations:	as for devpub_query(), for the pages of all ranges in the order of @ranges
 * @counts:	receives the counts over all ranges
 *
 * Return: as devpub_query(); -ESRCH, -EAGAIN and -EPERM as devpub_migrate_to_v().
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
 * The memory of another process requires CAP_SYS_PTRACE, here and for each
 * devpub_access().  A child can't use a device that its parent has bound to its own memory.
 *
 * Return: 0, also if the device was bound to this memory before.  -EBUSY if it is bound to
 * other memory; -ESRCH if the process has ended, or is a kernel thread; -EAGAIN if the
 * process is executing a new program: call again; -EPERM if the caller lacks
 * CAP_SYS_PTRACE; -EMFILE if the process has bound 1024 files to its own memory that are
 * open, or were closed a moment ago; -EINTR; or an error that any call can return.
 */
int devpub_bind(const struct devpub *dev, const struct devpub_process *process);

/**
 * devpub_access() - let the device access the memory that it is bound to
 * @dev:	the device
 * @access:	the operation; linux/devpub.h documents it.  Set the fields for results to 0:
 *		an error before the first access leaves them as they are
 *
 * With an error, access->done is the number of bytes that are complete.  To resume the
 * call after -EINTR, add it to the addresses and subtract it from the length.
 *
 * Return: 0.  -EFAULT if access->fault_addr can't be accessed; -EHWPOISON if the memory
 * there has a hardware error; -ENOTCONN if the device is not bound; -EPERM if it is bound
 * to memory that the caller may not access; -ESRCH if the process has ended, or executed
 * another program; or an error that any call can return.
 */
int devpub_access(const struct devpub *dev, struct devpub_access *access);

/**
 * devpub_alloc() - allocate memory on the device
 * @dev:	the device.  It may be closed while the memory is in use
 * @length:	length in bytes, rounded up to whole pages; not 0
 * @addr:	receives the address of zeroed memory; free it with devpub_free() or munmap(2)
 *
 * The result is ordinary private anonymous memory: it can move, be forked, and be
 * swapped out after it moved to system memory.  Either all of it is on the device when
 * the call returns, or the call allocates nothing.
 *
 * Return: 0.  -ENOSPC if the device does not have enough free memory; -ENOMEM if there
 * is no address space, or a limit forbids so much memory; -EAGAIN if a page was busy,
 * which can happen after mlockall(2) with MCL_FUTURE; or an error that any call can
 * return, except -EINTR.
 */
int devpub_alloc(const struct devpub *dev, size_t length, void **addr);

/**
 * devpub_free() - free memory of devpub_alloc()
 * @addr:	the address; NULL is ignored
 * @length:	the length that was passed to devpub_alloc()
 *
 * Return: 0, or -EINVAL if the arguments do not describe such memory.
 */
int devpub_free(void *addr, size_t length);

/**
 * devpub_evict() - move every process's pages off the device
 * @dev:	the device
 * @moved:	receives the number of pages that moved, also with -EINTR; NULL for none
 * @remaining:	receives the number of pages on the device at the end; NULL for none
 *
 * Requires CAP_SYS_ADMIN.
 *
 * Return: 0, or an error that any call can return.
 */
int devpub_evict(const struct devpub *dev, uint64_t *moved,
		 uint64_t *remaining);

/**
 * devpub_create_carved() - create a device from memory of the running system
 * @size:	size in bytes, rounded up to whole memory blocks
 * @node:	NUMA node to take the memory from, or -1 for any
 * @index:	receives N of the new devpubN
 *
 * The call may take minutes.  It requires CAP_SYS_ADMIN.
 *
 * Return: 0.  -EINVAL if the size or node is wrong; -ENOMEM or -EBUSY if no memory of
 * this size can be taken; -ENOSPC if the maximum number of devices exists; -EACCES or
 * -EPERM; -EINTR; -ENODEV if the kernel module is not loaded; -EOPNOTSUPP if it is too
 * old for this.
 */
int devpub_create_carved(uint64_t size, int node, unsigned int *index);

/**
 * devpub_create_reserved() - create a device from memory that the kernel does not use
 * @start:	physical address of the first byte
 * @size:	size in bytes
 * @index:	receives N of the new devpubN
 *
 * Requires CAP_SYS_ADMIN.
 *
 * Return: as devpub_create_carved(); -EINVAL also if the kernel uses the range; -EBUSY if
 * another driver does.
 */
int devpub_create_reserved(uint64_t start, uint64_t size, unsigned int *index);

/**
 * devpub_destroy() - move all pages off a device, remove it, and return its memory
 * @index:	N of devpubN
 * @remaining:	receives the number of pages that are still on the device, with -EBUSY and
 *		-EINTR; 0 otherwise; NULL for none
 *
 * With an error, the device still exists.  Requires CAP_SYS_ADMIN.
 *
 * Return: 0.  -EBUSY if pages on the device are in use and can't move; -ENODEV if the
 * device does not exist; -EACCES or -EPERM; -EINTR; -EOPNOTSUPP.
 */
int devpub_destroy(unsigned int index, uint64_t *remaining);

/**
 * devpub_reason_name() - return the name of a reason, as in sysfs ("no_space")
 * @reason:	an enum devpub_reason
 *
 * Return: a constant string, "unknown" if the library does not know the number.
 */
const char *devpub_reason_name(unsigned int reason);

/**
 * devpub_reason_string() - describe a reason in words
 * @reason:	an enum devpub_reason
 *
 * Return: a constant string.
 */
const char *devpub_reason_string(unsigned int reason);

/**
 * devpub_location_name() - return the name of a location ("other_device")
 * @location:	an enum devpub_location
 *
 * Return: a constant string, "unknown" if the library does not know the number.
 */
const char *devpub_location_name(unsigned int location);

/**
 * devpub_provider_name() - return the name of a provider, as in sysfs ("carve")
 * @provider:	an enum devpub_provider
 *
 * Return: a constant string, "unknown" if the library does not know the number.
 */
const char *devpub_provider_name(unsigned int provider);

#ifdef __cplusplus
}
#endif

#endif /* DEVPUB_H */
