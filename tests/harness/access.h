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

/* Device 0, bound to the caller's memory. */
static inline int access_open(void)
{
	struct devpub_bind bind = { 0 };
	int fd = device_open();

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_BIND, &bind));
	return fd;
}

/* The error, 0 for none; results stay in the struct. */
static inline int access_try(int fd, struct devpub_access *arg)
{
	return ioctl(fd, DEVPUB_IOC_ACCESS, arg) ? errno : 0;
}

/* The whole length, or the case fails. */
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
	struct devpub_access arg = {
		.op = DEVPUB_OP_READ, .addr = address(addr), .length = n,
		.buffer = address(buffer),
	};

	access_all(fd, &arg);
}

static inline void access_write(int fd, void *addr, const void *buffer, size_t n)
{
	struct devpub_access arg = {
		.op = DEVPUB_OP_WRITE, .addr = address(addr), .length = n,
		.buffer = address(buffer),
	};

	access_all(fd, &arg);
}

/* The value before. */
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
