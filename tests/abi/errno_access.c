// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The errno contract of BIND and ACCESS, and that no field is cut off for 32-bit callers.  errno.c
 * tests what these calls have in common with all others, and access_life.c their permissions.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "mem.h"

#define NOBODY	65534

/* Added to an address, it gives one that no process of this kind can map. */
#define BEYOND	(1ULL << (sizeof(void *) == 4 ? 32 : 62))

/* More than the kernel copies at a time. */
#define LONG	(300 * PAGE)

/* A valid operation on two pages. */
static struct devpub_access good(unsigned int op, char *mem)
{
	struct devpub_access arg = { .op = op, .addr = address(mem), .length = 64 };

	switch (op) {
	case DEVPUB_OP_READ:
	case DEVPUB_OP_WRITE:
		arg.buffer = address(mem + PAGE);
		break;
	case DEVPUB_OP_COPY:
	case DEVPUB_OP_COMPARE:
		arg.other = address(mem + PAGE);
		break;
	case DEVPUB_OP_FILL:
		break;
	default:
		arg.length = 4;
	}
	return arg;
}

/* Check that the call fails with this errno and changes neither the struct nor the memory. */
static void fails(int fd, const struct devpub_access *given, const char *mem, int expected)
{
	struct devpub_access arg = *given;
	int error = access_try(fd, &arg);

	if (error != expected)
		FAIL("op %u: %s instead of %s", arg.op, strerror(error), strerror(expected));
	CHECK(!memcmp(&arg, given, sizeof(arg)));
	mem_check(mem, 2, 1);
}

/* Check that the call fails with EFAULT at this address, and has done nothing. */
static void faults(int fd, struct devpub_access arg, const char *mem, uint64_t addr)
{
	CHECK_EQ(access_try(fd, &arg), EFAULT);
	CHECK_EQ(arg.fault_addr, addr);
	CHECK_EQ(arg.done, 0);
	mem_check(mem, 2, 1);
}

CASE(enotconn)
{
	char *mem = mem_new(2, 1);
	int fd = device_open();

	for (int op = DEVPUB_OP_READ; op <= DEVPUB_OP_COMPARE_EXCHANGE; op++) {
		struct devpub_access arg = good(op, mem);

		fails(fd, &arg, mem, ENOTCONN);
	}
}

CASE(einval)
{
	char *mem = mem_new(2, 1);
	int fd = access_open();

	for (int op = DEVPUB_OP_READ; op <= DEVPUB_OP_COMPARE_EXCHANGE + 1; op++) {
		const struct devpub_access arg = good(op, mem);
		const bool atomic = op >= DEVPUB_OP_ADD;
		struct devpub_access bad;

		if (op > DEVPUB_OP_COMPARE_EXCHANGE)
			fails(fd, &arg, mem, EINVAL);
		bad = arg, bad.op |= 1U << 31;
		fails(fd, &bad, mem, EINVAL);
		bad = arg, bad.length = 0;
		fails(fd, &bad, mem, EINVAL);
		/* Bits above those of a 32-bit number matter, too. */
		bad = arg, bad.length += 1ULL << 32;
		if (atomic || sizeof(void *) == 4)
			fails(fd, &bad, mem, atomic ? EINVAL : EFAULT);
		bad = arg, bad.operand = 1ULL << 32;
		if (op != DEVPUB_OP_FILL)
			fails(fd, &bad, mem, EINVAL);
		bad = arg, bad.compare = 1ULL << 32;
		fails(fd, &bad, mem, EINVAL);
		bad = arg, bad.other = 1ULL << 32;
		if (op != DEVPUB_OP_COPY && op != DEVPUB_OP_COMPARE)
			fails(fd, &bad, mem, EINVAL);
		bad = arg, bad.buffer = 1ULL << 32;
		if (op != DEVPUB_OP_READ && op != DEVPUB_OP_WRITE)
			fails(fd, &bad, mem, EINVAL);
		bad = arg, bad.addr += 2;
		if (atomic)
			fails(fd, &bad, mem, EINVAL);
	}
}

/* The upper bits of an address are not ignored. */
CASE(beyond)
{
	char *mem = mem_new(2, 1);
	int fd = access_open();

	for (int op = DEVPUB_OP_READ; op <= DEVPUB_OP_COMPARE_EXCHANGE; op++) {
		const struct devpub_access arg = good(op, mem);
		struct devpub_access bad;

		bad = arg, bad.addr += BEYOND;
		fails(fd, &bad, mem, EFAULT);
		bad = arg, bad.other += BEYOND;
		if (arg.other)
			fails(fd, &bad, mem, EFAULT);
		bad = arg, bad.addr = -arg.length + 1;
		bad.addr &= op >= DEVPUB_OP_ADD ? -4ULL : -1ULL;
		bad.length = op >= DEVPUB_OP_ADD ? 4 : arg.length;
		fails(fd, &bad, mem, EOVERFLOW);
		bad = arg, bad.buffer += BEYOND;
		if (arg.buffer)
			faults(fd, bad, mem, bad.buffer);
	}
}

/* Results and operands have 64 bits for all callers. */
CASE(wide_values)
{
	const uint64_t value = 0x8877665544332211ULL, other = 0xfedcba9876543210ULL;
	int fd = access_open();
	uint64_t *mem = mem_new(1, 1);
	struct devpub_access arg = { .op = DEVPUB_OP_FILL, .addr = address(mem), .length = 16,
				     .operand = value };

	access_all(fd, &arg);
	CHECK_EQ(mem[0], value);
	CHECK_EQ(mem[1], value);
	CHECK_EQ(access_atomic(fd, DEVPUB_OP_EXCHANGE, mem, 8, other, 0), value);
	CHECK_EQ(access_atomic(fd, DEVPUB_OP_COMPARE_EXCHANGE, mem, 8, 1, other ^ 1ULL << 63),
		 other);
	CHECK_EQ(mem[0], other);
	CHECK_EQ(access_atomic(fd, DEVPUB_OP_COMPARE_EXCHANGE, mem, 8, value, other), other);
	CHECK_EQ(access_atomic(fd, DEVPUB_OP_ADD, mem, 8, 1ULL << 40, 0), value);
	CHECK_EQ(mem[0], value + (1ULL << 40));
	CHECK_EQ(mem[1], value);
}

/* The results say how far it came, and where it ended, in each of the ranges. */
CASE(efault)
{
	char *mem = mem_map(4), *end = mem + 2 * PAGE;
	int fd = access_open();

	CHECK_CALL(munmap(end, 2 * PAGE));
	memset(mem, 7, 2 * PAGE);
	for (int op = DEVPUB_OP_READ; op <= DEVPUB_OP_COMPARE; op++) {
		struct devpub_access arg = good(op, mem);

		arg.addr = address(end - 32);
		CHECK_EQ(access_try(fd, &arg), EFAULT);
		CHECK_EQ(arg.done, 32);
		CHECK_EQ(arg.fault_addr, address(end));
		memset(mem, 7, 2 * PAGE);
		if (op == DEVPUB_OP_FILL)
			continue;
		arg = good(op, mem);
		*(arg.other ? &arg.other : &arg.buffer) = address(end - 32);
		CHECK_EQ(access_try(fd, &arg), EFAULT);
		CHECK_EQ(arg.done, 32);
		CHECK_EQ(arg.fault_addr, address(end));
	}
	mem_fill(mem, 2, 1);
	for (int op = DEVPUB_OP_ADD; op <= DEVPUB_OP_COMPARE_EXCHANGE; op++) {
		struct devpub_access arg = good(op, mem);

		arg.addr = address(end);
		faults(fd, arg, mem, address(end));
	}
}

/* A buffer at address 0 is an address like others, which faults. */
CASE(buffer_at_zero)
{
	static const size_t lengths[] = { 1, 8, 64, PAGE, LONG };
	const size_t pages = LONG / PAGE;
	char *mem = mem_new(pages, 1);
	int fd = access_open();

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		faults(fd, access_arg(DEVPUB_OP_READ, mem, NULL, lengths[i]), mem, 0);
		faults(fd, access_arg(DEVPUB_OP_WRITE, mem, NULL, lengths[i]), mem, 0);
	}
	mem_check(mem, pages, 1);
}

/* A child has its parent's file, which stays bound to the parent's memory. */
CASE(other_memory)
{
	char *mem = mem_new(2, 1);
	struct devpub_bind bind = { .flags = DEVPUB_BIND_PID };
	int fd = access_open(), unbound = device_open();
	pid_t pid;

	if (geteuid())
		SKIP("needs root");
	pid = test_fork();
	if (pid == 0) {
		const struct devpub_access arg = good(DEVPUB_OP_FILL, mem);

		fails(fd, &arg, mem, EPERM);
		_exit(0);
	}
	bind.pid = pid;
	test_wait(pid);
	CHECK_ERRNO(ioctl(unbound, DEVPUB_IOC_BIND, &bind), ESRCH);
	bind.pid = getppid();
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_BIND, &bind), EBUSY);
	CHECK_CALL(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_ERRNO(ioctl(unbound, DEVPUB_IOC_BIND, &bind), EPERM);
	CHECK_EQ(bind.pid, getppid());
}
