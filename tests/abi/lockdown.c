// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Locks the kernel down.  Then root must not get access to arbitrary physical memory.  The
 * kernel stays locked down until the reboot and loads no unsigned module, so this test must be
 * the last one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define SECURITY	"/sys/kernel/security"
#define SIZE		(128ULL << 20)
#define PAGES		64UL
#define LOG_READ_ALL	3
#define LOG_SIZE	10

static int control_open(void)
{
	int fd = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);

	CHECK_CALL(fd);
	return fd;
}

static void destroy(int control, unsigned int index)
{
	struct devpub_destroy arg = { .index = index };

	CHECK_CALL(ioctl(control, DEVPUB_IOC_DESTROY, &arg));
}

/* Find memory that memmap=SIZE$START reserves. */
static struct devpub_create reserved_arg(void)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_RESERVED,
		.size = SIZE,
		.node = -1,
	};
	FILE *file = fopen("/proc/cmdline", "r");
	char line[4096], *word;

	CHECK(file && fgets(line, sizeof(line), file));
	fclose(file);
	word = strstr(line, "memmap=256M$");
	if (!word)
		SKIP("no memory is kept aside: boot with memmap=256M$0x60000000");
	arg.start = strtoull(word + strlen("memmap=256M$"), NULL, 0);
	return arg;
}

static void lock_down(void)
{
	int fd;

	CHECK(!mount("securityfs", SECURITY, "securityfs", 0, NULL) ||
	      errno == EBUSY || errno == ENODEV || errno == ENOENT);
	fd = open(SECURITY "/lockdown", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		SKIP("this kernel can't be locked down");
	/* EPERM: the command line has locked the kernel down already. */
	if (write(fd, "integrity", 9) != 9)
		CHECK_EQ(errno, EPERM);
	close(fd);
}

static bool log_has(const char *text)
{
	int size = klogctl(LOG_SIZE, NULL, 0);
	char *log = calloc(1, size + 1);
	bool has;

	CHECK(log);
	CHECK_CALL(klogctl(LOG_READ_ALL, log, size));
	has = strstr(log, text);
	free(log);
	return has;
}

CASE(reserved)
{
	struct devpub_create arg = reserved_arg(), given;
	int control = control_open();

	/* Check that the range is accepted before the lockdown.  A kernel that is locked down
	 * from the start does not allow this check.
	 */
	if (ioctl(control, DEVPUB_IOC_CREATE, &arg) == -1)
		CHECK_EQ(errno, EPERM);
	else
		destroy(control, arg.index);

	lock_down();
	arg = reserved_arg();
	given = arg;
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_CREATE, &arg), EPERM);
	CHECK(!memcmp(&arg, &given, sizeof(arg)));
	CHECK(log_has("the kernel is locked down, and root may not choose"));
	CHECK(access("/dev/devpub0", F_OK));

	/* A range that no table names is refused as well. */
	arg.start = 0x8000000000 - SIZE;
	CHECK_ERRNO(ioctl(control, DEVPUB_IOC_CREATE, &arg), EPERM);
}

/* carve provides only free memory of the kernel, and stays allowed. */
CASE(carved)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = SIZE,
		.node = -1,
	};
	int control = control_open(), fd;
	char *addr = mem_new(PAGES, 1);

	lock_down();
	CHECK_CALL(ioctl(control, DEVPUB_IOC_CREATE, &arg));
	fd = device_open_nth(arg.index);
	move_to_device(fd, addr, PAGES);
	move_to_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	close(fd);
	destroy(control, arg.index);
}
