// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The errno contract of the ABI's header, and structs of other sizes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define NOBODY	65534

/* Return the command of a call for a struct of another size. */
#define SIZED(cmd, size)	_IOC(_IOC_READ | _IOC_WRITE, _IOC_TYPE(cmd), \
				     _IOC_NR(cmd), size)
#define STRUCT_MAX		((1U << _IOC_SIZEBITS) - 1)

static const struct call {
	const char *name;
	unsigned long cmd;
	bool has_reserved;
	bool has_range;
	unsigned int first_size;
} calls[] = {
	{ "INFO", DEVPUB_IOC_INFO, false, false, DEVPUB_INFO_SIZE_VER0 },
	{ "MIGRATE_TO", DEVPUB_IOC_MIGRATE_TO, true, true, DEVPUB_MIGRATE_SIZE_VER0 },
	{ "MIGRATE_FROM", DEVPUB_IOC_MIGRATE_FROM, true, true, DEVPUB_MIGRATE_SIZE_VER0 },
	{ "QUERY", DEVPUB_IOC_QUERY, true, true, DEVPUB_QUERY_SIZE_VER0 },
	{ "EVICT", DEVPUB_IOC_EVICT, true, false, DEVPUB_EVICT_SIZE_VER0 },
	/* They are called in this order, as ACCESS needs BIND; errno_access has more errors. */
	{ "BIND", DEVPUB_IOC_BIND, true, false, DEVPUB_BIND_SIZE_VER0 },
	{ "ACCESS", DEVPUB_IOC_ACCESS, false, false, DEVPUB_ACCESS_SIZE_VER0 },
};

#define CALLS	(sizeof(calls) / sizeof(*calls))

/* Larger than any struct, to detect writes after the struct. */
union arg {
	struct {
		uint32_t flags;
		uint32_t reserved;
		uint64_t addr;
		uint64_t length;
		uint64_t array;
	};
	unsigned char bytes[STRUCT_MAX];
};

/* Make a valid struct for the call, with memory of its own. */
static union arg valid(const struct call *call)
{
	static char *page;
	union arg arg;

	if (!page)
		page = mem_new(1, 1);
	memset(&arg, 0, sizeof(arg));
	if (call->cmd == DEVPUB_IOC_ACCESS)
		arg.reserved = DEVPUB_OP_FILL;
	if (call->has_range || call->cmd == DEVPUB_IOC_ACCESS) {
		arg.addr = address(page);
		arg.length = PAGE;
	}
	return arg;
}

/* Check that the call fails with this errno and does not change the struct. */
static void fails(int fd, const struct call *call, unsigned long cmd,
		  const union arg *given, int expected)
{
	union arg arg = *given;
	int ret = ioctl(fd, cmd, &arg);

	if (ret != -1 || errno != expected)
		FAIL("%s: %s instead of %s", call->name,
		     ret == -1 ? strerror(errno) : "success",
		     strerror(expected));
	if (memcmp(&arg, given, sizeof(arg)))
		FAIL("%s: failed, but wrote to the struct", call->name);
}

CASE(calls_are_valid)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		if (ioctl(fd, calls[i].cmd, &arg))
			FAIL("%s: %s", calls[i].name, strerror(errno));
	}
}

CASE(enotty_number)
{
	int fd = device_open();
	union arg arg = valid(&calls[0]);

	for (unsigned int nr = CALLS; nr < 256; nr++)
		fails(fd, &calls[0], _IOWR(DEVPUB_IOC_MAGIC, nr, struct devpub_info),
		      &arg, ENOTTY);
}

CASE(enotty_type)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);
		unsigned int nr = _IOC_NR(calls[i].cmd);
		unsigned int size = _IOC_SIZE(calls[i].cmd);

		fails(fd, &calls[i], _IOC(_IOC_READ | _IOC_WRITE, 'x', nr, size),
		      &arg, ENOTTY);
		fails(fd, &calls[i], _IOC(_IOC_READ | _IOC_WRITE,
					  DEVPUB_IOC_MAGIC + 1, nr, size),
		      &arg, ENOTTY);
	}
}

/* The kernel identifies a command by type and number alone. */
CASE(direction_does_not_matter)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		CHECK_CALL(ioctl(fd, _IOC(_IOC_NONE, DEVPUB_IOC_MAGIC,
					  _IOC_NR(calls[i].cmd),
					  _IOC_SIZE(calls[i].cmd)), &arg));
	}
}

CASE(einval_shorter_than_first_version)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		unsigned int size = calls[i].first_size;
		union arg arg = valid(&calls[i]);

		fails(fd, &calls[i], SIZED(calls[i].cmd, 0), &arg, EINVAL);
		fails(fd, &calls[i], SIZED(calls[i].cmd, 1), &arg, EINVAL);
		fails(fd, &calls[i], SIZED(calls[i].cmd, size - 8), &arg, EINVAL);
		fails(fd, &calls[i], SIZED(calls[i].cmd, size - 1), &arg, EINVAL);
	}
}

/* The struct of an older program, which ends here. */
CASE(first_version)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		CHECK_CALL(ioctl(fd, SIZED(calls[i].cmd, calls[i].first_size), &arg));
	}
}

/* The struct of a newer program with zero in the new fields, which do not change. */
CASE(longer_with_zeros)
{
	const unsigned int extra[] = { 1, 8, 64, 1024 };
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		unsigned int size = _IOC_SIZE(calls[i].cmd);

		for (int j = 0; j < 4; j++) {
			union arg arg = valid(&calls[i]);

			memset(arg.bytes + size + extra[j], 0xa5, 64);
			if (ioctl(fd, SIZED(calls[i].cmd, size + extra[j]), &arg))
				FAIL("%s, %u bytes more: %s", calls[i].name,
				     extra[j], strerror(errno));
			for (unsigned int k = 0; k < extra[j]; k++)
				CHECK_EQ(arg.bytes[size + k], 0);
			for (unsigned int k = 0; k < 64; k++)
				CHECK_EQ(arg.bytes[size + extra[j] + k], 0xa5);
		}
	}
}

CASE(longest_with_zeros)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		if (ioctl(fd, SIZED(calls[i].cmd, STRUCT_MAX), &arg))
			FAIL("%s: %s", calls[i].name, strerror(errno));
	}
}

CASE(e2big)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		unsigned int size = _IOC_SIZE(calls[i].cmd);
		union arg arg = valid(&calls[i]);

		arg.bytes[size] = 1;
		fails(fd, &calls[i], SIZED(calls[i].cmd, size + 1), &arg, E2BIG);
		fails(fd, &calls[i], SIZED(calls[i].cmd, size + 8), &arg, E2BIG);
		arg.bytes[size] = 0;
		arg.bytes[size + 199] = 0x80;
		fails(fd, &calls[i], SIZED(calls[i].cmd, size + 200), &arg, E2BIG);
		/* Now the byte is after the struct. */
		CHECK_CALL(ioctl(fd, SIZED(calls[i].cmd, size + 199), &arg));
	}
}

CASE(einval_flags)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		for (int bit = 0; bit < 32; bit++) {
			union arg arg = valid(&calls[i]);

			if (bit == 0 && (calls[i].cmd == DEVPUB_IOC_MIGRATE_TO ||
					 calls[i].cmd == DEVPUB_IOC_MIGRATE_FROM))
				continue;
			arg.flags = 1U << bit;
			fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
		}
	}
}

CASE(einval_reserved)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		if (!calls[i].has_reserved)
			continue;
		arg.reserved = 1;
		fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
		arg.reserved = 1U << 31;
		fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
	}
}

/* One range per errno; ranges.c tests all kinds of ranges. */
CASE(ranges)
{
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		const union arg good = valid(&calls[i]);
		union arg arg;

		if (!calls[i].has_range)
			continue;
		arg = good, arg.addr += 8;
		fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
		arg = good, arg.length += 8;
		fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
		arg = good, arg.length = 0;
		fails(fd, &calls[i], calls[i].cmd, &arg, EINVAL);
		arg = good, arg.length = 0ULL - PAGE;
		fails(fd, &calls[i], calls[i].cmd, &arg, EOVERFLOW);
		arg = good, arg.addr = 0xffff888000000000ULL;
		fails(fd, &calls[i], calls[i].cmd, &arg, EFAULT);
	}
}

CASE(eopnotsupp)
{
	int fd = device_open();
	union arg arg = valid(&calls[2]);

	arg.flags = DEVPUB_MIGRATE_POPULATE;
	fails(fd, &calls[2], DEVPUB_IOC_MIGRATE_FROM, &arg, EOPNOTSUPP);
}

CASE(efault_struct)
{
	char *pages = mem_new(2, 1);
	int fd = device_open();

	CHECK_CALL(munmap(pages + PAGE, PAGE));
	for (size_t i = 0; i < CALLS; i++) {
		unsigned long cmd = calls[i].cmd;

		CHECK_ERRNO(ioctl(fd, cmd, NULL), EFAULT);
		CHECK_ERRNO(ioctl(fd, cmd, (void *)-PAGE), EFAULT);
		CHECK_ERRNO(ioctl(fd, cmd, pages + PAGE), EFAULT);
		CHECK_ERRNO(ioctl(fd, cmd, pages + PAGE - 4), EFAULT);
	}
}

/* The call detects a struct that can't be written before it does any work. */
CASE(efault_read_only_struct)
{
	char *page = mem_new(1, 1), *target = mem_new(1, 2);
	int fd = device_open();

	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		if (calls[i].has_range)
			arg.addr = address(target);
		CHECK_CALL(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		memcpy(page, &arg, _IOC_SIZE(calls[i].cmd));
		CHECK_CALL(mprotect(page, PAGE, PROT_READ));
		CHECK_ERRNO(ioctl(fd, calls[i].cmd, page), EFAULT);
		check_in_system(fd, target, 1);
	}
}

static void sums(const struct devpub_migrate *arg)
{
	CHECK_CMP(arg->done, <=, arg->length);
	CHECK_EQ(arg->moved + arg->populated + arg->already + arg->absent +
		 arg->refused, arg->done / PAGE);
}

/* The array can't be written.  The struct reports what was done before. */
CASE(efault_array)
{
	const size_t pages = 2048;
	char *bad = mem_new(2, 1), *addr = mem_new(pages, 2);
	int fd = device_open();
	struct devpub_query asked = {
		.addr = address(addr), .length = pages * PAGE,
	};

	CHECK_CALL(mprotect(bad, PAGE, PROT_READ));
	CHECK_CALL(munmap(bad + PAGE, PAGE));
	for (int i = 0; i < 2; i++) {
		struct devpub_migrate arg = migrate_arg(addr, pages, NULL);

		arg.reasons = asked.locations = address(bad + i * PAGE);
		CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg), EFAULT);
		sums(&arg);
		CHECK_CMP(arg.done, <, arg.length);
		CHECK_EQ(query(fd, addr, pages, NULL).device, arg.moved);
		CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_QUERY, &asked), EFAULT);
		CHECK_CMP(asked.done, <, asked.length);
		CHECK_EQ(asked.absent + asked.system + asked.device,
			 asked.done / PAGE);
		CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg), EFAULT);
		sums(&arg);
		CHECK_CMP(arg.done, <, arg.length);
		to_system(fd, addr, pages);
	}
	mem_check(bad, 1, 1);
	mem_check(addr, pages, 2);
}

/* The array is too short: the call reports what is done up to its end, and can be resumed. */
CASE(efault_array_end)
{
	int fd = device_open();
	size_t window = device_info(fd).window;
	size_t pages = PAGE + 4 * window, rest;
	char *addr = mem_new(pages, 2);
	unsigned char *array = mem_map(2);
	struct devpub_migrate arg = migrate_arg(addr, pages, array);
	struct devpub_query asked = {
		.addr = address(addr), .length = pages * PAGE,
		.locations = address(array),
	};

	if (window > PAGE / 2)
		SKIP("a window of %zu pages is too large", window);
	CHECK_CALL(munmap(array + PAGE, PAGE));
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg), EFAULT);
	sums(&arg);
	CHECK_CMP(arg.done, >=, (PAGE - window) * PAGE);
	CHECK_CMP(arg.done, <, arg.length);
	for (size_t i = 0; i < PAGE - window; i++)
		CHECK(array[i] == DEVPUB_REASON_MOVED ||
		      array[i] == DEVPUB_REASON_BUSY);
	CHECK_EQ(query(fd, addr, pages, NULL).device, arg.moved);

	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_QUERY, &asked), EFAULT);
	CHECK_CMP(asked.done, >=, (PAGE - window) * PAGE);
	CHECK_CMP(asked.done, <, asked.length);
	CHECK_EQ(asked.system + asked.device, asked.done / PAGE);

	rest = pages - arg.done / PAGE;
	move_to_device(fd, addr + arg.done, rest);
	CHECK_EQ(query(fd, addr, pages, NULL).device, arg.moved + rest);
	mem_check(addr, pages, 2);
}

static void drop_privileges(void)
{
	CHECK_CALL(setresgid(NOBODY, NOBODY, NOBODY));
	CHECK_CALL(setresuid(NOBODY, NOBODY, NOBODY));
}

CASE(eperm_evict)
{
	int fd = device_open();
	union arg arg = valid(&calls[4]);
	char *addr = mem_new(16, 1);

	if (geteuid())
		SKIP("needs root");
	move_to_device(fd, addr, 16);
	drop_privileges();
	fails(fd, &calls[4], DEVPUB_IOC_EVICT, &arg, EPERM);
	CHECK_EQ(query(fd, addr, 16, NULL).device, 16);
}

/* A process with an open file may use the device, but sees no physical addresses. */
CASE(unprivileged)
{
	int fd = device_open();
	char *addr = mem_new(16, 1);

	if (geteuid())
		SKIP("needs root");
	CHECK_CMP(device_info(fd).phys_start, >, 0);
	drop_privileges();
	CHECK_EQ(device_info(fd).phys_start, 0);
	CHECK_CMP(device_info(fd).capacity, >, 0);
	move_to_device(fd, addr, 16);
	CHECK_EQ(query(fd, addr, 16, NULL).device, 16);
	mem_check(addr, 16, 1);
	move_to_system(fd, addr, 16);
	mem_check(addr, 16, 1);
}

/* A device is removed while a file is open; its pages move to RAM first. */
CASE(enodev)
{
	const char *driver = "/sys/bus/platform/drivers/devpub";
	char name[32], path[128];
	int fd = device_open();
	char *addr = mem_new(100, 1);
	unsigned int index = device_info(fd).index;

	if (!getenv("DEVPUB_KO") || !*getenv("DEVPUB_KO"))
		SKIP("takes the device away: set DEVPUB_KO to the module's file");
	snprintf(name, sizeof(name), "devpub.%u", index);
	snprintf(path, sizeof(path), "%s/%s", driver, name);
	if (access(path, F_OK))
		SKIP("%s is not a platform device of the driver", name);
	move_to_device(fd, addr, 100);
	snprintf(path, sizeof(path), "%s/unbind", driver);
	CHECK_CALL(test_write_text(path, name));
	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		fails(fd, &calls[i], calls[i].cmd, &arg, ENODEV);
	}
	mem_check(addr, 100, 1);

	snprintf(path, sizeof(path), "%s/bind", driver);
	/* The memory may not be back yet. */
	for (int try = 0; test_write_text(path, name); try++) {
		CHECK_EQ(errno, EBUSY);
		CHECK_CMP(try, <, 300);
		test_sleep(100);
	}
	for (size_t i = 0; i < CALLS; i++) {
		union arg arg = valid(&calls[i]);

		fails(fd, &calls[i], calls[i].cmd, &arg, ENODEV);
	}
	fd = device_open();
	move_to_device(fd, addr, 100);
	check_on_device(fd, addr, 100);
	mem_check(addr, 100, 1);
}
