// SPDX-License-Identifier: GPL-2.0
/* What else moves, marks and reads pages, while they move to the device and back. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

/* More than a window. */
#define PAGES	640UL

#define KSM	"/sys/kernel/mm/ksm/"
#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define COLLAPSED THP "khugepaged/pages_collapsed"
#define BALANCING "/sys/kernel/debug/sched/numa_balancing/"
#define CORE	"/tmp/devpub-race"

/* Give the advice until the kernel has counted something more under this name, if any. */
static void advise_and_check(int advice, const char *counter)
{
	unsigned long long before = counter ? machine_vmstat(counter) : 0;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) ||
	       (counter && machine_vmstat(counter) == before)) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, advice));
		mem_check(addr, PAGES, seed);
		if (mover.rounds % 2)
			mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

static void swap_body(struct place *place)
{
	(void)place;
	advise_and_check(MADV_PAGEOUT, "pswpout");
}

ONCE(swapping, "pages are swapped out while they move, and keep their data")
{
	machine_swap_on();
	machine_run(swap_body, NULL);
}

ONCE(reclaim, "pages are put on their way out while they move, and keep their data")
{
	advise_and_check(MADV_COLD, NULL);
}

/* Every page has the same content. */
static void fill_alike(char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		mem_fill(addr + i * PAGE, 1, seed);
}

static void check_alike(const char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		mem_check(addr + i * PAGE, 1, seed);
}

static void ksm_body(struct place *place)
{
	unsigned long long sharing, merged = 0;
	char *addr = mem_map(PAGES);
	struct mover mover;
	uint64_t seed = 7;

	(void)place;
	fill_alike(addr, PAGES, seed);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !merged) {
		/* What may be merged comes back only, and goes again later. */
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
		check_alike(addr, PAGES, seed);
		test_sleep(100);
		CHECK_EQ(test_read_value(KSM "pages_sharing", &sharing), 0);
		merged += sharing;
		check_alike(addr, PAGES, seed);
		fill_alike(addr, PAGES, ++seed);
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_UNMERGEABLE));
		check_alike(addr, PAGES, seed);
	}
	mover_stop(&mover);
	check_alike(addr, PAGES, seed);
}

ONCE(merging, "KSM merges pages while they move, and each keeps its data")
{
	machine_set(KSM "pages_to_scan", "10000");
	machine_set(KSM "sleep_millisecs", "10");
	machine_set_if_there(KSM "smart_scan", "0");
	machine_set(KSM "run", "1");
	machine_run(ksm_body, NULL);
}

static void khugepaged_body(struct place *place)
{
	char *addr = mem_map_huge(2 * HUGE_PAGES);
	unsigned long long before, now = 0;
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	CHECK_EQ(test_read_value(COLLAPSED, &before), 0);
	mem_fill(addr, 2 * HUGE_PAGES, seed);
	mover_start(&mover, addr, 2 * HUGE_PAGES);
	while (mover_round(&mover) || now == before) {
		test_sleep(50);
		mem_check(addr, 2 * HUGE_PAGES, seed);
		mem_fill(addr, 2 * HUGE_PAGES, ++seed);
		CHECK_EQ(test_read_value(COLLAPSED, &now), 0);
	}
	mover_stop(&mover);
	mem_check(addr, 2 * HUGE_PAGES, seed);
}

ONCE(khugepaged, "khugepaged makes huge pages of pages that move, and they keep their data")
{
	machine_set(THP "enabled", "madvise");
	machine_set(THP "khugepaged/pages_to_scan", "100000");
	machine_set(THP "khugepaged/scan_sleep_millisecs", "10");
	machine_run(khugepaged_body, NULL);
}

static void write_while_moving(const char *path, const char *text)
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	if (access(path, W_OK))
		SKIP("no %s", path);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(test_write_text(path, text));
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(compaction, "compaction moves pages while they move, and they keep their data")
{
	write_while_moving("/proc/sys/vm/compact_memory", "1");
}

ONCE(drop_caches, "caches are dropped while pages move, which keep their data")
{
	write_while_moving("/proc/sys/vm/drop_caches", "3");
}

ONCE(nodes, "move_pages(), mbind() and migrate_pages() take pages from node to node that move, and keep their data")
{
	const unsigned long all = machine_nodes();
	const size_t pages = 128;
	char *addr = mem_new(pages, 1);
	int before[pages], nodes[pages], after[pages];
	void *each[pages];
	unsigned long moved = 0;
	struct mover mover;
	int node = 0;

	for (size_t i = 0; i < pages; i++)
		each[i] = addr + i * PAGE;
	mover_start(&mover, addr, pages);
	while (mover_round(&mover) || !moved) {
		unsigned long target;

		node = machine_other_node(node);
		target = 1UL << node;
		for (size_t i = 0; i < pages; i++)
			nodes[i] = node;
		syscall(SYS_move_pages, 0, pages, each, NULL, before, 0);
		syscall(SYS_move_pages, 0, pages, each, nodes, after,
			MPOL_MF_MOVE);
		mem_check(addr, pages, 1);
		for (size_t i = 0; i < pages; i++)
			moved += before[i] >= 0 && before[i] != node &&
				 after[i] == node;
		CHECK_CALL(syscall(SYS_migrate_pages, 0, 64, &all, &target));
		mem_check(addr, pages, 1);
		/* It may say that not all could be moved. */
		if (syscall(SYS_mbind, addr, pages * PAGE, MPOL_BIND, &target,
			    64, MPOL_MF_MOVE))
			CHECK_EQ(errno, EIO);
		mem_check(addr, pages, 1);
	}
	mover_stop(&mover);
	mem_check(addr, pages, 1);
}

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

	mem_fill(rest, half, 1);
	pagemap_track_writes(addr, PAGES);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pagemap_written(addr, PAGES, true);
		mem_fill(addr, half, ++seed);
		CHECK_EQ(pagemap_written(addr, half, false), half);
		/* Who is scanned between two places is told of again: kernel-bugs.md */
		more += pagemap_written(rest, half, false);
		mem_check(addr, half, seed);
		mem_check(rest, half, 1);
	}
	mover_stop(&mover);
	test_note("told of %zu pages that nobody wrote to in %u rounds", more,
		  mover.rounds);
	mem_check(addr, half, seed);
}

static void balancing_body(struct place *place)
{
	unsigned long long sampled = machine_vmstat("numa_pte_updates");
	unsigned long long begin = test_milliseconds();
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) ||
	       (machine_vmstat("numa_pte_updates") < sampled + PAGES &&
		test_milliseconds() - begin < 60000)) {
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	CHECK_CMP(machine_vmstat("numa_pte_updates"), >=, sampled + PAGES);
	mem_check(addr, PAGES, seed);
}

ONCE(balancing, "NUMA balancing samples pages that move, and they keep their data")
{
	machine_set("/proc/sys/kernel/numa_balancing", "1");
	machine_set_if_there(BALANCING "scan_period_min_ms", "100");
	machine_set_if_there(BALANCING "scan_delay_ms", "10");
	machine_run(balancing_body, NULL);
}

struct handler {
	pthread_t thread;
	int uffd;
	const char *addr, *source;
	atomic_uint copied;
	atomic_bool stop;
};

/* Give each page that is missed what the source has there. */
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
		/* First, as who waits for the page may look once it is there. */
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
	struct uffdio_writeprotect protect = { .range.len = PAGES * PAGE };
	static uint64_t entries[PAGES];
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	protect.range.start = address(addr);
	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		protect.mode = UFFDIO_WRITEPROTECT_MODE_WP;
		CHECK_CALL(ioctl(uffd, UFFDIO_WRITEPROTECT, &protect));
		test_sleep(5);
		pagemap_read(addr, PAGES, entries);
		for (size_t i = 0; i < PAGES; i++)
			CHECK(entries[i] & PAGEMAP_UFFD_WP);
		mem_check(addr, PAGES, seed);
		protect.mode = 0;
		CHECK_CALL(ioctl(uffd, UFFDIO_WRITEPROTECT, &protect));
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
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
	/* A window, which is finished though its process is to stop. */
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

		/* The child's pages move while they are written out. */
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
