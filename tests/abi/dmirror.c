// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * /dev/hmm_dmirror2 and 3, which the module offers with hmm_dmirror=Y.  What they do when all
 * is well is what the kernel's hmm-tests look at (make check ONLY=hmm); these are the limits.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define PAGES	64UL

struct command {
	uint64_t addr;
	uint64_t buffer;
	uint64_t npages;
	uint64_t cpages;
	uint64_t faults;
};

#define COMMAND(nr)	_IOWR('H', nr, struct command)
#define READ		COMMAND(0)
#define WRITE		COMMAND(1)
#define TO_DEVICE	COMMAND(2)
#define TO_SYSTEM	COMMAND(3)
#define SNAPSHOT	COMMAND(4)
#define EXCLUSIVE	COMMAND(5)
#define CHECK_EXCLUSIVE	COMMAND(6)
#define RELEASE		COMMAND(7)
#define FLAGS		COMMAND(8)

static char buffer[PAGES * PAGE];

static int open_node(void)
{
	int fd = open("/dev/hmm_dmirror2", O_RDWR);

	if (fd < 0)
		SKIP("/dev/hmm_dmirror2: %s: load the module with hmm_dmirror=Y", strerror(errno));
	return fd;
}

static int command(int fd, unsigned long cmd, const void *addr, unsigned long npages,
		   struct command *result)
{
	struct command arg = {
		.addr = address(addr), .buffer = address(buffer), .npages = npages,
	};
	int ret = ioctl(fd, cmd, &arg);

	if (result)
		*result = arg;
	return ret;
}

CASE(only_root)
{
	struct stat status;

	close(open_node());
	CHECK_CALL(stat("/dev/hmm_dmirror2", &status));
	CHECK_EQ(status.st_mode & 07777, 0600);
	CHECK_EQ(status.st_uid, 0);
	CHECK_CALL(stat("/dev/hmm_dmirror3", &status));
	CHECK_EQ(status.st_mode & 07777, 0600);
	CHECK_EQ(access("/dev/hmm_dmirror0", F_OK), -1);
}

CASE(arguments)
{
	char *addr = mem_new(PAGES, 1);
	int fd = open_node();

	for (unsigned int nr = 0; nr < 8; nr++) {
		CHECK_ERRNO(command(fd, COMMAND(nr), addr + 8, 1, NULL), EINVAL);
		CHECK_ERRNO(command(fd, COMMAND(nr), addr, 0, NULL), EINVAL);
		CHECK_ERRNO(command(fd, COMMAND(nr), addr, ULONG_MAX, NULL), EINVAL);
		CHECK_ERRNO(command(fd, COMMAND(nr), addr, ULONG_MAX / PAGE, NULL), EOVERFLOW);
		CHECK_ERRNO(command(fd, COMMAND(nr), addr, 1UL << 48, NULL), EFAULT);
		CHECK_ERRNO(ioctl(fd, COMMAND(nr), NULL), EFAULT);
	}
	CHECK_CALL(command(fd, FLAGS, NULL, 1, NULL));
	CHECK_CALL(command(fd, FLAGS, NULL, 0, NULL));
	CHECK_ERRNO(command(fd, FLAGS, NULL, 2, NULL), EINVAL);
	CHECK_ERRNO(command(fd, COMMAND(10), addr, 1, NULL), ENOTTY);
	CHECK_ERRNO(command(fd, _IOWR('H', 0, char[48]), addr, 1, NULL), ENOTTY);
	CHECK_ERRNO(command(fd, _IOWR('D', 0, struct command), addr, 1, NULL), ENOTTY);
	mem_check(addr, PAGES, 1);
}

/* The file shows the memory of who opened it, to nobody else. */
CASE(other_process)
{
	char *addr = mem_new(PAGES, 1);
	int fd = open_node();
	pid_t pid;

	CHECK_CALL(command(fd, READ, addr, PAGES, NULL));
	pid = test_fork();
	if (!pid) {
		for (unsigned int nr = 0; nr < 10; nr++)
			CHECK_ERRNO(command(fd, COMMAND(nr), addr, 1, NULL), EPERM);
		exit(0);
	}
	test_wait(pid);
}

CASE(read_only)
{
	char *addr = mem_new(PAGES, 1);
	struct command result;
	int fd = open_node();

	CHECK_CALL(mprotect(addr + PAGES / 2 * PAGE, PAGES / 2 * PAGE, PROT_READ));
	memset(buffer, 77, sizeof(buffer));
	CHECK_ERRNO(command(fd, WRITE, addr + PAGES / 2 * PAGE, 1, NULL), EPERM);
	mem_check(addr, PAGES, 1);
	CHECK_CALL(command(fd, READ, addr, PAGES, &result));
	CHECK_EQ(result.cpages, PAGES);
	CHECK_EQ(result.faults, 1);
	CHECK_EQ(memcmp(buffer, addr, sizeof(buffer)), 0);

	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_NONE));
	CHECK_ERRNO(command(fd, READ, addr, PAGES, NULL), EFAULT);
	CHECK_ERRNO(command(fd, WRITE, addr, PAGES, NULL), EFAULT);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	CHECK_ERRNO(command(fd, READ, addr, PAGES, NULL), EFAULT);
	CHECK_ERRNO(command(fd, TO_DEVICE, addr, PAGES, NULL), EINVAL);
	CHECK_ERRNO(command(fd, TO_SYSTEM, addr, PAGES, NULL), EINVAL);
}

/* Where the kernel can't write the results, no memory is lost. */
CASE(buffer_unmapped)
{
	char *addr = mem_new(PAGES, 1), *gone = mem_map(PAGES);
	struct command arg = {
		.addr = address(addr), .buffer = address(gone), .npages = PAGES,
	};
	int fd = open_node();

	CHECK_CALL(munmap(gone, PAGES * PAGE));
	CHECK_ERRNO(ioctl(fd, READ, &arg), EFAULT);
	CHECK_ERRNO(ioctl(fd, WRITE, &arg), EFAULT);
	CHECK_ERRNO(ioctl(fd, SNAPSHOT, &arg), EFAULT);
	mem_check(addr, PAGES, 1);
}

CASE(both_ways)
{
	char *addr = mem_new(PAGES, 1);
	struct command result;
	int fd = open_node(), device = device_open();

	CHECK_CALL(command(fd, TO_DEVICE, addr, PAGES, &result));
	CHECK_EQ(result.cpages, PAGES);
	CHECK_EQ(memcmp(buffer, addr, sizeof(buffer)), 0);
	check_on_device(device, addr, PAGES);

	/* The device writes to its own memory. */
	for (unsigned int i = 0; i < sizeof(buffer); i++)
		buffer[i] = i % 251;
	CHECK_CALL(command(fd, WRITE, addr, PAGES, &result));
	check_on_device(device, addr, PAGES);
	CHECK_EQ(memcmp(buffer, addr, sizeof(buffer)), 0);

	CHECK_CALL(command(fd, TO_SYSTEM, addr, PAGES, &result));
	CHECK_EQ(result.cpages, PAGES);
	check_in_system(device, addr, PAGES);
	CHECK_EQ(memcmp(buffer, addr, sizeof(buffer)), 0);
}

/* It is what EVICT does, which is root's. */
CASE(release)
{
	char *addr = mem_new(PAGES, 1);
	int fd = open_node(), device = device_open();

	move_to_device(device, addr, PAGES);
	CHECK_CALL(command(fd, RELEASE, addr, PAGES, NULL));
	check_in_system(device, addr, PAGES);
	move_to_device(device, addr, PAGES);
	CHECK_CALL(setresuid(-1, 1000, -1));
	CHECK_ERRNO(command(fd, RELEASE, addr, PAGES, NULL), EPERM);
	CHECK_CALL(setresuid(-1, 0, -1));
	check_on_device(device, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

CASE(map)
{
	int fd = open_node();
	char *addr;

	CHECK_CMP((uintptr_t)mmap(NULL, (1UL << 20) + PAGE, PROT_READ, MAP_SHARED, fd, 0), ==,
		  (uintptr_t)MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	addr = mmap(NULL, 1UL << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(addr != MAP_FAILED);
	mem_check_zero(addr, 256);
	mem_fill(addr, 256, 1);
	CHECK_CALL(close(fd));
	mem_check(addr, 256, 1);
	CHECK_CALL(munmap(addr, 1UL << 20));
}

/*
 * Eviction does not find pages that have no mapping, so a device's page must not be taken away
 * from the CPUs; nor do those of system memory stay away when the file is gone.
 */
CASE(exclusive)
{
	char *addr = mem_new(PAGES, 1);
	struct command result;
	int fd = open_node(), device = device_open();

	if (command(fd, EXCLUSIVE, addr, PAGES, &result)) {
		CHECK_EQ(errno, EOPNOTSUPP);
		SKIP("the kernel has no make_device_exclusive()");
	}
	CHECK_EQ(result.cpages, PAGES);
	CHECK_ERRNO(command(fd, CHECK_EXCLUSIVE, addr, PAGES, NULL), EPERM);
	/* Once more: nothing waits for itself. */
	CHECK_CALL(command(fd, EXCLUSIVE, addr, PAGES, &result));
	mem_check(addr, PAGES, 1);
	CHECK_CALL(command(fd, CHECK_EXCLUSIVE, addr, PAGES, NULL));

	CHECK_CALL(command(fd, EXCLUSIVE, addr, PAGES, NULL));
	CHECK_CALL(close(fd));
	mem_check(addr, PAGES, 1);

	fd = open_node();
	move_to_device(device, addr, PAGES);
	CHECK_ERRNO(command(fd, EXCLUSIVE, addr, PAGES, NULL), EBUSY);
	CHECK_CALL(command(fd, CHECK_EXCLUSIVE, addr, PAGES, NULL));
	check_on_device(device, addr, PAGES);
	mem_check(addr, PAGES, 1);
	CHECK_CALL(command(fd, RELEASE, addr, PAGES, NULL));
	check_in_system(device, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

/* Return any address, or one in the memory, with or without an offset in its page. */
static uint64_t random_address(const char *addr)
{
	switch (random() % 4) {
	case 0:
		return (uint64_t)random() << 32 ^ (uint64_t)random() << 1 ^ random();
	case 1:
		return address(addr) + random() % (2 * PAGES * PAGE);
	default:
		return address(addr) + random() % (2 * PAGES) * PAGE;
	}
}

/* Memory that a command with too many pages does not leave. */
static char *guarded(size_t pages)
{
	char *mem = mmap(NULL, 2 * pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(mem != MAP_FAILED);
	CHECK_CALL(mprotect(mem, pages * PAGE, PROT_READ | PROT_WRITE));
	return mem;
}

/* Commands with random arguments, by root: the kernel and other memory stay whole. */
CASE(random_commands)
{
	const unsigned int rounds = test_rounds(2000);
	char *addr = guarded(3 * PAGES), *to = guarded(3 * PAGES), *other = mem_new(PAGES, 2);
	int fds[2] = { open_node(), open("/dev/hmm_dmirror3", O_RDWR) };
	unsigned int done = 0;

	srandom(1);
	CHECK_CMP(fds[1], >=, 0);
	for (unsigned int i = 0; i < rounds; i++) {
		struct command arg = {
			.addr = random_address(addr), .buffer = random_address(to),
			.npages = random() % 8 ? random() % (PAGES + 1) : (uint64_t)random(),
			.cpages = random(), .faults = random(),
		};
		unsigned int nr = random() % 10;

		/* What is written to is not the rest of this program. */
		if (arg.addr - address(addr) >= 2 * PAGES * PAGE && COMMAND(nr) == WRITE)
			arg.addr = address(addr);
		if (arg.buffer - address(to) >= 2 * PAGES * PAGE)
			arg.buffer = address(to);
		done += !ioctl(fds[random() % 2], COMMAND(nr), &arg);
		if (!(random() % 64))
			CHECK_CALL(mprotect(addr, PAGES * PAGE, random() % 2 ? PROT_READ :
					    PROT_READ | PROT_WRITE));
	}
	test_note("%u of %u commands succeeded", done, rounds);
	CHECK_CMP(done, >, rounds / 20);
	mem_check(other, PAGES, 2);
}

/* The device goes while its files are open. */
CASE(unbound)
{
	static const char driver[] = "/sys/bus/platform/drivers/devpub";
	char *addr = mem_new(PAGES, 1), path[sizeof(driver) + 8];
	int fd = open_node();

	if (!getenv("DEVPUB_KO") || !*getenv("DEVPUB_KO"))
		SKIP("takes the device away: set DEVPUB_KO to the module's file");
	CHECK_CALL(command(fd, TO_DEVICE, addr, PAGES, NULL));
	snprintf(path, sizeof(path), "%s/unbind", driver);
	CHECK_CALL(test_write_text(path, "devpub.0"));
	for (unsigned int nr = 0; nr < 10; nr++)
		CHECK_ERRNO(command(fd, COMMAND(nr), addr, 1, NULL), ENODEV);
	CHECK_ERRNO(open("/dev/hmm_dmirror2", O_RDWR), ENXIO);
	mem_check(addr, PAGES, 1);
	CHECK_CALL(close(fd));

	snprintf(path, sizeof(path), "%s/bind", driver);
	for (unsigned int tries = 0; test_write_text(path, "devpub.0"); tries++) {
		CHECK_CMP(tries, <, 100);
		test_sleep(100);
	}
	fd = open_node();
	CHECK_CALL(command(fd, TO_DEVICE, addr, PAGES, NULL));
	mem_check(addr, PAGES, 1);
}
