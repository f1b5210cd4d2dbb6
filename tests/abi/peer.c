// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A helper process for scripts.  It enters a state, prints "ready", and waits for SIGUSR1.  Then
 * it checks its memory, and exits with 0 if the memory is unchanged.
 *
 *	peer hold MIB	has memory on the device, and the device closed
 *	peer open MIB	the same, with the device open
 *	peer pin MIB	the same as hold, with one of the pages in a pipe
 *	peer load MIB	migrates both ways until SIGUSR1 or ENODEV
 *	peer operate MIB	lets the device fill memory until SIGUSR1 or ENODEV
 *
 * The device is /dev/devpub0, or DEVPUB_NODE.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/devpub.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	4096UL

static volatile sig_atomic_t go_on;

static void on_signal(int sig)
{
	(void)sig;
	go_on = 1;
}

static void die(const char *what)
{
	printf("# peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t word(size_t page, uint64_t seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL + seed;
}

static void fill(char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++) {
		uint64_t *data = (uint64_t *)(addr + i * PAGE);

		for (size_t j = 0; j < PAGE / 8; j++)
			data[j] = word(i, seed) ^ j;
	}
}

static void check(const char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++) {
		const uint64_t *data = (const uint64_t *)(addr + i * PAGE);

		for (size_t j = 0; j < PAGE / 8; j++) {
			if (data[j] == (word(i, seed) ^ j))
				continue;
			printf("# peer: page %zu of %zu is corrupt\n", i, pages);
			exit(1);
		}
	}
}

static int migrate(int fd, unsigned long cmd, char *addr, size_t pages,
		   struct devpub_migrate *arg)
{
	*arg = (struct devpub_migrate) {
		.addr = (uintptr_t)addr, .length = pages * PAGE,
	};
	return ioctl(fd, cmd, arg);
}

/* Migrate all pages, with retries while pages are busy. */
static void put(int fd, char *addr, size_t pages)
{
	struct devpub_migrate arg;

	for (int i = 0; i < 100; i++) {
		if (migrate(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, &arg))
			die("migrate");
		if (arg.moved + arg.already == pages)
			return;
		usleep(50000);
	}
	printf("# peer: %llu pages do not move\n",
	       (unsigned long long)arg.refused);
	exit(1);
}

static void load(int fd, char *addr, size_t pages)
{
	unsigned long long moved = 0;
	uint64_t seed = 1;

	while (!go_on) {
		struct devpub_migrate arg;
		int ret = migrate(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, &arg);

		moved += arg.moved;
		check(addr, pages, seed);
		fill(addr, pages, ++seed);
		if (!ret)
			ret = migrate(fd, DEVPUB_IOC_MIGRATE_FROM, addr, pages,
				      &arg);
		check(addr, pages, seed);
		if (!ret || errno == EINTR)
			continue;
		if (errno != ENODEV)
			die("migrate");
		printf("ENODEV\n");
		break;
	}
	check(addr, pages, seed);
	printf("# peer: %llu pages moved to the device\n", moved);
	if (!moved)
		exit(1);
}

/* Let the device fill the memory, until it has gone. */
static void operate(int fd, char *addr, size_t pages)
{
	const struct devpub_bind bind = { .flags = 0 };
	unsigned long long done = 0;

	if (ioctl(fd, DEVPUB_IOC_BIND, &bind))
		die("bind");
	while (!go_on) {
		struct devpub_access arg = {
			.op = DEVPUB_OP_FILL, .addr = (uintptr_t)addr, .length = pages * PAGE,
			.operand = done,
		};
		int ret = ioctl(fd, DEVPUB_IOC_ACCESS, &arg);

		done += arg.done;
		if (!ret || errno == EINTR)
			continue;
		if (errno != ENODEV)
			die("access");
		printf("ENODEV\n");
		break;
	}
	printf("# peer: %llu bytes filled\n", done);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t usr1, none;
	int ends[2] = { -1, -1 };
	struct iovec first;
	const char *mode, *node;
	size_t pages;
	char *addr;
	int fd;

	if (argc != 3 || atoi(argv[2]) <= 0) {
		fprintf(stderr, "usage: peer hold|open|pin|load|operate MIB\n");
		return 2;
	}
	mode = argv[1];
	pages = atoi(argv[2]) * 256UL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	sigaction(SIGUSR1, &action, NULL);

	node = getenv("DEVPUB_NODE");
	if (!node)
		node = "/dev/devpub0";
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(node);
	addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (addr == MAP_FAILED)
		die("mmap");
	madvise(addr, pages * PAGE, MADV_NOHUGEPAGE);
	fill(addr, pages, 1);

	if (!strcmp(mode, "load") || !strcmp(mode, "operate")) {
		printf("ready\n");
		sigprocmask(SIG_SETMASK, &none, NULL);
		(*mode == 'l' ? load : operate)(fd, addr, pages);
		return 0;
	}

	put(fd, addr, pages);
	if (!strcmp(mode, "pin")) {
		first = (struct iovec) { addr, PAGE };
		if (pipe(ends) || vmsplice(ends[1], &first, 1, 0) != PAGE)
			die("vmsplice");
	}
	if (strcmp(mode, "open"))
		close(fd);
	printf("ready\n");
	while (!go_on)
		sigsuspend(&none);
	close(ends[0]);
	close(ends[1]);
	check(addr, pages, 1);
	/* Check that the memory is writable. */
	fill(addr, pages, 2);
	check(addr, pages, 2);
	return 0;
}
