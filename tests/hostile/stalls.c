// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A process that stands still in the middle of a migration or of an operation of the device:
 * frozen by its control group, in a fault that nobody resolves, or out of memory.  It must delay
 * nobody else, and not the removal of the device.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "cgroup.h"
#include "fuse_server.h"
#include "mem.h"
#include "uffd.h"
#include "user.h"

#define FILLED		4096UL
#define READS		20U
#define FREEZES		5U

/* Maximum time of what the caller tries to delay, and of what must happen at last. */
#define BOUND_MS	4000U
#define PATIENCE_MS	60000U

/* The server replies after this time, which is longer than any case lasts. */
#define NO_REPLY_US	2000000000U

/* Fill memory for ever; a signal, or a freezer, ends each operation at any byte. */
static void fill_for_ever(atomic_uint *rounds)
{
	char *mem = mem_map(FILLED);
	int fd = access_open();

	for (uint64_t value = 0;; value++) {
		struct devpub_access arg = {
			.op = DEVPUB_OP_FILL, .addr = address(mem), .length = FILLED * PAGE,
			.operand = value,
		};
		int error;

		while ((error = access_try(fd, &arg)) == EINTR) {
			access_advance(&arg);
			arg.done = 0;
			if (!arg.length)
				break;
		}
		if (error && error != EINTR)
			_exit(error);
		++*rounds;
	}
}

/* Move memory to and fro for ever. */
static void move_for_ever(atomic_uint *rounds)
{
	char *mem = mem_new(FILLED, 1);
	int fd = device_open();

	for (;;) {
		struct devpub_migrate to = migrate_arg(mem, FILLED, NULL), from = to;

		if (ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &to) && errno != EINTR)
			_exit(errno);
		if (ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &from) && errno != EINTR)
			_exit(errno);
		++*rounds;
	}
}

/* Another user moves a page and lets the device read it. */
static void others_are_served(void)
{
	unsigned long long begin, took, worst = 0;
	char *mem, byte;
	pid_t pid;
	int fd;

	pid = user_fork(VICTIM);
	if (pid) {
		test_wait(pid);
		return;
	}
	mem = mem_new(1, 1);
	fd = access_open();
	for (unsigned int i = 0; i < READS; i++) {
		begin = test_milliseconds();
		access_read(fd, mem, &byte, 1);
		move_to_device(fd, mem, 1);
		move_to_system(fd, mem, 1);
		took = test_milliseconds() - begin;
		worst = took > worst ? took : worst;
	}
	test_note("others: %llu ms at most", worst);
	CHECK_CMP(worst, <, BOUND_MS);
	_exit(0);
}

static void device_leaves_and_returns(void)
{
	unsigned long long took = device_unbind();

	test_note("unbound in %llu ms", took);
	CHECK_CMP(took, <, BOUND_MS);
	device_bind();
	user_admit();
}

static bool device_may_leave(void)
{
	return getenv("DEVPUB_KO") && *getenv("DEVPUB_KO");
}

static void await_rounds(const atomic_uint *rounds, unsigned int more)
{
	unsigned long long end = test_milliseconds() + PATIENCE_MS;
	unsigned int want = *rounds + more;

	while (*rounds < want && test_milliseconds() < end)
		test_sleep(20);
	CHECK_CMP(*rounds, >=, want);
}

static void freeze(const struct cgroup *group)
{
	unsigned long long end = test_milliseconds() + PATIENCE_MS;

	cgroup_write(group, "cgroup.freeze", "1");
	while (!cgroup_field(group, "cgroup.events", "frozen")) {
		CHECK_CMP(test_milliseconds(), <, end);
		test_sleep(20);
	}
}

static void frozen_while(void (*work)(atomic_uint *rounds))
{
	atomic_uint *rounds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct cgroup group;
	unsigned int seen;
	int status;
	pid_t pid;

	CHECK(rounds != MAP_FAILED);
	user_admit();
	cgroup_create(&group, "memory");
	pid = test_fork();
	if (!pid) {
		cgroup_enter(&group);
		user_become(ATTACKER);
		work(rounds);
	}
	await_rounds(rounds, 2);
	for (unsigned int i = 0; i < FREEZES; i++) {
		freeze(&group);
		seen = *rounds;
		others_are_served();
		CHECK_EQ(*rounds, seen);
		cgroup_write(&group, "cgroup.freeze", "0");
		await_rounds(rounds, 2);
	}
	if (device_may_leave()) {
		freeze(&group);
		device_leaves_and_returns();
		cgroup_write(&group, "cgroup.freeze", "0");
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ENODEV);
	} else {
		test_kill(pid);
	}
	cgroup_remove(&group);
}

CASE(frozen_in_operations)
{
	frozen_while(fill_for_ever);
}

CASE(frozen_in_migrations)
{
	frozen_while(move_for_ever);
}

static void *migrate_without_end(void *arg)
{
	ioctl(device_open(), DEVPUB_IOC_MIGRATE_TO, arg);
	_exit(0);
}

/* Migrate with results in memory whose fault nobody resolves, and tell when it has come. */
static void leave_results(struct test_gate *gate)
{
	char *mem = mem_new(FILLED, 1), *results = mem_map(FILLED / PAGE + 1);
	struct devpub_migrate arg = migrate_arg(mem, FILLED, (void *)results);
	struct uffd_msg message;
	struct pollfd poll_uffd;
	pthread_t thread;

	poll_uffd = (struct pollfd) { .fd = uffd_open(0), .events = POLLIN };
	uffd_register(poll_uffd.fd, results, FILLED / PAGE + 1, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_EQ(pthread_create(&thread, NULL, migrate_without_end, &arg), 0);
	CHECK_EQ(poll(&poll_uffd, 1, PATIENCE_MS), 1);
	CHECK_EQ(read(poll_uffd.fd, &message, sizeof(message)), sizeof(message));
	test_gate_signal(gate, 1);
	for (;;)
		pause();
}

CASE(results_are_not_taken)
{
	const char *path = "/proc/sys/vm/unprivileged_userfaultfd";
	unsigned long long begin, took;
	struct test_gate gate;
	pid_t pid;

	user_admit();
	if (test_write_text(path, "1"))
		SKIP("no userfaultfd for ordinary users");
	test_gate_open(&gate);
	pid = user_fork(ATTACKER);
	if (!pid)
		leave_results(&gate);
	test_gate_await(&gate, 0);
	others_are_served();
	if (device_may_leave())
		device_leaves_and_returns();
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	begin = test_milliseconds();
	test_kill(pid);
	took = test_milliseconds() - begin;
	test_note("killed in %llu ms", took);
	CHECK_CMP(took, <, BOUND_MS);
	CHECK_CALL(test_write_text(path, "0"));
}

/* A bound file that is only in flight between sockets, which are in flight themselves. */
static void leave_in_flight(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {
		.header = {
			.cmsg_len = CMSG_LEN(2 * sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		},
	};
	struct iovec byte = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	char *mem = mem_new(FILLED, 1);
	int ends[2], fds[2];

	CHECK_CALL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	fds[0] = access_open();
	fds[1] = ends[1];
	access_write(fds[0], mem, mem, 8);
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	CHECK_EQ(sendmsg(ends[0], &message, 0), 1);
	_exit(0);
}

/* The kernel's collector closes such files, so they do not keep the module for good. */
CASE(files_in_flight)
{
	const char *path = "/sys/module/devpub/refcnt";
	unsigned long long before, now, end;

	user_admit();
	CHECK_CALL(test_read_value(path, &before));
	for (unsigned int i = 0; i < 16; i++) {
		pid_t pid = user_fork(ATTACKER);

		if (!pid)
			leave_in_flight();
		test_wait(pid);
		others_are_served();
	}
	end = test_milliseconds() + PATIENCE_MS;
	do {
		test_sleep(20);
		CHECK_CALL(test_read_value(path, &now));
		CHECK_CMP(test_milliseconds(), <, end);
	} while (now > before);
}

/* What the processes of the case tell each other; shared memory. */
struct reading {
	/* The file system is mounted. */
	atomic_bool mounted;
	/* The process that reads its file; 0 until it begins. */
	atomic_int reader;
	/* The read has ended. */
	atomic_bool done;
};

static void read_file(struct reading *reading)
{
	char *mem, byte;
	int fd;

	fd = open("/mnt/data", O_RDONLY);
	CHECK_CMP(fd, >=, 0);
	mem = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(mem != MAP_FAILED);
	CHECK_CALL(madvise(mem, PAGE, MADV_RANDOM));
	fd = access_open();
	reading->reader = getpid();
	access_read(fd, mem, &byte, 1);
	reading->done = true;
	_exit(0);
}

/* Start an ordinary user's file system, and a process that lets the device read its file. */
static pid_t start_reading_file(struct reading *reading)
{
	unsigned long long end = test_milliseconds() + PATIENCE_MS;
	int status;
	pid_t pid;

	pid = user_fork(ATTACKER);
	if (!pid) {
		fuse_server_mount(NO_REPLY_US);
		reading->mounted = true;
		if (!test_fork())
			read_file(reading);
		for (;;)
			pause();
	}
	while (!reading->reader && test_milliseconds() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			CHECK(!reading->mounted);
			SKIP("users can't mount FUSE: status %#x", status);
		}
		test_sleep(20);
	}
	CHECK(reading->reader);
	return pid;
}

static bool waits(pid_t pid)
{
	char state = test_task_state(pid);

	return state == 'D' || state == 'S';
}

/* The kernel waits for the server even if the reader is killed, so the server goes first. */
CASE(file_system_without_reply)
{
	struct reading *reading = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long long end = test_milliseconds() + PATIENCE_MS;
	pid_t server;

	CHECK(reading != MAP_FAILED);
	if (access("/dev/fuse", F_OK) && system("modprobe fuse 2>/dev/null"))
		SKIP("no module fuse");
	CHECK_CALL(chmod("/dev/fuse", 0666));
	user_admit();
	server = start_reading_file(reading);
	while (!waits(reading->reader)) {
		CHECK_CMP(test_milliseconds(), <, end);
		test_sleep(20);
	}
	others_are_served();
	CHECK(waits(reading->reader));
	CHECK_CALL(kill(reading->reader, SIGKILL));
	others_are_served();
	if (device_may_leave())
		device_leaves_and_returns();
	CHECK(!reading->done);
	test_kill(server);
}

#define LIMIT		"32M"

/* The device's writes are charged as the process's own: the group's OOM killer ends it. */
CASE(out_of_memory)
{
	struct cgroup group;
	pid_t pid;

	user_admit();
	cgroup_create(&group, "memory");
	cgroup_limit(&group, LIMIT);
	for (unsigned int i = 0; i < 4; i++) {
		pid = test_fork();
		if (!pid) {
			struct devpub_access arg = {
				.op = DEVPUB_OP_FILL, .addr = address(mem_map(4 * FILLED)),
				.length = 4 * FILLED * PAGE,
			};

			cgroup_enter(&group);
			user_become(ATTACKER);
			access_all(access_open(), &arg);
			_exit(0);
		}
		others_are_served();
		test_wait_killed(pid);
	}
	cgroup_remove(&group);
}
