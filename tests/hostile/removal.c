// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Devices are removed while users try to keep them. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "stuck.h"
#include "user.h"

#define DRIVER	"/sys/bus/platform/drivers/devpub/"
#define SIZE	(128ULL << 20)
#define ATTACKERS	4

/* A killed process should end within a second; the bound allows for slow emulated machines. */
#define GONE_MS		4000U
/* A refusal may take some time, but not forever. */
#define LIMIT_MS	60000U

static int control_open(void)
{
	int fd = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);

	CHECK_CALL(fd);
	return fd;
}

static unsigned int create(int control)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = SIZE,
		.node = -1,
	};

	CHECK_CALL(ioctl(control, DEVPUB_IOC_CREATE, &arg));
	user_admit();
	return arg.index;
}

/* Return the milliseconds until a child has ended; the case fails if it does not end. */
static unsigned int time_to_end(pid_t pid, int *status)
{
	unsigned long long begin = test_milliseconds();

	for (;;) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		CHECK_CALL(ended);
		if (ended)
			return test_milliseconds() - begin;
		if (test_milliseconds() - begin > LIMIT_MS)
			FAIL("no end after %u ms", LIMIT_MS);
		test_sleep(5);
	}
}

static int destroy_status(int control, unsigned int index)
{
	struct devpub_destroy arg = { .index = index };

	return ioctl(control, DEVPUB_IOC_DESTROY, &arg) ? errno : 0;
}

/* Run in a separate process, so that the case does not hang.  Return an errno or 0. */
static int destroy(int control, unsigned int index)
{
	pid_t pid = test_fork();
	int status;

	if (!pid)
		_exit(destroy_status(control, index));
	time_to_end(pid, &status);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void pipe_pages(int *ends, void *addr, size_t pages)
{
	struct iovec range = { addr, pages * PAGE };

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	CHECK_EQ(vmsplice(ends[1], &range, 1, 0), pages * PAGE);
}

static void close_pipe(const int *ends)
{
	close(ends[0]);
	close(ends[1]);
}

/*
 * Repeatedly move a page to the device and hold it in a pipe for this time, with each device that
 * has this number.
 */
static void hold_again_and_again(unsigned int index, unsigned int milliseconds)
{
	char *addr = mem_new(1, 1), path[32];

	snprintf(path, sizeof(path), "/dev/devpub%u", index);
	for (;;) {
		struct devpub_migrate arg = { .addr = (uintptr_t)addr, .length = PAGE };
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			continue;
		while (!ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg)) {
			int ends[2];

			pipe_pages(ends, addr, 1);
			if (milliseconds)
				test_sleep(milliseconds);
			close_pipe(ends);
		}
		close(fd);
	}
}

static void destroy_against_holders(unsigned int milliseconds)
{
	int control = control_open();

	for (unsigned int round = test_rounds(4); round--; ) {
		unsigned long long begin = test_milliseconds();
		unsigned int index = create(control), busy = 0;
		pid_t pids[ATTACKERS];
		int ret;

		for (int i = 0; i < ATTACKERS; i++) {
			pids[i] = user_fork(ATTACKER);
			if (!pids[i])
				hold_again_and_again(index, milliseconds);
		}
		test_sleep(200);
		while ((ret = destroy(control, index)) &&
		       test_milliseconds() - begin < LIMIT_MS / 4) {
			CHECK_EQ(ret, EBUSY);
			busy++;
		}
		for (int i = 0; i < ATTACKERS; i++)
			test_kill(pids[i]);
		test_note("busy %u times, then %s", busy, ret ? "still there" : "gone");
		if (ret)
			CHECK_EQ(destroy(control, index), 0);
	}
}

CASE(destroy_against_short_holders)
{
	destroy_against_holders(0);
}

/* If a page is held longer than a drain retries, the device stays unchanged. */
CASE(destroy_against_long_holders)
{
	destroy_against_holders(1500);
}

static void works(int fd, char *addr)
{
	move_to_device(fd, addr, 16);
	mem_check(addr, 16, 5);
	move_to_system(fd, addr, 16);
	mem_check(addr, 16, 5);
}

/* DESTROY ends when it is killed, and the device is unchanged. */
CASE(destroy_killed)
{
	int control = control_open(), ends[2], fd, status;
	char *held = mem_new(1, 3), *addr = mem_new(16, 5);
	unsigned int index = create(control), longest = 0;

	fd = device_open_nth(index);
	move_to_device(fd, held, 1);
	pipe_pages(ends, held, 1);
	for (unsigned int i = 0; i < test_rounds(8); i++) {
		unsigned int took;
		pid_t pid = test_fork();

		if (!pid)
			_exit(destroy_status(control, index));
		test_sleep(i * 30);
		kill(pid, SIGKILL);
		took = time_to_end(pid, &status);
		longest = took > longest ? took : longest;
		works(fd, addr);
	}
	test_note("at most %u ms", longest);
	CHECK_CMP(longest, <=, GONE_MS);
	close_pipe(ends);
	mem_check(held, 1, 3);
	CHECK_EQ(destroy(control, index), 0);
}

/* Unbinding does not wait, and a concurrent DESTROY detects that the device is gone. */
CASE(unbound_while_destroyed)
{
	int control = control_open(), ends[2], fd, status;
	unsigned int index = create(control);
	char *held = mem_new(1, 3), name[32];
	pid_t pids[2];

	snprintf(name, sizeof(name), "devpub.%u", index);
	fd = device_open_nth(index);
	move_to_device(fd, held, 1);
	pipe_pages(ends, held, 1);

	pids[0] = test_fork();
	if (!pids[0]) {
		for (int i = 0; i < 10; i++)
			CHECK_EQ(destroy_status(control, index), EBUSY);
		_exit(0);
	}
	test_sleep(300);
	pids[1] = test_fork();
	if (!pids[1])
		_exit(test_write_text(DRIVER "unbind", name) ? errno : 0);
	CHECK_CMP(time_to_end(pids[1], &status), <=, GONE_MS);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(test_write_text(DRIVER "bind", name), EBUSY);
	time_to_end(pids[0], &status);
	CHECK_EQ(status, 0);

	close_pipe(ends);
	mem_check(held, 1, 3);
	CHECK_EQ(destroy(control, index), 0);
	close(fd);
	CHECK_EQ(create(control), index);
	CHECK_EQ(destroy(control, index), 0);
}

static void call_again_and_again(int fd)
{
	char *addr = mem_new(1024, 9);
	struct devpub_migrate arg = {
		.addr = (uintptr_t)addr, .length = 1024 * PAGE,
	};

	for (;;) {
		ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg);
		ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg);
		mem_check(addr, 1024, 9);
	}
}

/* Processes that call all the time do not delay the removal. */
CASE(destroy_against_callers)
{
	int control = control_open();

	for (unsigned int round = test_rounds(4); round--; ) {
		unsigned int index = create(control), tries = 0;
		int fd = device_open_nth(index), ret;
		pid_t pids[ATTACKERS];

		for (int i = 0; i < ATTACKERS; i++) {
			pids[i] = user_fork(ATTACKER);
			if (!pids[i])
				call_again_and_again(fd);
		}
		close(fd);
		test_sleep(300);
		/* LRU batches hold pages for moments. */
		while ((ret = destroy(control, index))) {
			CHECK_EQ(ret, EBUSY);
			CHECK_CMP(++tries, <, 20);
		}
		for (int i = 0; i < ATTACKERS; i++)
			test_kill(pids[i]);
	}
}

static void map_on_device(struct stuck *stuck)
{
	stuck->addr = mem_new(512, 7);
	stuck->pages = 512;
	move_to_device(stuck->fd, stuck->addr, stuck->pages);
}

/* Pages of a process whose mmap_lock is held can't move: DESTROY reports that, or is killed. */
static void destroy_beside(void)
{
	struct stuck stuck = { .prepare = map_on_device };
	int control = control_open(), fd, status;
	char *addr;
	pid_t pid;

	fd = device_open_nth(0);
	stuck_start(&stuck, ATTACKER);
	/* Not shared with the process that is stuck, whose lock would keep it here. */
	addr = mem_new(16, 5);
	pid = test_fork();
	if (!pid)
		_exit(destroy_status(control, 0));
	test_sleep(500);
	kill(pid, SIGKILL);
	CHECK_CMP(time_to_end(pid, &status), <=, GONE_MS);
	CHECK(WIFSIGNALED(status));
	works(fd, addr);
	CHECK_EQ(destroy(control, 0), EBUSY);
	works(fd, addr);
	stuck_let_go();
	CHECK_EQ(destroy(control, 0), 0);
	CHECK_EQ(create(control), 0);
}

CASE(destroy_beside_stuck)
{
	user_admit();
	stuck_run(destroy_beside);
}
