/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Accesses of the device to the memory of the calling process. */
#ifndef DEVPUB_TESTS_ACCESS_H
#define DEVPUB_TESTS_ACCESS_H

#include <errno.h>
#include <sys/ioctl.h>
#include <linux/devpub.h>

#include "device.h"
#include "harness.h"

/* Bind a file to the memory of the caller, or with DEVPUB_BIND_PID to that of a process. */
static inline int access_bind(int fd, unsigned int flags, pid_t pid)
{
	struct devpub_bind bind = { .flags = flags, .pid = pid };

	return ioctl(fd, DEVPUB_IOC_BIND, &bind);
}

/* Open device 0, bound to the caller's memory. */
static inline int access_open(void)
{
	int fd = device_open();

	CHECK_CALL(access_bind(fd, 0, 0));
	return fd;
}

/* Describe an operation with a buffer of the caller's. */
static inline struct devpub_access access_arg(unsigned int op, const volatile void *addr,
					      const void *buffer, size_t n)
{
	return (struct devpub_access) {
		.op = op, .addr = address((const void *)addr), .length = n,
		.buffer = address(buffer),
	};
}

/* Describe the rest of an operation that a signal has interrupted. */
static inline void access_advance(struct devpub_access *arg)
{
	arg->addr += arg->done;
	arg->length -= arg->done;
	arg->other += arg->other ? arg->done : 0;
	arg->buffer += arg->buffer ? arg->done : 0;
}

/* Return the error, or 0.  The results stay in the struct. */
static inline int access_try(int fd, struct devpub_access *arg)
{
	return ioctl(fd, DEVPUB_IOC_ACCESS, arg) ? errno : 0;
}

/* Execute an operation to its end, or fail the case. */
static inline void access_all(int fd, struct devpub_access *arg)
{
	int error = access_try(fd, arg);

	if (error)
		FAIL("op %u, %llu bytes at %#llx: %s after %llu, at %#llx", arg->op,
		     (unsigned long long)arg->length, (unsigned long long)arg->addr,
		     strerror(error), (unsigned long long)arg->done,
		     (unsigned long long)arg->fault_addr);
	CHECK_EQ(arg->done, arg->length);
	CHECK_EQ(arg->fault_addr, 0);
	CHECK_EQ(arg->migrations, 0);
}

static inline void access_read(int fd, const void *addr, void *buffer, size_t n)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_READ, addr, buffer, n);

	access_all(fd, &arg);
}

static inline void access_write(int fd, void *addr, const void *buffer, size_t n)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, addr, buffer, n);

	access_all(fd, &arg);
}

/* Return the value from before the operation. */
static inline uint64_t access_atomic(int fd, unsigned int op, void *addr, size_t n,
				     uint64_t operand, uint64_t compare)
{
	struct devpub_access arg = {
		.op = op, .addr = address(addr), .length = n,
		.operand = operand, .compare = compare,
	};

	access_all(fd, &arg);
	return arg.result;
}

#endif /* DEVPUB_TESTS_ACCESS_H */
