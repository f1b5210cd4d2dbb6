// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Who may let the device access which memory, and what ends an access. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "mem.h"
#include "uffd.h"

#define NOBODY	65534
#define PAGES	64UL

static int bind_to(int fd, pid_t pid)
{
	return access_bind(fd, DEVPUB_BIND_PID, pid);
}

CASE(not_bound)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, mem_new(1, 1), "x", 1);

	CHECK_EQ(access_try(device_open(), &arg), ENOTCONN);
}

CASE(bind_errors)
{
	struct devpub_bind bind = { .pid = getpid() };
	int fd = device_open();

	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_BIND, &bind), EINVAL);
	bind = (struct devpub_bind){ .flags = 2 };
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_BIND, &bind), EINVAL);
	CHECK_ERRNO(bind_to(fd, 0), EINVAL);
	CHECK_ERRNO(bind_to(fd, 0x3fffffff), ESRCH);
	CHECK_ERRNO(bind_to(fd, 2), ESRCH);
	/* None of them has bound it. */
	CHECK_CALL(access_bind(fd, 0, 0));
	/* The same memory, however it is named. */
	CHECK_CALL(access_bind(fd, 0, 0));
	CHECK_CALL(bind_to(fd, getpid()));
	if (!geteuid())
		CHECK_ERRNO(bind_to(fd, 1), EBUSY);
}

CASE(arguments)
{
	int fd = access_open();
	char *mem = mem_new(4, 1);
	const struct devpub_access good = access_arg(DEVPUB_OP_WRITE, mem, mem + PAGE, 64);
	struct devpub_access arg;

#define WRONG(error, ...)						\
	do {								\
		arg = good;						\
		__VA_ARGS__;						\
		CHECK_EQ(access_try(fd, &arg), error);			\
		CHECK_EQ(arg.done, 0);					\
	} while (0)
	arg = good;
	access_all(fd, &arg);
	for (int bit = 0; bit < 32; bit++)
		WRONG(EINVAL, arg.flags = 1U << bit);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COMPARE_EXCHANGE + 1);
	WRONG(EINVAL, arg.op = -1U);
	WRONG(EINVAL, arg.length = 0);
	WRONG(EINVAL, arg.other = arg.addr);
	WRONG(EINVAL, arg.operand = 1);
	WRONG(EINVAL, arg.compare = 1);
	WRONG(EINVAL, arg.op = DEVPUB_OP_FILL);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COPY; arg.other = arg.addr + 512);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COPY; arg.buffer = 0; arg.other = arg.addr);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COPY; arg.buffer = 0; arg.other = arg.addr + 63);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COPY; arg.buffer = 0; arg.other = arg.addr - 63);
	WRONG(EOVERFLOW, arg.length = 0ULL - arg.addr + 1);
	WRONG(EFAULT, arg.addr = 0xffff888000000000ULL);
	WRONG(EFAULT, arg.op = DEVPUB_OP_COPY; arg.buffer = 0; arg.other = 0xffff888000000000ULL);
	WRONG(EOVERFLOW, arg.op = DEVPUB_OP_COPY; arg.buffer = 0; arg.other = -8ULL);
	for (int op = DEVPUB_OP_ADD; op <= DEVPUB_OP_COMPARE_EXCHANGE; op++) {
		WRONG(EINVAL, arg.op = op; arg.buffer = 0; arg.length = 1);
		WRONG(EINVAL, arg.op = op; arg.buffer = 0; arg.length = 16);
		WRONG(EINVAL, arg.op = op; arg.buffer = 0; arg.length = 8; arg.addr += 4);
		WRONG(EINVAL, arg.op = op; arg.buffer = 0; arg.length = 4; arg.addr += 2);
		WRONG(EINVAL, arg.op = op; arg.buffer = 0; arg.length = 4; arg.operand = 1ULL << 32);
	}
	WRONG(EINVAL, arg.op = DEVPUB_OP_ADD; arg.buffer = 0; arg.length = 8; arg.compare = 1);
	WRONG(EINVAL, arg.op = DEVPUB_OP_COMPARE_EXCHANGE; arg.buffer = 0; arg.length = 4;
	      arg.compare = 1ULL << 32);
}

/* A child has the file, but its parent's memory is not its own. */
CASE(child)
{
	int fd = access_open();
	char *mem = mem_new(1, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, mem, "x", 1);

		CHECK_EQ(access_try(fd, &arg), EPERM);
		CHECK_ERRNO(access_bind(fd, 0, 0), EBUSY);
		fd = access_open();
		access_write(fd, mem, "x", 1);
		CHECK_EQ(mem[0], 'x');
		_exit(0);
	}
	test_wait(pid);
	mem_check(mem, 1, 1);
}

/* Program executed by the next case: its file is bound to memory that has gone. */
CASE(after_exec)
{
	const char *given = getenv("ACCESS_FD");
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, mem_new(1, 1), "x", 1);

	if (!given)
		SKIP("it is what exec runs");
	CHECK_EQ(access_try(atoi(given), &arg), EPERM);
	CHECK_ERRNO(access_bind(atoi(given), 0, 0), EBUSY);
}

CASE(exec)
{
	int fd = access_open(), status;
	char number[16];
	pid_t pid;

	access_write(fd, mem_new(1, 1), "x", 1);
	CHECK_CALL(fcntl(fd, F_SETFD, 0));
	snprintf(number, sizeof(number), "%d", fd);
	pid = test_fork();
	if (pid == 0) {
		CHECK_CALL(close(fd));
		CHECK_EQ(access_open(), fd);
		CHECK_CALL(fcntl(fd, F_SETFD, 0));
		access_write(fd, mem_new(1, 1), "x", 1);
		CHECK_CALL(setenv("ACCESS_FD", number, 1));
		CHECK_CALL(dup2(open("/dev/null", O_WRONLY), 1));
		execl("/proc/self/exe", "access_life", "after_exec", NULL);
		_exit(99);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Another process's memory: while it lives, and only for those who may. */
CASE(other_process)
{
	int fd = device_open();
	char *mem = mem_new(2, 1), byte;
	struct test_gate gate;
	struct devpub_access arg;
	pid_t pid;

	if (geteuid())
		SKIP("needs root");
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		CHECK_EQ(mem[PAGE - 1], 'y');
		CHECK_EQ(mem[PAGE], 'z');
		_exit(0);
	}
	test_gate_await(&gate, 0);
	CHECK_CALL(bind_to(fd, pid));
	access_write(fd, mem + PAGE - 1, "yz", 2);
	mem_check(mem, 2, 1);
	access_read(fd, mem + PAGE, &byte, 1);
	CHECK_EQ(byte, 'z');

	if (!test_fork()) {
		CHECK_CALL(setresuid(NOBODY, NOBODY, NOBODY));
		arg = access_arg(DEVPUB_OP_WRITE, mem, "x", 1);
		CHECK_EQ(access_try(fd, &arg), EPERM);
		CHECK_ERRNO(bind_to(device_open(), pid), EPERM);
		_exit(0);
	}
	test_gate_signal(&gate, 0);
	test_wait(pid);
	arg = access_arg(DEVPUB_OP_WRITE, mem, "x", 1);
	CHECK_EQ(access_try(fd, &arg), ESRCH);
	CHECK_EQ(arg.done, 0);
	CHECK_CALL(wait(NULL));
}

/* The file does not keep the memory of a process that has ended. */
CASE(memory_is_freed)
{
	int fd = device_open();
	uint64_t free = device_free_pages(fd);
	struct test_gate gate;
	pid_t pid;

	if (geteuid())
		SKIP("needs root");
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		char *mem = mem_new(PAGES, 1);

		to_device(fd, mem, PAGES);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		access_write(access_open(), mem, mem_new(PAGES, 2), PAGES * PAGE);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	CHECK_CALL(bind_to(fd, pid));
	test_gate_signal(&gate, 0);
	test_wait(pid);
	device_await_free_pages(fd, free);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void alarms_every(long microseconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_interval = { .tv_usec = microseconds },
		.it_value = { .tv_usec = microseconds },
	};

	CHECK_CALL(sigaction(SIGALRM, &action, NULL));
	CHECK_CALL(setitimer(ITIMER_REAL, &timer, NULL));
}

/* Resume an interrupted operation until it is complete.  Return how often it was interrupted. */
static unsigned int resume_once(int fd, struct devpub_access arg)
{
	unsigned int interrupted = 0;
	int error;

	while ((error = access_try(fd, &arg))) {
		CHECK_EQ(error, EINTR);
		CHECK_CMP(arg.done, >, 0);
		CHECK_CMP(arg.done, <, arg.length);
		interrupted++;
		access_advance(&arg);
	}
	CHECK_EQ(arg.done, arg.length);
	return interrupted;
}

/*
 * Repeat an operation until signals have interrupted it.  On a busy machine, the engine may
 * complete it before the caller gets a processor.
 */
static void resume(int fd, struct devpub_access arg)
{
	for (int try = 0; try < 100; try++)
		if (resume_once(fd, arg))
			return;
	FAIL("no signal interrupted an operation of %llu bytes",
	     (unsigned long long)arg.length);
}

CASE(interrupted)
{
	const size_t pages = 8192;
	int fd = access_open();
	char *one = mem_new(pages, 1), *two = mem_map(pages);
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, two, one, pages * PAGE);

	alarms_every(5000);
	resume(fd, arg);
	mem_check(two, pages, 1);
	arg.op = DEVPUB_OP_READ;
	mem_fill(one, pages, 2);
	resume(fd, arg);
	mem_check(one, pages, 1);
	mem_fill(two, pages, 2);
	arg.op = DEVPUB_OP_COPY;
	arg.other = arg.buffer;
	arg.buffer = 0;
	resume(fd, arg);
	mem_check(two, pages, 1);
	arg.op = DEVPUB_OP_COMPARE;
	resume(fd, arg);
	alarms_every(0);
	CHECK_CMP(alarms, >, 1);
}

static void *device_writes(void *arg)
{
	access_write(access_open(), arg, "device", 6);
	return NULL;
}

/* Holes that a userfaultfd handles: the device waits for the handler, with nothing held. */
static void await_fault(int uffd, const char *addr)
{
	struct pollfd ready = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&ready, 1, 20000) != 1)
		FAIL("the access raised no fault");
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	CHECK_EQ(msg.arg.pagefault.address & -PAGE, address(addr));
}

CASE(userfaultfd)
{
	int uffd = uffd_open(0);
	char *mem = mem_map(2);
	struct uffdio_zeropage zero = { .range = { .start = address(mem), .len = PAGE } };
	pthread_t thread;

	uffd_register(uffd, mem, 2, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_EQ(pthread_create(&thread, NULL, device_writes, mem), 0);
	await_fault(uffd, mem);
	/* mmap_lock is free, and so is the device. */
	access_write(access_open(), mem_map(1), "x", 1);
	CHECK_CALL(ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK(!memcmp(mem, "device", 7));
}

/* Signals end the wait for a fault, a fatal one within a second. */
CASE(stuck_fault)
{
	int uffd = uffd_open(0);
	char *mem = mem_map(2);
	unsigned long long begin;
	pid_t pid;

	pid = test_fork();
	if (pid == 0) {
		struct devpub_access arg;
		int fd = access_open();

		uffd = uffd_open(0);
		uffd_register(uffd, mem, 2, UFFDIO_REGISTER_MODE_MISSING);
		arg = access_arg(DEVPUB_OP_WRITE, mem - PAGE, mem_new(2, 1), 2 * PAGE);
		arg.addr = address(mmap(mem - PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
					MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		alarms_every(500000);
		CHECK_EQ(access_try(fd, &arg), EINTR);
		CHECK_EQ(arg.done, PAGE);
		alarms_every(0);
		signal(SIGALRM, SIG_DFL);
		kill(getppid(), SIGUSR1);
		access_try(fd, &arg);
		_exit(1);
	}
	signal(SIGUSR1, on_alarm);
	while (!alarms)
		test_sleep(10);
	test_sleep(300);
	begin = test_milliseconds();
	test_kill(pid);
	CHECK_CMP(test_milliseconds() - begin, <, 5000);
	close(uffd);
}

/*
 * After MADV_FREE the page can be written to without a fault.  What the device writes must
 * not be dropped as clean.
 */
CASE(lazily_freed)
{
	int fd = access_open();
	unsigned char *mem = mem_new(PAGES, 1), *buffer = mem_new(PAGES, 2);
	uint64_t pfns[PAGES];
	unsigned int dropped = 0;

	for (int i = 0; i < 20; i++) {
		mem_fill(mem, PAGES, 1);
		CHECK_CALL(madvise(mem, PAGES * PAGE, MADV_FREE));
		/* All but every fourth page. */
		for (size_t j = 0; j < PAGES; j++)
			if (j % 4)
				access_write(fd, mem + j * PAGE, buffer + j * PAGE, PAGE);
		CHECK_CALL(madvise(mem, PAGES * PAGE, MADV_PAGEOUT));
		mem_pfns(mem, PAGES, pfns);
		for (size_t j = 0; j < PAGES; j++) {
			if (j % 4)
				CHECK(!memcmp(mem + j * PAGE, buffer + j * PAGE, PAGE));
			else
				dropped += !pfns[j];
		}
	}
	/* The others show that clean pages do go. */
	CHECK_CMP(dropped, >, 0);
}

#define ADDS	2000U
#define THREADS	4

static uint64_t *counter;

static void *device_adds(void *arg)
{
	int fd = arg ? *(int *)arg : access_open();

	for (unsigned int i = 0; i < ADDS; i++)
		access_atomic(fd, DEVPUB_OP_ADD, counter, 8, 1, 0);
	return NULL;
}

/* Many files and one file, from several threads, and the CPU: no addition is lost. */
static void concurrent(int *shared, bool move)
{
	int fd = device_open();
	pthread_t threads[THREADS];

	counter = mem_new(1, 1);
	*counter = 0;
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, device_adds, shared), 0);
	for (unsigned int i = 0; i < ADDS; i++) {
		__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
		if (move && i % 16 == 0)
			to_device_once(fd, counter, 1);
		if (move && i % 16 == 8)
			to_system_once(fd, counter, 1);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(*counter, ADDS * (THREADS + 1));
}

CASE(many_files)
{
	concurrent(NULL, false);
}

CASE(one_file)
{
	int fd = access_open();

	concurrent(&fd, false);
}

CASE(while_it_moves)
{
	concurrent(NULL, true);
}

/* More blocks than the mirror keeps. */
CASE(many_blocks)
{
	const size_t blocks = 150, apart = HUGE_PAGES * PAGE;
	int fd = access_open();
	char *mem = mmap(NULL, blocks * apart, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(mem != MAP_FAILED);
	CHECK_CALL(madvise(mem, blocks * apart, MADV_NOHUGEPAGE));
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < blocks; i++)
			CHECK_EQ(access_atomic(fd, DEVPUB_OP_ADD, mem + i * apart, 4, i, 0),
				 round * i);
	for (size_t i = 0; i < blocks; i++)
		CHECK_EQ(*(uint32_t *)(mem + i * apart), 2 * i);
}

/* The memory of one device, by the other. */
CASE(other_device)
{
	int fd = access_open(), other = device_open_nth(1);
	unsigned char *mem = mem_new(PAGES, 1), *buffer = mem_map(PAGES);

	to_device(other, mem, PAGES);
	access_read(fd, mem, buffer, PAGES * PAGE);
	mem_check(buffer, PAGES, 1);
	mem_fill(buffer, PAGES, 2);
	access_write(fd, mem, buffer, PAGES * PAGE);
	mem_check(mem, PAGES, 2);
	check_on_device(other, mem, PAGES);
}
