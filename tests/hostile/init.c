// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A failed module init frees the module even if processes have files of it open.  So no file may
 * be visible before init can't fail any more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"

#define DRIVER	"/sys/bus/platform/drivers/devpub/"
#define DEVICES	"/sys/bus/platform/devices/"
#define NODES	4

/* The first devices are made and mapped before the last one is refused. */
#define TOO_MUCH	"size=128M,128M,1024T"

static int load(const char *parameters)
{
	const char *file = getenv("DEVPUB_KO");
	int fd, ret;

	if (!file || !*file)
		SKIP("loads the module: set DEVPUB_KO to its file");
	fd = open(file, O_RDONLY | O_CLOEXEC);
	CHECK_CALL(fd);
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret;
}

static void unload(void)
{
	CHECK_CALL(syscall(SYS_delete_module, "devpub", O_NONBLOCK));
}

static bool is_loaded(void)
{
	return !access("/sys/module/devpub/initstate", F_OK);
}

static unsigned int offline_blocks(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/sys/devices/system/memory");
	unsigned int n = 0;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		char path[512], state[16];

		if (strncmp(entry->d_name, "memory", 6))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/memory/%s/state",
			 entry->d_name);
		test_read_text(path, state, sizeof(state));
		n += strncmp(state, "online", 6) != 0;
	}
	closedir(dir);
	return n;
}

/* Results of the processes that open files all the time; shared memory. */
struct seen {
	unsigned long tries;
	unsigned long opened;
};

static struct seen *seen_new(void)
{
	struct seen *seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(seen != MAP_FAILED);
	return seen;
}

/* Open each existing file, use it, and keep it open for a moment. */
static void open_all_the_time(struct seen *seen)
{
	struct devpub_info info = { 0 };
	char path[64];

	for (;;) {
		for (int i = 0; i <= NODES; i++) {
			int fd;

			if (i < NODES)
				snprintf(path, sizeof(path), "/dev/devpub%d", i);
			else
				snprintf(path, sizeof(path), "/dev/devpub-control");
			seen->tries++;
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd < 0)
				continue;
			seen->opened++;
			ioctl(fd, DEVPUB_IOC_INFO, &info);
			test_sleep(20);
			ioctl(fd, DEVPUB_IOC_INFO, &info);
			close(fd);
		}
	}
}

static pid_t opener(struct seen *seen)
{
	pid_t pid = test_fork();

	if (!pid)
		open_all_the_time(seen);
	return pid;
}

static void expect_nothing(const struct seen *seen)
{
	CHECK_EQ(seen->opened, 0);
	CHECK(!is_loaded());
	CHECK(access("/sys/class/devpub", F_OK));
	CHECK_EQ(offline_blocks(), 0);
}

CASE(failed_init)
{
	struct seen *seen = seen_new();
	pid_t pid = opener(seen);

	for (unsigned int i = test_rounds(4); i--; ) {
		CHECK_ERRNO(load(TOO_MUCH), ENOMEM);
		expect_nothing(seen);
	}
	test_kill(pid);
	CHECK_CMP(seen->tries, >, 0);
}

/* Root unbinds and binds during init. */
static pid_t binder(void)
{
	pid_t pid = test_fork();

	if (pid)
		return pid;
	for (;;) {
		test_write_text(DRIVER "unbind", "devpub.0");
		test_write_text(DRIVER "bind", "devpub.0");
	}
}

CASE(failed_init_beside_binding)
{
	struct seen *seen = seen_new();
	pid_t pids[] = { opener(seen), binder() };

	for (unsigned int i = test_rounds(2); i--; ) {
		CHECK_ERRNO(load(TOO_MUCH), ENOMEM);
		expect_nothing(seen);
	}
	test_kill(pids[0]);
	test_kill(pids[1]);
}

/* insmod is killed at any time: the module is loaded completely or not at all. */
CASE(killed_init)
{
	unsigned int loads = 0, rounds = test_rounds(6);

	for (unsigned int i = 0; i < rounds; i++) {
		struct seen *seen = seen_new();
		pid_t pid, open_pid = opener(seen);
		int status;

		pid = test_fork();
		if (!pid)
			_exit(load("size=128M,128M,128M") ? 1 : 0);
		test_sleep(100 + i * 700);
		kill(pid, SIGKILL);
		CHECK_CALL(waitpid(pid, &status, 0));
		/* Stop the processes that have it open. */
		test_kill(open_pid);
		if (is_loaded()) {
			for (int j = 0; j < 3; j++)
				close(device_open_nth(j));
			unload();
			loads++;
			CHECK_EQ(offline_blocks(), 0);
		} else {
			expect_nothing(seen);
		}
		munmap(seen, PAGE);
	}
	test_note("%u of %u were loaded", loads, rounds);
}

/* A device that is created later is not visible before it is complete. */
CASE(succeeds_beside_binding)
{
	struct seen *seen = seen_new();
	pid_t pid, bind_pid = binder();

	for (unsigned int i = test_rounds(2); i--; ) {
		pid = opener(seen);
		CHECK_CALL(load("size=128M,128M"));
		CHECK(!access("/dev/devpub1", F_OK));
		test_sleep(500);
		/* Stop the processes that have it open. */
		test_kill(pid);
		unload();
		CHECK_EQ(offline_blocks(), 0);
	}
	test_kill(bind_pid);
}

/* Return 0 if this process has not bound the device. */
static int bind_foreign(const char *name)
{
	char path[600];
	int ret;

	snprintf(path, sizeof(path), DEVICES "%s/driver", name);
	if (!access(path, F_OK))
		return 0;
	snprintf(path, sizeof(path), DEVICES "%s/driver_override", name);
	if (test_write_text(path, "devpub"))
		return 0;
	ret = test_write_text(DRIVER "bind", name);
	CHECK(ret);
	CHECK_EQ(errno, ENODEV);
	CHECK_CALL(test_write_text(path, "\n"));
	return 1;
}

CASE(foreign_devices)
{
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	CHECK_CALL(load("size=none"));
	dir = opendir(DEVICES);
	CHECK(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			n += bind_foreign(entry->d_name);
	closedir(dir);
	unload();
	test_note("%u devices were refused", n);
	CHECK_CMP(n, >, 0);
}
