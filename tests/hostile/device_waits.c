// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Users of mirrors must not delay others for long, nor use up memory. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "cgroup.h"
#include "mem.h"
#include "uffd.h"
#include "user.h"

/* Maximum time of a call that others try to delay. */
#define BOUND_MS	4000U

#define SWEEPERS	8
#define HOGS		2
#define SWEPT		(256UL << 20)

static char *swept;

static void *sweep(void *unused)
{
	const struct sched_param none = { 0 };

	CHECK_CALL(sched_setscheduler(0, SCHED_IDLE, &none));
	for (;;)
		CHECK_CALL(madvise(swept, SWEPT, MADV_DONTNEED));
	return unused;
}

static void *hog(void *unused)
{
	for (;;)
		__asm__ volatile("");
	return unused;
}

/* Start threads for which the kernel invalidates this memory without a pause. */
static void start_sweeping(void)
{
	pthread_t thread;

	for (int i = 0; i < SWEEPERS; i++)
		CHECK_EQ(pthread_create(&thread, NULL, sweep, NULL), 0);
	for (int i = 0; i < HOGS; i++)
		CHECK_EQ(pthread_create(&thread, NULL, hog, NULL), 0);
}

static void send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = {
		.header = {
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(fd)),
		},
	};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd;

	CHECK_EQ(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

#define SENT	8

/* The attacker sends files whose mirrors have blocks, which its threads then keep busy. */
static void send_busy_mirrors(int socket)
{
	int fds[SENT];

	swept = mmap(NULL, SWEPT, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(swept != MAP_FAILED);
	CHECK_CALL(madvise(swept, SWEPT, MADV_NOHUGEPAGE));
	for (int i = 0; i < SENT; i++) {
		fds[i] = access_open();
		for (size_t j = 0; j < SWEPT; j += HUGE_PAGES * PAGE)
			access_atomic(fds[i], DEVPUB_OP_ADD, swept + j, 8, 1, 0);
	}
	start_sweeping();
	test_sleep(500);
	for (int i = 0; i < SENT; i++) {
		send_fd(socket, fds[i]);
		close(fds[i]);
	}
	for (;;)
		pause();
}

/* Whoever gets a file from a stranger can close it, whatever the stranger's memory does. */
CASE(file_from_a_stranger_is_closed)
{
	unsigned long long begin, took, worst = 0;
	int sockets[2];
	pid_t attacker, pid;

	user_admit();
	CHECK_CALL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	attacker = user_fork(ATTACKER);
	if (!attacker)
		send_busy_mirrors(sockets[1]);
	for (int i = 0; i < SENT; i++) {
		struct test_gate gate;

		test_gate_open(&gate);
		pid = test_fork();
		if (!pid) {
			int fd = receive_fd(sockets[0]);

			/* The sender closes its own. */
			test_sleep(200);
			test_gate_signal(&gate, 1);
			close(fd);
			_exit(0);
		}
		test_gate_await(&gate, 0);
		begin = test_milliseconds();
		while (!waitpid(pid, NULL, WNOHANG) && test_milliseconds() - begin < 15000)
			test_sleep(10);
		took = test_milliseconds() - begin;
		worst = took > worst ? took : worst;
	}
	test_note("closed in %llu ms at most", worst);
	test_kill(attacker);
	CHECK_CMP(worst, <, BOUND_MS);
}

#define FILES		512
#define BLOCKS		64UL
#define LIMIT		"32M"
#define LIMIT_MB	32
/* Tolerance for other memory use of the machine. */
#define OTHERS_MB	64

/* As much memory for mirrors as there may be. */
static void fill_mirrors(const char *mem, char *done)
{
	uint64_t got;

	for (int i = 0; i < FILES; i++) {
		int fd = access_open();

		for (size_t j = 0; j < BLOCKS; j++) {
			struct devpub_access arg = {
				.op = DEVPUB_OP_READ, .length = sizeof(got),
				.addr = address(mem + j * HUGE_PAGES * PAGE),
				.buffer = address(&got),
			};
			int error = access_try(fd, &arg);

			if (error == ENOMEM)
				pause();
			CHECK_EQ(error, 0);
		}
	}
	*done = 1;
	pause();
}

static long long unreclaimable_mb(void)
{
	return test_field("/proc/meminfo", "SUnreclaim") / 1024;
}

/* Mirrors are charged to the group of their process, which gets no more than its limit. */
CASE(mirrors_are_charged)
{
	const size_t size = BLOCKS * HUGE_PAGES * PAGE;
	char *mem = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long long before = unreclaimable_mb(), grown = 0, worst = 0;
	unsigned long long end = test_milliseconds() + 60000, used;
	struct cgroup group;
	pid_t pid;

	CHECK(mem != MAP_FAILED && done != MAP_FAILED);
	CHECK_CALL(madvise(mem, size, MADV_NOHUGEPAGE));
	user_admit();
	cgroup_create(&group, "memory");
	cgroup_limit(&group, LIMIT);
	pid = test_fork();
	if (!pid) {
		cgroup_enter(&group);
		user_become(ATTACKER);
		fill_mirrors(mem, done);
	}
	/* The group's own OOM killer may end it, or it is refused. */
	while (!*done && !waitpid(pid, NULL, WNOHANG) && test_milliseconds() < end) {
		grown = unreclaimable_mb() - before;
		worst = grown > worst ? grown : worst;
		test_sleep(20);
	}
	used = cgroup_value(&group, "memory.peak");
	kill(pid, SIGKILL);
	test_note("%lld MiB of mirrors, %llu MiB charged", worst, used >> 20);
	CHECK(!*done);
	CHECK_CMP(worst, <, LIMIT_MB + OTHERS_MB);
}

#define MIRRORS		1024

/* The number of a process's own mirrors is limited.  Those that root makes do not count. */
CASE(mirrors_of_one_process)
{
	const struct rlimit files = { 2 * MIRRORS, 2 * MIRRORS };
	struct test_gate gate;
	pid_t pid;

	CHECK_CALL(setrlimit(RLIMIT_NOFILE, &files));
	user_admit();
	test_gate_open(&gate);
	pid = user_fork(ATTACKER);
	if (!pid) {
		int fd;

		for (int i = 0; i < MIRRORS; i++)
			fd = access_open();
		CHECK_ERRNO(access_bind(device_open(), 0, 0), EMFILE);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		/* The end of a mirror makes room for another.  It ends after its file. */
		CHECK_CALL(close(fd));
		fd = device_open();
		for (unsigned int tries = 0; access_bind(fd, 0, 0); tries++) {
			CHECK_EQ(errno, EMFILE);
			CHECK_CMP(tries, <, BOUND_MS / 10);
			test_sleep(10);
		}
		_exit(0);
	}
	test_gate_await(&gate, 0);
	CHECK_CALL(access_bind(device_open(), DEVPUB_BIND_PID, pid));
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

#define BUSY_THREADS	8
#define BUSY_PAGES	32768UL
#define VICTIM_READS	50U
/* Without turns, each read would wait for some of the operations of all threads. */
#define AVERAGE_MS	250U

/* Number of operations that have ended; shared memory. */
static atomic_uint *filled;

static void *fill_for_ever(void *mem)
{
	struct devpub_access arg = {
		.op = DEVPUB_OP_FILL, .addr = address(mem), .length = BUSY_PAGES * PAGE,
	};
	int fd = access_open(), error;

	do {
		arg.operand++;
		error = access_try(fd, &arg);
		++*filled;
	} while (!error);
	_exit(error);
}

/* The device is kept busy by many files. */
static pid_t start_filling(uid_t uid)
{
	unsigned long long end = test_milliseconds() + 60000;
	pthread_t thread;
	char *mem;
	pid_t pid;

	filled = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(filled != MAP_FAILED);
	pid = user_fork(uid);
	if (pid) {
		/* After the first, a thread takes no faults. */
		while (*filled < BUSY_THREADS && test_milliseconds() < end)
			test_sleep(20);
		CHECK_CMP(*filled, >=, BUSY_THREADS);
		return pid;
	}
	mem = mem_map(BUSY_PAGES);
	for (int i = 0; i < BUSY_THREADS; i++)
		CHECK_EQ(pthread_create(&thread, NULL, fill_for_ever, mem), 0);
	for (;;)
		pause();
}

/* One user's long operations leave others their turns. */
CASE(long_operations_of_another)
{
	unsigned long long begin, took, worst = 0, total = 0;
	pid_t pid, victim;

	user_admit();
	pid = start_filling(ATTACKER);
	victim = user_fork(VICTIM);
	if (!victim) {
		char *mem = mem_new(1, 1), buffer[8];
		int fd = access_open();

		for (unsigned int i = 0; i < VICTIM_READS; i++) {
			begin = test_milliseconds();
			access_read(fd, mem, buffer, sizeof(buffer));
			took = test_milliseconds() - begin;
			total += took;
			worst = took > worst ? took : worst;
		}
		test_note("%llu ms on average, %llu at most", total / VICTIM_READS, worst);
		CHECK_CMP(total / VICTIM_READS, <, AVERAGE_MS);
		CHECK_CMP(worst, <, BOUND_MS);
		_exit(0);
	}
	test_wait(victim);
	begin = test_milliseconds();
	test_kill(pid);
	took = test_milliseconds() - begin;
	test_note("%u threads ended in %llu ms", BUSY_THREADS, took);
	CHECK_CMP(took, <, BOUND_MS);
}

/* A write that waits for a fault which nobody resolves. */
static pid_t start_stuck(void)
{
	pid_t pid = user_fork(ATTACKER);
	char *mem;

	if (pid)
		return pid;
	mem = mem_map(2);
	/* Without privileges, only faults of user space; so the device's write is the first. */
	uffd_register(uffd_open(0), mem, 2, UFFDIO_REGISTER_MODE_MISSING);
	access_write(access_open(), mem, "x", 1);
	_exit(0);
}

/* The device goes while it executes operations, and while one of them hangs. */
CASE(unbound_while_it_writes)
{
	unsigned long long took;
	pid_t filling, stuck;
	int status;

	if (!getenv("DEVPUB_KO") || !*getenv("DEVPUB_KO"))
		SKIP("takes the device away: set DEVPUB_KO to the module's file");
	user_admit();
	CHECK_CALL(test_write_text("/proc/sys/vm/unprivileged_userfaultfd", "1"));
	stuck = start_stuck();
	filling = start_filling(ATTACKER);
	test_sleep(500);
	CHECK_EQ(waitpid(stuck, NULL, WNOHANG), 0);
	took = device_unbind();
	test_note("unbound in %llu ms", took);
	CHECK_CMP(took, <, BOUND_MS);
	CHECK_EQ(waitpid(filling, &status, 0), filling);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ENODEV);
	CHECK_EQ(waitpid(stuck, NULL, WNOHANG), 0);
	test_kill(stuck);
	device_bind();
	CHECK_CALL(test_write_text("/proc/sys/vm/unprivileged_userfaultfd", "0"));
}

/* The unload waits for such mirrors, not as a hung task, and ends when their process has. */
CASE(unloaded_with_busy_mirrors)
{
	unsigned int samples = 0, hung = 0;
	unsigned long long begin, took;
	pid_t attacker, unloader;
	int sockets[2], status;

	if (!getenv("DEVPUB_KO") || !*getenv("DEVPUB_KO"))
		SKIP("unloads the module: set DEVPUB_KO to its file");
	user_admit();
	CHECK_CALL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	attacker = user_fork(ATTACKER);
	if (!attacker)
		send_busy_mirrors(sockets[1]);
	for (int i = 0; i < SENT; i++)
		close(receive_fd(sockets[0]));
	test_sleep(200);
	unloader = test_fork();
	if (!unloader)
		_exit(syscall(SYS_delete_module, "devpub", O_NONBLOCK) ? errno : 0);
	for (; samples < 20 && !waitpid(unloader, &status, WNOHANG); samples++) {
		test_sleep(100);
		hung += test_task_state(unloader) == 'D';
	}
	begin = test_milliseconds();
	test_kill(attacker);
	if (samples == 20)
		CHECK_EQ(waitpid(unloader, &status, 0), unloader);
	took = test_milliseconds() - begin;
	test_note("%u of %u times in D state, and ended after %llu ms", hung, samples, took);
	CHECK_EQ(status, 0);
	CHECK_CMP(hung, <, 10);
	/* The process has to end first, with threads that hardly get a processor. */
	CHECK_CMP(took, <, 4 * BOUND_MS);
}
