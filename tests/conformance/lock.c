// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory that mlock() locks. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL
#define KB	(PAGES * PAGE / 1024)

static long long locked_kb(void)
{
	return test_field("/proc/self/status", "VmLck");
}

/* Return the number of locked pages, without those of earlier cases. */
static long long mlocked_kb(void)
{
	machine_drain_batches();
	return machine_meminfo("Mlocked");
}

/*
 * Return the number of locked pages after the batches are empty.  The kernel counts pages
 * in batches of a processor, which another mlock() empties.
 */
static void await_mlocked(long long kb)
{
	unsigned long long end = test_milliseconds() + 5000;
	char *other = mem_map(1);

	CHECK_CALL(mlock(other, PAGE));
	CHECK_CALL(munlock(other, PAGE));
	while (machine_meminfo("Mlocked") != kb) {
		if (test_milliseconds() > end)
			FAIL("Mlocked: %lld kB instead of %lld",
			     machine_meminfo("Mlocked"), kb);
		test_sleep(50);
	}
}

PLACES(lock, "mlock() and munlock() count the pages, and move and lose nothing")
{
	char *addr = place_new(place, PAGES, 1);
	long long before = locked_kb();

	CHECK_CALL(mlock(addr, PAGES * PAGE));
	CHECK_EQ(locked_kb(), before + KB);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	CHECK_CALL(munlock(addr, PAGES * PAGE));
	CHECK_EQ(locked_kb(), before);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, 0);
}

PLACES(locked_moves, "locked pages move as others do, and stay locked")
{
	char *addr = mem_new(PAGES, 1);
	long long before = locked_kb();

	CHECK_CALL(mlock(addr, PAGES * PAGE));
	place_put(place, addr, PAGES);
	CHECK_EQ(locked_kb(), before + KB);
	CHECK_EQ(mem_smaps(addr, "Locked"), KB);
	CHECK_ERRNO(madvise(addr, PAGES * PAGE, MADV_DONTNEED), EINVAL);
	mem_check(addr, PAGES, 1);
}

/* Map locked pages in the place, none of them in another processor's batch. */
static char *new_locked(struct place *place)
{
	char *addr;

	place_stay_on_cpu();
	addr = mem_new(PAGES, 1);
	CHECK_CALL(mlock(addr, PAGES * PAGE));
	place_put(place, addr, PAGES);
	return addr;
}

PLACES(freed_locked, "locked pages are freed with their mapping, at once")
{
	char *addr = new_locked(place);

	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, 0);
}

PLACES(mlocked_count, "after the end of locked pages the system counts as many as before")
{
	long long before = mlocked_kb();
	char *addr = new_locked(place);

	CHECK_CALL(munmap(addr, PAGES * PAGE));
	await_mlocked(before);
}

PLACES(unlocked_count, "after munlock() the system counts as many locked pages as before")
{
	long long before = mlocked_kb();
	char *addr = new_locked(place);

	CHECK_CALL(munlock(addr, PAGES * PAGE));
	await_mlocked(before);
}

PLACES(unlocked_end, "after munlock() and the end of the pages the system counts as many locked pages as before")
{
	long long before = mlocked_kb();
	char *addr = new_locked(place);

	CHECK_CALL(munlock(addr, PAGES * PAGE));
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	await_mlocked(before);
}

PLACES(lock_part, "munlock() of a part leaves the rest locked")
{
	char *addr = place_new(place, PAGES, 1);
	long long before = locked_kb();

	CHECK_CALL(mlock(addr, PAGES * PAGE));
	CHECK_CALL(munlock(addr + PAGES / 4 * PAGE, PAGES / 2 * PAGE));
	CHECK_EQ(locked_kb(), before + KB / 2);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(on_fault, "MLOCK_ONFAULT locks the pages that are there, and each hole when it is filled")
{
	char *addr = mem_map(2 * PAGES);

	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	CHECK_CALL(mlock2(addr, 2 * PAGES * PAGE, MLOCK_ONFAULT));
	place_check(place, addr, PAGES);
	check_absent(place->fd, addr + PAGES * PAGE, PAGES);
	mem_fill(addr + PAGES * PAGE, PAGES, 2);
	mem_check(addr, PAGES, 1);
	check_in_system(place->fd, addr + PAGES * PAGE, PAGES);
	CHECK_EQ(mem_smaps(addr, "Locked"), 2 * KB);
}

PLACES(lock_fills, "mlock() fills the holes in system memory, and leaves pages where they are")
{
	char *addr = mem_map(2 * PAGES);

	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	CHECK_CALL(mlock(addr, 2 * PAGES * PAGE));
	place_check(place, addr, PAGES);
	check_in_system(place->fd, addr + PAGES * PAGE, PAGES);
	mem_check(addr, PAGES, 1);
	mem_check_zero(addr + PAGES * PAGE, PAGES);
}

PLACES(lock_all, "mlockall() locks all pages there are and will be, munlockall() none")
{
	char *addr = place_new(place, PAGES, 1), *more;

	CHECK_CALL(mlockall(MCL_CURRENT | MCL_FUTURE));
	CHECK_CMP(locked_kb(), >=, KB);
	more = mem_map(PAGES);
	check_in_system(place->fd, more, PAGES);
	place_put(place, more, PAGES);
	mem_check_zero(more, PAGES);
	place_check(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	CHECK_CALL(munlockall());
	CHECK_EQ(locked_kb(), 0);
	place_check(place, addr, PAGES);
	place_check(place, more, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(lock_all_on_fault, "mlockall() on fault leaves holes and pages as they are")
{
	char *addr = place_new(place, PAGES, 1), *more;

	CHECK_CALL(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
	more = mem_map(PAGES);
	check_absent(place->fd, more, PAGES);
	mem_fill(more, PAGES, 2);
	place_put(place, more, PAGES);
	mem_check(more, PAGES, 2);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(forked, "a child inherits the pages, not the lock")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid;

	CHECK_CALL(mlock(addr, PAGES * PAGE));
	pid = test_fork();
	if (pid == 0) {
		CHECK_EQ(locked_kb(), 0);
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(limited, "RLIMIT_MEMLOCK counts pages wherever they are")
{
	const struct rlimit limit = { PAGES / 2 * PAGE, PAGES / 2 * PAGE };
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		CHECK_CALL(setrlimit(RLIMIT_MEMLOCK, &limit));
		CHECK_CALL(setuid(65534));
		CHECK_ERRNO(mlock(addr, PAGES * PAGE), ENOMEM);
		CHECK_CALL(mlock(addr, PAGES / 2 * PAGE));
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}
