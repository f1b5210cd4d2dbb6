// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Other code that marks pages, reads them and waits for them while they move to the
 * device and back.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "device.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "pagemap.h"
#include "place.h"
#include "uffd.h"

/* The range is larger than a window. */
#define PAGES	640UL

#define CORE	"/tmp/devpub-race"

ONCE(soft_dirty, "a write to a page that moves is marked by soft-dirty, always")
{
	static uint64_t entries[PAGES];
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	pagemap_read(addr, 1, entries);
	if (!(entries[0] & PAGEMAP_SOFT_DIRTY))
		SKIP("no soft-dirty bits in this kernel");
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(test_write_text("/proc/self/clear_refs", "4"));
		mem_fill(addr, PAGES, ++seed);
		pagemap_read(addr, PAGES, entries);
		for (size_t i = 0; i < PAGES; i++)
			CHECK(entries[i] & PAGEMAP_SOFT_DIRTY);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(scanned, "PAGEMAP_SCAN tells each page that was written to while pages move")
{
	const size_t half = PAGES / 2;
	char *addr = mem_new(PAGES, 1), *rest = addr + half * PAGE;
	size_t more = 0;
	struct mover mover;
	uint64_t seed = 1;

	machine_lacks("__page_table_check_ptes_set",
		      "PAGEMAP_SCAN makes PAGE_TABLE_CHECK warn of a mark of its own: kernel-bugs.md");
	mem_fill(rest, half, 1);
	pagemap_track_writes(addr, PAGES);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pagemap_written(addr, PAGES, true);
		mem_fill(addr, half, ++seed);
		CHECK_EQ(pagemap_written(addr, half, false), half);
		/*
		 * PAGEMAP_SCAN reports a page again that it meets during a move
		 * (kernel-bugs.md).
		 */
		more += pagemap_written(rest, half, false);
		mem_check(addr, half, seed);
		mem_check(rest, half, 1);
	}
	mover_stop(&mover);
	test_note("told of %zu pages that nobody wrote to in %u rounds", more,
		  mover.rounds);
	mem_check(addr, half, seed);
}

struct handler {
	pthread_t thread;
	int uffd;
	const char *addr, *source;
	atomic_uint copied;
	atomic_bool stop;
};

/* Copy the contents of the source to each missing page. */
static void *handle(void *data)
{
	struct handler *handler = data;
	struct pollfd ready = { .fd = handler->uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (!handler->stop) {
		struct uffdio_copy copy = { .len = PAGE };

		if (poll(&ready, 1, 10) != 1 ||
		    read(handler->uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
		copy.dst = msg.arg.pagefault.address & -PAGE;
		copy.src = address(handler->source) + copy.dst -
			   address(handler->addr);
		/*
		 * Do this first, because a waiting thread may read the page as soon as it
		 * is there.
		 */
		handler->copied++;
		CHECK_CALL(ioctl(handler->uffd, UFFDIO_COPY, &copy));
	}
	return NULL;
}

ONCE(missing, "a userfaultfd's handler fills each hole, and no page, while both move")
{
	struct handler handler = { 0 };
	unsigned int missed = 0;
	struct mover mover;
	char *addr;

	addr = mem_map(PAGES);
	handler.addr = addr;
	handler.source = mem_new(PAGES, 1);
	handler.uffd = uffd_open(0);
	uffd_register(handler.uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_EQ(pthread_create(&handler.thread, NULL, handle, &handler), 0);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_DONTNEED));
		missed += mover.rounds == 1 ? PAGES : PAGES / 2;
		mem_check(addr, PAGES, 1);
		CHECK_EQ(handler.copied, missed);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		mem_fill(addr, PAGES, 1);
		CHECK_EQ(handler.copied, missed);
	}
	mover_stop(&mover);
	handler.stop = true;
	CHECK_EQ(pthread_join(handler.thread, NULL), 0);
	mem_check(addr, PAGES, 1);
}

ONCE(write_protect, "pages that a userfaultfd protects stay protected while they move")
{
	static uint64_t entries[PAGES];
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		uffd_protect(uffd, addr, PAGES, true);
		test_sleep(5);
		pagemap_read(addr, PAGES, entries);
		for (size_t i = 0; i < PAGES; i++)
			CHECK(entries[i] & PAGEMAP_UFFD_WP);
		mem_check(addr, PAGES, seed);
		uffd_protect(uffd, addr, PAGES, false);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

/* The number of times that the kernel asked for another attempt. */
static unsigned int take(int uffd, char *to, char *from, size_t pages)
{
	unsigned int busy = 0;
	size_t done = 0;

	while (done < pages * PAGE) {
		struct uffdio_move move = {
			.dst = address(to) + done, .src = address(from) + done,
			.len = pages * PAGE - done,
		};

		if (ioctl(uffd, UFFDIO_MOVE, &move)) {
			CHECK(errno == EAGAIN || errno == EBUSY);
			busy++;
		}
		if (move.move > 0)
			done += move.move;
	}
	return busy;
}

ONCE(moved, "UFFDIO_MOVE takes pages that move to another address and back, each once")
{
	const int uffd = uffd_open(UFFD_FEATURE_MOVE);
	const size_t pages = 128;
	char *addr = mem_new(pages, 1), *to = mem_map(pages);
	unsigned int busy = 0;
	struct mover mover;
	uint64_t seed = 1;

	uffd_register(uffd, to, pages, UFFDIO_REGISTER_MODE_MISSING);
	uffd_register(uffd, addr, pages, UFFDIO_REGISTER_MODE_MISSING);
	mover_start(&mover, addr, pages);
	while (mover_round(&mover)) {
		busy += take(uffd, to, addr, pages);
		mem_check(to, pages, seed);
		mem_fill(to, pages, ++seed);
		busy += take(uffd, addr, to, pages);
		mem_check(addr, pages, seed);
		mem_fill(addr, pages, ++seed);
	}
	mover_stop(&mover);
	test_note("busy %u times in %u rounds", busy, mover.rounds);
	mem_check(addr, pages, seed);
}

ONCE(readers, "who reads and writes a process whose pages move sees what it wrote")
{
	char *addr = mem_new(PAGES, 1), *copy = mem_map(PAGES);
	struct iovec here = { copy, PAGES * PAGE }, there = { addr, PAGES * PAGE };
	unsigned int rounds = test_rounds(20);
	struct mover *mover = mover_fork(addr, PAGES);

	for (unsigned int i = 1; i <= rounds || !mover_has_moved(mover); i++) {
		CHECK_EQ(process_vm_readv(mover->pid, &here, 1, &there, 1, 0),
			 PAGES * PAGE);
		mem_check(copy, PAGES, i);
		mem_fill(copy, PAGES, i + 1);
		CHECK_EQ(process_vm_writev(mover->pid, &here, 1, &there, 1, 0),
			 PAGES * PAGE);
	}
	mover_kill(mover);
	mem_check(addr, PAGES, 1);
}

ONCE(checkpoints, "a process is stopped, read whole and let go, again and again, while its pages move")
{
	/* A window is completed even if its process has to stop. */
	const size_t pages = HUGE_PAGES;
	char *addr = mem_map_huge(pages), *copy = mem_map(pages);
	struct iovec here = { copy, pages * PAGE }, there = { addr, pages * PAGE };
	unsigned int rounds = test_rounds(20);
	static uint64_t entries[HUGE_PAGES];
	struct mover *mover;
	pid_t pid;

	CHECK_CALL(madvise(addr, pages * PAGE, MADV_NOHUGEPAGE));
	mem_fill(addr, pages, 1);
	mover = mover_fork(addr, pages);
	pid = mover->pid;
	CHECK_CALL(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	for (unsigned int i = 0; i < rounds || !mover_has_moved(mover); i++) {
		CHECK_CALL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
		CHECK_CALL(waitpid(pid, NULL, 0));
		pagemap_read_of(pid, addr, pages, entries);
		for (size_t j = 0; j < pages; j++)
			CHECK(entries[j] & PAGEMAP_PRESENT);
		CHECK_EQ(process_vm_readv(pid, &here, 1, &there, 1, 0),
			 pages * PAGE);
		mem_check(copy, pages, 1);
		CHECK_CALL(ptrace(PTRACE_CONT, pid, NULL, NULL));
		test_sleep(20);
	}
	mover_kill(mover);
}

static void dump_body(struct place *place)
{
	char *addr = mem_new(PAGES, 1), *copy = mem_map(PAGES);
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned int rounds = test_rounds(3);
	struct mover mover;
	int status;

	(void)place;
	mover_start(&mover, addr, PAGES);
	for (unsigned int i = 0; i < rounds || mover_round(&mover); i++) {
		pid_t pid = test_fork();

		/* The pages of the child move while the kernel writes them to the core dump. */
		if (pid == 0) {
			CHECK_CALL(setrlimit(RLIMIT_CORE, &all));
			abort();
		}
		CHECK_CALL(waitpid(pid, &status, 0));
		CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
		core_read(CORE, addr, copy, PAGES);
		mem_check(copy, PAGES, 1);
		CHECK_CALL(unlink(CORE));
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(core_dump, "a core dump holds what the pages held that another process moves meanwhile")
{
	machine_set("/proc/sys/kernel/core_pattern", CORE);
	machine_set_if_there("/proc/sys/kernel/core_uses_pid", "0");
	machine_run(dump_body, NULL);
}

ONCE(confined, "a process in strict seccomp reads pages that it shares with one that moves them")
{
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate;
	struct mover mover;
	char byte;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP))
		SKIP("no seccomp: %s", strerror(errno));
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		int in = gate.fd[0][0], out = gate.fd[1][1];

		CHECK_CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		/* In this mode, the process may only read, write and exit. */
		do {
			mem_check(addr, PAGES, 1);
			CHECK_EQ(write(out, "", 1), 1);
			CHECK_EQ(read(in, &byte, 1), 1);
		} while (byte);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		syscall(SYS_exit, 0);
	}
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		test_gate_await(&gate, 0);
		CHECK_EQ(write(gate.fd[0][1], "x", 1), 1);
	}
	test_gate_await(&gate, 0);
	CHECK_EQ(write(gate.fd[0][1], "", 1), 1);
	test_wait(pid);
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}
