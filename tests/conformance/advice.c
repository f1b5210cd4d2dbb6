// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* madvise() with each advice that changes or discards pages. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

/* The headers of the C library may be older than these constants. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

#define PAGES	64UL

static void advise(void *addr, size_t pages, int advice)
{
	if (madvise(addr, pages * PAGE, advice))
		FAIL("advice %d: %s", advice, strerror(errno));
}

PLACES(dontneed, "MADV_DONTNEED frees the pages at once and shows zeros")
{
	char *addr = place_new(place, PAGES, 1);

	advise(addr, PAGES, MADV_DONTNEED);
	place_check_used(place, 0);
	mem_check_zero(addr, PAGES);
	mem_fill(addr, PAGES, 2);
	check_in_system(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
}

PLACES(dontneed_part, "MADV_DONTNEED of a part of what was huge pages leaves the rest")
{
	const size_t pages = 2 * HUGE_PAGES, from = 100, count = HUGE_PAGES;
	char *addr = place_new_huge(place, pages, 1);
	char *copy = mem_new(pages, 1);

	advise(addr + from * PAGE, count, MADV_DONTNEED);
	place_check_used(place, pages - count);
	mem_check_zero(addr + from * PAGE, count);
	CHECK(mem_equal(addr, copy, from * PAGE));
	CHECK(mem_equal(addr + (from + count) * PAGE,
			copy + (from + count) * PAGE,
			(pages - from - count) * PAGE));
}

PLACES(dontneed_locked, "MADV_DONTNEED_LOCKED frees locked pages, which MADV_DONTNEED does not")
{
	char *addr;

	place_stay_on_cpu();
	addr = place_new(place, 4, 1);
	CHECK_CALL(mlock(addr, 4 * PAGE));
	CHECK_ERRNO(madvise(addr, 4 * PAGE, MADV_DONTNEED), EINVAL);
	mem_check(addr, 4, 1);
	place_check(place, addr, 4);
	if (madvise(mem_new(1, 1), PAGE, MADV_DONTNEED_LOCKED))
		SKIP("no MADV_DONTNEED_LOCKED: %s", strerror(errno));
	CHECK_CALL(madvise(addr, 4 * PAGE, MADV_DONTNEED_LOCKED));
	place_check_used(place, 0);
	mem_check_zero(addr, 4);
}

/* Check that each page has its old contents or zeros.  The kernel may discard it at any time. */
static void check_kept_or_zero(const char *addr, const char *copy, size_t pages)
{
	static const char zero[PAGE];

	for (size_t i = 0; i < pages; i++)
		if (!mem_equal(addr + i * PAGE, copy + i * PAGE, PAGE) &&
		    !mem_equal(addr + i * PAGE, zero, PAGE))
			FAIL("page %zu is neither as it was nor zero", i);
}

PLACES(lazy_free, "after MADV_FREE a page is as it was or zero, and what is written then stays")
{
	char *addr = place_new(place, PAGES, 1), *copy = mem_new(PAGES, 1);

	advise(addr, PAGES, MADV_FREE);
	check_kept_or_zero(addr, copy, PAGES);
	mem_fill(addr, PAGES, 2);
	advise(addr, PAGES, MADV_PAGEOUT);
	mem_check(addr, PAGES, 2);
	to_system(place->fd, addr, PAGES);
	advise(addr, PAGES, MADV_PAGEOUT);
	mem_check(addr, PAGES, 2);
}

PLACES(lazy_free_before,
	"pages given to MADV_FREE before they move are as they were or zero, and keep what is written then")
{
	char *addr = mem_new(PAGES, 1), *copy = mem_new(PAGES, 1);

	advise(addr, PAGES, MADV_FREE);
	place_put(place, addr, PAGES);
	check_kept_or_zero(addr, copy, PAGES);
	mem_fill(addr, PAGES, 2);
	to_system(place->fd, addr, PAGES);
	advise(addr, PAGES, MADV_PAGEOUT);
	mem_check(addr, PAGES, 2);
}

PLACES(remove, "MADV_REMOVE is refused for private memory, which stays as it is")
{
	char *addr = place_new(place, PAGES, 1);

	CHECK_ERRNO(madvise(addr, PAGES * PAGE, MADV_REMOVE), EINVAL);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(cold, "MADV_COLD loses nothing and moves nothing")
{
	char *addr = place_new(place, PAGES, 1);

	advise(addr, PAGES, MADV_COLD);
	place_check(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(pageout, "MADV_PAGEOUT loses nothing")
{
	char *addr = place_new(place, PAGES, 1);

	advise(addr, PAGES, MADV_PAGEOUT);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

static void check_hints(struct place *place, const int *hints, size_t count)
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t before[PAGES], after[PAGES];

	mem_pfns(addr, PAGES, before);
	for (size_t i = 0; i < count; i++)
		advise(addr, PAGES, hints[i]);
	mem_pfns(addr, PAGES, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	mem_check(addr, PAGES, 1);
}

PLACES(hints, "advice about readahead and dumps changes no page")
{
	static const int hints[] = {
		MADV_NORMAL, MADV_SEQUENTIAL, MADV_RANDOM, MADV_WILLNEED,
		MADV_DONTDUMP, MADV_DODUMP,
	};

	check_hints(place, hints, sizeof(hints) / sizeof(*hints));
}

PLACES(huge_hints, "advice about huge pages changes no page")
{
	static const int hints[] = { MADV_HUGEPAGE, MADV_NOHUGEPAGE };

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		SKIP("the kernel has no CONFIG_TRANSPARENT_HUGEPAGE");
	check_hints(place, hints, sizeof(hints) / sizeof(*hints));
}

PLACES(populate, "MADV_POPULATE_READ and _WRITE leave pages that are there alone, and fill holes")
{
	char *addr = mem_map(PAGES);

	mem_fill(addr, PAGES / 2, 1);
	place_put(place, addr, PAGES / 2);
	advise(addr, PAGES, MADV_POPULATE_READ);
	place_check(place, addr, PAGES / 2);
	mem_check_zero(addr + PAGES / 2 * PAGE, PAGES / 2);
	advise(addr, PAGES, MADV_POPULATE_WRITE);
	mem_check(addr, PAGES / 2, 1);
	place_check(place, addr, PAGES / 2);
	check_in_system(place->fd, addr + PAGES / 2 * PAGE, PAGES / 2);
}

PLACES(populate_forked,
	"MADV_POPULATE_WRITE by a child copies the pages, in system memory; the parent keeps them")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		advise(addr, PAGES, MADV_POPULATE_READ);
		place_check(place, addr, PAGES);
		advise(addr, PAGES, MADV_POPULATE_WRITE);
		check_in_system(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

/* Map memory of small pages in the place, which may become huge pages. */
static char *new_to_collapse(struct place *place)
{
	char *addr = mem_map_huge(HUGE_PAGES);

	CHECK_CALL(madvise(addr, HUGE_PAGES * PAGE, MADV_NOHUGEPAGE));
	mem_fill(addr, HUGE_PAGES, 1);
	place_put(place, addr, HUGE_PAGES);
	CHECK_CALL(madvise(addr, HUGE_PAGES * PAGE, MADV_HUGEPAGE));
	return addr;
}

PLACES(collapse, "MADV_COLLAPSE makes a huge page")
{
	char *addr = new_to_collapse(place);

	advise(addr, HUGE_PAGES, MADV_COLLAPSE);
	CHECK_EQ(mem_smaps(addr, "AnonHugePages"), 2048);
	mem_check(addr, HUGE_PAGES, 1);
	place_check_used(place, 0);
}

PLACES(collapse_whole, "MADV_COLLAPSE loses no data and no page, whether it succeeds or not")
{
	char *addr = new_to_collapse(place);

	madvise(addr, HUGE_PAGES * PAGE, MADV_COLLAPSE);
	mem_check(addr, HUGE_PAGES, 1);
	place_check(place, addr, HUGE_PAGES);
	mem_fill(addr, HUGE_PAGES, 2);
	to_system(place->fd, addr, HUGE_PAGES);
	place_check_used(place, 0);
	advise(addr, HUGE_PAGES, MADV_COLLAPSE);
	mem_check(addr, HUGE_PAGES, 2);
}

PLACES(guard, "MADV_GUARD_INSTALL frees the pages at once, and without the guard there are zeros")
{
	char *addr = place_new(place, PAGES, 1);

	if (madvise(mem_map(1), PAGE, MADV_GUARD_INSTALL))
		SKIP("no MADV_GUARD_INSTALL: %s", strerror(errno));
	advise(addr, PAGES, MADV_GUARD_INSTALL);
	place_check_used(place, 0);
	CHECK_ERRNO(madvise(addr, PAGE, MADV_POPULATE_READ), EFAULT);
	/* A migration does not populate a guard page. */
	CHECK_EQ(populate(place->fd, addr, PAGES)
		 .pages[DEVPUB_REASON_POPULATED], 0);
	CHECK_ERRNO(madvise(addr, PAGE, MADV_POPULATE_READ), EFAULT);
	advise(addr, PAGES, MADV_GUARD_REMOVE);
	mem_check_zero(addr, PAGES);
}

PLACES(by_another, "process_madvise() of another process's pages loses nothing and moves nothing")
{
	struct iovec range = { .iov_len = PAGES * PAGE };
	struct test_gate gate;
	char *addr = mem_map(PAGES);
	int pidfd;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		mem_fill(addr, PAGES, 1);
		place_put(place, addr, PAGES);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		place_check(place, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	CHECK_CALL(pidfd);
	range.iov_base = addr;
	CHECK_EQ(syscall(SYS_process_madvise, pidfd, &range, 1, MADV_COLD, 0),
		 PAGES * PAGE);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

PLACES(mincore, "mincore() tells pages from holes")
{
	unsigned char in_core[PAGES];
	char *addr = mem_map(PAGES);

	mem_fill(addr, PAGES / 2, 1);
	place_put(place, addr, PAGES / 2);
	CHECK_CALL(mincore(addr, PAGES * PAGE, in_core));
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(in_core[i] & 1, i < PAGES / 2);
}
