// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Devices that are created and removed at run time, by /dev/devpub-control. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define NOBODY	65534
#define SIZE	(128ULL << 20)
#define PAGES	600UL

static int control_open(void)
{
	int fd = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);

	CHECK_CALL(fd);
	return fd;
}

static struct devpub_create carve_arg(void)
{
	return (struct devpub_create) {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = SIZE,
		.node = -1,
	};
}

static unsigned int create(int control)
{
	struct devpub_create arg = carve_arg();

	CHECK_CALL(ioctl(control, DEVPUB_IOC_CREATE, &arg));
	return arg.index;
}

static int destroy(int control, unsigned int index)
{
	struct devpub_destroy arg = { .index = index };

	return ioctl(control, DEVPUB_IOC_DESTROY, &arg);
}

static bool is_there(unsigned int index)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/devpub%u", index);
	return !access(path, F_OK);
}

CASE(created_works)
{
	int control = control_open();
	long long before = test_field("/proc/meminfo", "MemTotal");
	unsigned int index = create(control);
	int fd = device_open_nth(index);
	struct devpub_info info = device_info(fd);
	char *addr = mem_new(PAGES, 1);

	CHECK_EQ(info.index, index);
	CHECK_CMP(info.capacity, >=, SIZE);
	CHECK_EQ(info.free, info.capacity);
	CHECK_EQ(info.provider, DEVPUB_PROVIDER_CARVE);
	CHECK_EQ(info.window, device_info(device_open()).window);
	CHECK_CMP(test_field("/proc/meminfo", "MemTotal"), <, before);
	move_to_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	move_to_system(fd, addr, PAGES);
	close(fd);

	CHECK_CALL(destroy(control, index));
	CHECK(!is_there(index));
	CHECK_CMP(test_field("/proc/meminfo", "MemTotal"), >=, before);
	mem_check(addr, PAGES, 1);
}

CASE(lowest_free_number)
{
	int control = control_open();

	CHECK_EQ(create(control), 1);
	CHECK_EQ(create(control), 2);
	CHECK_CALL(destroy(control, 1));
	CHECK_EQ(create(control), 1);
	CHECK_CALL(destroy(control, 2));
	CHECK_CALL(destroy(control, 1));
}

/* Also remove a device that the module's parameters created. */
CASE(first_one)
{
	int control = control_open();

	CHECK_CALL(destroy(control, 0));
	CHECK(!is_there(0));
	CHECK_EQ(create(control), 0);
	CHECK_EQ(device_info(device_open()).index, 0);
}

CASE(pages_move_off)
{
	int control = control_open();
	unsigned int index = create(control);
	int fd = device_open_nth(index);
	char *addr = mem_new(PAGES, 7);
	struct devpub_info info = { 0 };

	move_to_device(fd, addr, PAGES);
	CHECK_CALL(destroy(control, index));
	mem_check(addr, PAGES, 7);
	/* Calls on open files fail with ENODEV. */
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_INFO, &info), ENODEV);
	/* A new device with this number is another device. */
	CHECK_EQ(create(control), index);
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_INFO, &info), ENODEV);
	CHECK_CALL(destroy(control, index));
}

CASE(held_pages)
{
	struct devpub_destroy arg = { 0 };
	int control = control_open();
	int fd, ends[2];
	char *addr = mem_new(4, 3), *data = mem_map(4);
	struct iovec range = { addr, 4 * PAGE };

	arg.index = create(control);
	fd = device_open_nth(arg.index);
	move_to_device(fd, addr, 4);
	CHECK_CALL(pipe(ends));
	CHECK_EQ(vmsplice(ends[1], &range, 1, 0), 4 * PAGE);
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_DESTROY, &arg), EBUSY);
	CHECK_EQ(arg.remaining, 4);

	/* The device works as before. */
	check_on_device(fd, addr, 4);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(read(ends[0], data + i * PAGE, PAGE), PAGE);
	mem_check(data, 4, 3);
	arg.remaining = 0;
	CHECK_CALL(ioctl(control, DEVPUB_IOC_DESTROY, &arg));
	mem_check(addr, 4, 3);
}

static void create_fails(int control, struct devpub_create arg, int expected)
{
	struct devpub_create given = arg;

	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_CREATE, &arg), expected);
	CHECK(!memcmp(&arg, &given, sizeof(arg)));
	CHECK(!is_there(1));
}

CASE(wrong_values)
{
	int control = control_open();
	struct devpub_create arg;

	arg = carve_arg(), arg.flags = 1;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.index = 1;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.size = 0;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.start = 1ULL << 30;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.provider = 0;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.provider = 3;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.node = -2;
	create_fails(control, arg, EINVAL);
	arg = carve_arg(), arg.node = 1 << 20;
	create_fails(control, arg, EINVAL);

	arg = carve_arg(), arg.provider = DEVPUB_PROVIDER_RESERVED, arg.node = 0;
	create_fails(control, arg, EINVAL);
	/* Memory of the kernel. */
	arg.node = -1, arg.start = 16ULL << 20, arg.size = 16ULL << 20;
	create_fails(control, arg, EINVAL);
	arg.start = 1;
	create_fails(control, arg, EINVAL);
}

/* The module must not map such an address. */
CASE(beyond_the_processor)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	int control = control_open(), bits = 0;
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_RESERVED,
		.size = 2ULL << 20,
		.node = -1,
	};
	char line[4096];

	CHECK(file);
	while (!bits && fgets(line, sizeof(line), file))
		sscanf(line, "address sizes : %d bits physical", &bits);
	fclose(file);
	if (!bits)
		SKIP("/proc/cpuinfo has no width of addresses");
	for (; bits < 62; bits++) {
		arg.start = 1ULL << bits;
		create_fails(control, arg, EINVAL);
		arg.start -= arg.size / 2;
		create_fails(control, arg, EINVAL);
	}
}

CASE(too_large)
{
	int control = control_open();
	struct devpub_create arg = carve_arg();

	arg.size = 1ULL << 40;
	CHECK_EQ(ioctl(control, DEVPUB_IOC_CREATE, &arg), -1);
	CHECK(errno == ENOMEM || errno == EBUSY);
	arg.size = ~0ULL;
	CHECK_EQ(ioctl(control, DEVPUB_IOC_CREATE, &arg), -1);
	CHECK(!is_there(1));
}

CASE(no_such_device)
{
	struct devpub_destroy arg = { .flags = 1 };
	int control = control_open();

	CHECK_ERRNO(destroy(control, 1), ENODEV);
	CHECK_ERRNO(destroy(control, 16), ENODEV);
	CHECK_ERRNO(destroy(control, ~0U), ENODEV);
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_DESTROY, &arg), EINVAL);
	arg.flags = 0, arg.remaining = 1;
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_DESTROY, &arg), EINVAL);
	CHECK(is_there(0));
}

CASE(not_privileged)
{
	struct devpub_create arg = carve_arg();
	int control = control_open();

	CHECK_CALL(setgid(NOBODY));
	CHECK_CALL(setuid(NOBODY));
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_CREATE, &arg), EPERM);
	CHECK_ERRNO(destroy(control, 0), EPERM);
	CHECK_ERRNO(open("/dev/devpub-control", O_RDWR), EACCES);
}

CASE(other_commands)
{
	int control = control_open(), fd = device_open();
	struct devpub_create arg = carve_arg();
	struct devpub_info info = { 0 };

	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_INFO, &info), ENOTTY);
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_CREATE, &arg), ENOTTY);
	CHECK_ERRNO(ioctl(control, _IOWR(DEVPUB_IOC_MAGIC, 0x12, arg), &arg),
		    ENOTTY);
	CHECK_ERRNO(ioctl(control, _IOWR(DEVPUB_IOC_MAGIC, 0x10, char[31]), &arg),
		    EINVAL);
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_CREATE, NULL), EFAULT);
}

/* Concurrent requests for the same device fail cleanly, and no memory is lost. */
CASE(crowd)
{
	int control = control_open();
	long long before = test_field("/proc/meminfo", "MemTotal");
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		pids[i] = test_fork();
		if (pids[i])
			continue;
		for (unsigned int n = test_rounds(4); n--; ) {
			struct devpub_create arg = carve_arg();

			if (ioctl(control, DEVPUB_IOC_CREATE, &arg))
				continue;
			if (destroy(control, arg.index))
				CHECK(errno == ENODEV);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		test_wait(pids[i]);
	for (unsigned int i = 1; i < 16; i++)
		CHECK(!is_there(i));
	CHECK_CMP(test_field("/proc/meminfo", "MemTotal"), >=, before);
}
