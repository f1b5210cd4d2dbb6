// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reads, writes and references by others while the pages move. */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "gup.h"
#include "mem.h"
#include "mover.h"
#include "place.h"
#include "uring.h"

#define PAGES	128UL
#define HELD	8UL

ONCE(splice, "what goes into a pipe by its pages while they move comes out of it")
{
	char *addr = mem_new(HELD, 1), *out = mem_map(HELD);
	struct iovec range = { addr, HELD * PAGE };
	struct mover mover;
	uint64_t seed = 1;
	int ends[2];

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	mover_start(&mover, addr, HELD);
	while (mover_round(&mover)) {
		for (int i = 0; i < 20; i++) {
			CHECK_EQ(vmsplice(ends[1], &range, 1, 0), HELD * PAGE);
			mem_check(addr, HELD, seed);
			for (size_t page = 0; page < HELD; page++)
				CHECK_EQ(read(ends[0], out + page * PAGE, PAGE),
					 PAGE);
			mem_check(out, HELD, seed);
			mem_fill(addr, HELD, ++seed);
		}
	}
	mover_stop(&mover);
	mem_check(addr, HELD, seed);
}

ONCE(direct_io, "direct I/O from and into pages that move transfers what it should")
{
	bool loaded = disk_begin();
	int disk = open(DISK, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	if (!loaded || disk < 0)
		SKIP(DISK " is in use");
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_EQ(pwrite(disk, addr, PAGES * PAGE, 0), PAGES * PAGE);
		mem_fill(addr, PAGES, seed + 1000);
		CHECK_EQ(pread(disk, addr, PAGES * PAGE, 0), PAGES * PAGE);
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
	close(disk);
	disk_end(loaded);
}

/*
 * The registration fails if it meets a page that moves just then
 * (Documentation/kernel-bugs.md).  It may be repeated.
 */
ONCE(registered,
	"a registered buffer's pages stay in system memory, whoever moves them, and its I/O is right")
{
	char *addr = mem_new(PAGES, 1), *data = mem_map(PAGES);
	int file = memfd_create("conformance", MFD_CLOEXEC);
	unsigned int registered = 0;
	uint64_t before[PAGES], after[PAGES], seed = 1;
	struct mover mover;
	struct uring ring;

	CHECK_CALL(file);
	uring_open(&ring);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !registered) {
		unsigned int passes = mover.passes;

		if (!uring_try_register(&ring, addr, PAGES)) {
			/* The error is EFAULT if some pages were pinned before the failure. */
			CHECK(errno == EBUSY || errno == EFAULT);
			continue;
		}
		registered++;
		mem_pfns(addr, PAGES, before);
		check_in_system(mover.fd, addr, PAGES);
		uring_write(&ring, file, addr, PAGES);
		CHECK_EQ(pread(file, data, PAGES * PAGE, 0), PAGES * PAGE);
		mem_check(data, PAGES, seed);
		mem_fill(data, PAGES, ++seed);
		CHECK_EQ(pwrite(file, data, PAGES * PAGE, 0), PAGES * PAGE);
		uring_read(&ring, file, addr, PAGES);
		while (mover.passes < passes + 2)
			test_sleep(1);
		mem_check(addr, PAGES, seed);
		mem_pfns(addr, PAGES, after);
		CHECK(!memcmp(before, after, sizeof(before)));
		uring_unregister(&ring);
		mem_fill(addr, PAGES, ++seed);
		while (mover.passes < passes + 3)
			mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	test_note("registered %u times in %u rounds", registered, mover.rounds);
	mem_check(addr, PAGES, seed);
	uring_close(&ring);
}

ONCE(registered_forked,
	"a process that forks while others try to move its registered pages keeps them, and its child has copies")
{
	char *addr = mem_new(PAGES, 1), *data = mem_map(PAGES);
	int file = memfd_create("conformance", MFD_CLOEXEC);
	unsigned int registered = 0;
	uint64_t seed = 1;
	struct mover mover;
	struct uring ring;

	CHECK_CALL(file);
	uring_open(&ring);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !registered) {
		unsigned int passes;
		pid_t pid;

		if (!uring_try_register(&ring, addr, PAGES)) {
			CHECK(errno == EBUSY || errno == EFAULT);
			continue;
		}
		registered++;
		pid = test_fork();
		if (pid == 0) {
			mem_check(addr, PAGES, seed);
			mem_fill(addr, PAGES, seed + 1000);
			mem_check(addr, PAGES, seed + 1000);
			_exit(0);
		}
		mem_fill(addr, PAGES, seed + 1);
		uring_write(&ring, file, addr, PAGES);
		test_wait(pid);
		CHECK_EQ(pread(file, data, PAGES * PAGE, 0), PAGES * PAGE);
		mem_check(data, PAGES, ++seed);
		mem_check(addr, PAGES, seed);
		uring_unregister(&ring);
		mem_fill(addr, PAGES, ++seed);
		passes = mover.passes;
		while (mover.passes < passes + 2)
			mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	test_note("registered %u times in %u rounds", registered, mover.rounds);
	mem_check(addr, PAGES, seed);
	uring_close(&ring);
}

/* The pin may fail like the registration, and may be repeated. */
ONCE(long_pin, "a device's long-term pin keeps the pages in system memory, whoever moves them")
{
	char *addr = mem_new(PAGES, 1);
	uint64_t before[PAGES], after[PAGES], seed = 1;
	unsigned int pinned = 0;
	struct mover mover;
	int gup = gup_open();

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !pinned) {
		unsigned int passes = mover.passes;

		if (!gup_pin(gup, addr, PAGES, GUP_WRITE |
			     (mover.rounds % 2 ? GUP_FAST : 0))) {
			CHECK(errno == EBUSY || errno == EFAULT ||
			      errno == EAGAIN);
			continue;
		}
		pinned++;
		mem_pfns(addr, PAGES, before);
		check_in_system(mover.fd, addr, PAGES);
		mem_fill(addr, PAGES, ++seed);
		while (mover.passes < passes + 2)
			test_sleep(1);
		gup_check(gup, PAGES, seed);
		mem_check(addr, PAGES, seed);
		mem_pfns(addr, PAGES, after);
		CHECK(!memcmp(before, after, sizeof(before)));
		gup_unpin(gup);
		while (mover.passes < passes + 3)
			mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	test_note("pinned %u times in %u rounds", pinned, mover.rounds);
	mem_check(addr, PAGES, seed);
}

/* Start a child whose pages have the contents of seed 1 and move to the device and back. */
static pid_t start_other(char *addr, struct test_gate *gate)
{
	struct mover mover;
	pid_t pid;

	test_gate_open(gate);
	pid = test_fork();
	if (pid)
		return pid;
	mem_fill(addr, PAGES, 1);
	mover_start(&mover, addr, PAGES);
	while (!mover.passes)
		test_sleep(1);
	test_gate_signal(gate, 1);
	test_gate_await(gate, 1);
	mover_stop(&mover);
	mem_check(addr, PAGES, 2);
	_exit(0);
}

ONCE(vm_access, "process_vm_readv() and writev() of pages that move see and leave what they should")
{
	char *addr = mem_map(PAGES), *data = mem_map(PAGES);
	struct iovec local = { data, PAGES * PAGE };
	struct iovec remote = { addr, PAGES * PAGE };
	uint64_t seed = 1;
	struct test_gate gate;
	pid_t pid = start_other(addr, &gate);

	test_gate_await(&gate, 0);
	for (unsigned int i = 0; i < test_rounds(40); i++) {
		CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0),
			 PAGES * PAGE);
		mem_check(data, PAGES, seed);
		seed = i + 3;
		mem_fill(data, PAGES, seed);
		CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0),
			 PAGES * PAGE);
	}
	mem_fill(data, PAGES, 2);
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0),
		 PAGES * PAGE);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

ONCE(proc_mem, "/proc/PID/mem of pages that move reads and writes what it should")
{
	char *addr = mem_map(PAGES), *data = mem_map(PAGES);
	struct test_gate gate;
	uint64_t seed = 1;
	char path[32];
	pid_t pid = start_other(addr, &gate);
	int file;

	test_gate_await(&gate, 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	file = open(path, O_RDWR | O_CLOEXEC);
	CHECK_CALL(file);
	for (unsigned int i = 0; i < test_rounds(40); i++) {
		CHECK_EQ(pread(file, data, PAGES * PAGE, address(addr)),
			 PAGES * PAGE);
		mem_check(data, PAGES, seed);
		seed = i + 3;
		mem_fill(data, PAGES, seed);
		CHECK_EQ(pwrite(file, data, PAGES * PAGE, address(addr)),
			 PAGES * PAGE);
	}
	mem_fill(data, PAGES, 2);
	CHECK_EQ(pwrite(file, data, PAGES * PAGE, address(addr)), PAGES * PAGE);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

ONCE(ptrace, "a debugger stops a process whose pages move, and pokes them")
{
	char *addr = mem_map(PAGES), *two = mem_new(PAGES, 2);
	struct test_gate gate;
	pid_t pid = start_other(addr, &gate);
	size_t at = 0;

	test_gate_await(&gate, 0);
	CHECK_CALL(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	while (at < PAGES * PAGE) {
		/* The other thread of the child continues to move the pages. */
		CHECK_CALL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
		CHECK_CALL(waitpid(pid, NULL, 0));
		for (int i = 0; i < 4096; i++, at += sizeof(long))
			CHECK_CALL(ptrace(PTRACE_POKEDATA, pid, addr + at,
					  *(long *)(two + at)));
		CHECK_CALL(ptrace(PTRACE_CONT, pid, NULL, NULL));
	}
	CHECK_CALL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	CHECK_CALL(waitpid(pid, NULL, 0));
	CHECK_CALL(ptrace(PTRACE_DETACH, pid, NULL, NULL));
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

ONCE(pipe, "read() and write() of pages that move copy what they should")
{
	char *from = mem_new(2 * HELD, 1), *to = from + HELD * PAGE;
	struct mover mover;
	uint64_t seed = 1;
	int ends[2];

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	mem_fill(from, HELD, 1);
	mover_start(&mover, from, 2 * HELD);
	while (mover_round(&mover)) {
		for (int i = 0; i < 20; i++) {
			CHECK_EQ(write(ends[1], from, HELD * PAGE),
				 HELD * PAGE);
			CHECK_EQ(read(ends[0], to, HELD * PAGE), HELD * PAGE);
			mem_check(to, HELD, seed);
			mem_fill(from, HELD, ++seed);
		}
	}
	mover_stop(&mover);
}

/* Two threads wake each other by futexes in a page that moves. */
static struct {
	unsigned int turn;
	unsigned int end;
} *table;

static int futex(void *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *answer(void *unused)
{
	unsigned int turn;

	while (!mem_get_word(&table->end)) {
		turn = mem_get_word(&table->turn);
		if (turn % 2 == 0) {
			futex(&table->turn, FUTEX_WAIT, turn);
			continue;
		}
		mem_put_word(&table->turn, turn + 1);
		futex(&table->turn, FUTEX_WAKE, 1);
	}
	return unused;
}

ONCE(futex, "no wake-up is lost by a futex whose page moves")
{
	struct mover mover;
	pthread_t thread;

	table = mem_map(1);
	mem_set(table, 0, PAGE);
	mover_start(&mover, table, 1);
	CHECK_EQ(pthread_create(&thread, NULL, answer, NULL), 0);
	while (mover_round(&mover)) {
		for (int i = 0; i < 100; i++) {
			unsigned int turn = mem_get_word(&table->turn);

			CHECK_EQ(turn % 2, 0);
			mem_put_word(&table->turn, turn + 1);
			futex(&table->turn, FUTEX_WAKE, 1);
			while (mem_get_word(&table->turn) == turn + 1)
				futex(&table->turn, FUTEX_WAIT, turn + 1);
		}
	}
	mover_stop(&mover);
	mem_put_word(&table->end, 1);
	/*
	 * Wake the thread so that it can end.  The value must differ from the one that it
	 * waits for.
	 */
	mem_add_word(&table->turn, 2);
	futex(&table->turn, FUTEX_WAKE, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}
