// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Demonstrates memory of a program on the device: reads a file, moves its content to
 * /dev/devpub0, uses it there, and moves it back.
 *
 *	demo [FILE]		move there and back
 *	demo --stay FILE	move there, wait for SIGUSR1, and check it again
 *
 * Prints each step.  On any error, it exits with a message and status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/devpub.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pagemap.h"
#include "sha256.h"

#define PAGE		4096UL
#define MIB		(1024.0 * 1024)
#define BUSY_TRIES	50

static const char device[] = "/dev/devpub0";

static struct devpub_info info;
static int fd;

static struct {
	unsigned char *addr;
	size_t size;
	size_t pages;
} data;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "demo: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

__attribute__((format(printf, 2, 3)))
static void say(const char *what, const char *fmt, ...)
{
	va_list args;

	printf("%-13s", what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void open_device(void)
{
	static const char * const provider[] = {
		[DEVPUB_PROVIDER_CARVE] = "carved out of the running system",
		[DEVPUB_PROVIDER_RESERVED] = "reserved at boot",
	};

	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s%s", device, strerror(errno), errno == ENOENT ?
		    "; load the module first: sudo insmod devpub.ko" :
		    "; run as root");
	if (ioctl(fd, DEVPUB_IOC_INFO, &info))
		die("%s: %s", device, strerror(errno));
	if (!info.phys_start)
		die("the kernel shows page frame numbers to root only; run as root");
	say("device", "%s: %.0f MiB at %#llx-%#llx, %s", device,
	    info.capacity / MIB, (unsigned long long)info.phys_start,
	    (unsigned long long)(info.phys_start + info.capacity - 1),
	    info.provider <= DEVPUB_PROVIDER_RESERVED ?
	    provider[info.provider] : "from elsewhere");
}

/* A large file that every machine has. */
static const char *default_file(void)
{
	static const char * const names[] = { "initrd.img", "vmlinuz" };
	static char path[128];
	struct utsname system;

	uname(&system);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "/boot/%s-%s", names[i],
			 system.release);
		if (!access(path, R_OK))
			return path;
	}
	die("no kernel in /boot to take for data; name a file");
}

static void read_data(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;

	if (file < 0 || fstat(file, &st))
		die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size)
		die("%s: name a file with something in it", path);
	data.size = st.st_size;
	if (data.size > info.free)
		data.size = info.free;
	if (!data.size)
		die("%s is full", device);
	data.pages = (data.size + PAGE - 1) / PAGE;
	data.addr = aligned_alloc(PAGE, data.pages * PAGE);
	if (!data.addr)
		die("no memory for %zu bytes", data.size);
	while (done < data.size) {
		ssize_t ret = read(file, data.addr + done, data.size - done);

		if (ret <= 0)
			die("%s: %s", path, ret ? strerror(errno) : "it got shorter");
		done += ret;
	}
	close(file);
	say("data", "%s: %.1f MiB, %zu pages of this program's heap", path,
	    data.size / MIB, data.pages);
	if (data.size < (size_t)st.st_size)
		say("", "(that is its beginning: all of its %.1f MiB do not fit on the device)",
		    st.st_size / MIB);
}

/* Return the number of pages whose frame is in the device's range. */
static size_t frames_on_device(void)
{
	uint64_t first = info.phys_start / PAGE;
	uint64_t end = first + info.capacity / PAGE;
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t count = 0;

	for (size_t i = 0; i < data.pages; i++) {
		uint64_t entry;

		if (pread(file, &entry, sizeof(entry),
			  ((uintptr_t)data.addr / PAGE + i) * sizeof(entry)) !=
		    sizeof(entry))
			die("/proc/self/pagemap: %s", strerror(errno));
		if (!(entry & PAGEMAP_PRESENT))
			die("page %zu is in no memory at all", i);
		entry &= PAGEMAP_PFN;
		count += entry >= first && entry < end;
	}
	close(file);
	return count;
}

static void expect_frames(size_t expected)
{
	size_t count = frames_on_device();

	say("", "%zu of %zu page frames lie in the device's range, says pagemap",
	    count, data.pages);
	if (count != expected)
		die("it should have been %zu", expected);
}

/* Compute the digest, and compare it with the expected one, if any. */
static struct sha256 hash(const struct sha256 *expected)
{
	struct sha256 digest = sha256(data.addr, data.size);

	if (expected && strcmp(digest.hex, expected->hex))
		die("the data is corrupt: sha256 %s instead of %s", digest.hex,
		    expected->hex);
	say("", "sha256 %s%s", digest.hex, expected ? ", as before" : "");
	return digest;
}

/* Retry, because pages are held for a moment only. */
static void migrate(unsigned long cmd)
{
	struct devpub_migrate arg;
	struct timespec begin, end;
	uint64_t moved = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < BUSY_TRIES && moved < data.pages; i++) {
		arg = (struct devpub_migrate) {
			.addr = (uintptr_t)data.addr,
			.length = data.pages * PAGE,
		};
		if (ioctl(fd, cmd, &arg))
			die("migration: %s", strerror(errno));
		moved += arg.moved;
		if (moved < data.pages)
			usleep(20000);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	say(cmd == DEVPUB_IOC_MIGRATE_TO ? "to device" : "back",
	    "%llu of %zu pages moved, %.1f MiB, in %.1f ms",
	    (unsigned long long)moved, data.pages, moved * PAGE / MIB,
	    (end.tv_sec - begin.tv_sec) * 1e3 +
	    (end.tv_nsec - begin.tv_nsec) / 1e6);
	if (moved != data.pages)
		die("%llu pages were refused",
		    (unsigned long long)arg.refused);
}

static void invert(void)
{
	for (size_t i = 0; i < data.size; i++)
		data.addr[i] ^= 0xff;
}

static void forked_child(const struct sha256 *expected)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		say("child", "forked, shares the pages on the device");
		expect_frames(data.pages);
		hash(expected);
		invert();
		say("", "wrote to all of them and has copies of its own now");
		expect_frames(0);
		exit(0);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		die("the child failed");
	say("parent", "still has what it had");
	expect_frames(data.pages);
	hash(expected);
}

static volatile sig_atomic_t woken;

static void on_signal(int sig)
{
	(void)sig;
	woken = 1;
}

/* The data must not change, whatever happens to the device. */
static void stay(const struct sha256 *before)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGUSR1, on_signal);
	close(fd);
	say("staying", "process %d closes the device and leaves its data there",
	    getpid());
	while (!woken)
		sigsuspend(&old);
	say("woken", "process %d looks at its data again", getpid());
	hash(before);
	expect_frames(0);
}

int main(int argc, char **argv)
{
	bool staying = argc > 1 && !strcmp(argv[1], "--stay");
	struct sha256 original, inverted;

	if (argc > 2 + staying || (argc > 1 && !staying && argv[1][0] == '-')) {
		fprintf(stderr, "usage: demo [--stay] [FILE]\n");
		return 2;
	}
	open_device();
	read_data(argc > 1 + staying ? argv[1 + staying] : default_file());
	say("in RAM", "where a program's memory is");
	expect_frames(0);
	original = hash(NULL);

	migrate(DEVPUB_IOC_MIGRATE_TO);
	expect_frames(data.pages);
	hash(&original);
	if (staying) {
		stay(&original);
		return 0;
	}

	invert();
	say("write", "every byte inverted, in place");
	expect_frames(data.pages);
	inverted = hash(NULL);
	if (!strcmp(inverted.hex, original.hex))
		die("the data did not change");
	forked_child(&inverted);

	migrate(DEVPUB_IOC_MIGRATE_FROM);
	expect_frames(0);
	hash(&inverted);
	invert();
	say("write", "every byte inverted again: what the file holds");
	hash(&original);
	return 0;
}
