// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Protection: mprotect(), protection keys, and the result of an access. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	32UL

#define NONE		PROT_NONE
#define READ		PROT_READ
#define WRITE		(PROT_READ | PROT_WRITE)

static sigjmp_buf out_of_fault;
static volatile sig_atomic_t fault_code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault_code = info->si_code;
	siglongjmp(out_of_fault, 1);
}

/*
 * Touch a byte: 0, or the code of the SIGSEGV that it gives.  The device gets EFAULT instead,
 * with the address.
 */
static int touch(volatile char *byte, bool write)
{
	struct sigaction action = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO,
	};
	int error;

	CHECK_CALL(sigaction(SIGSEGV, &action, NULL));
	fault_code = 0;
	if (!sigsetjmp(out_of_fault, 1)) {
		error = mem_try_touch(byte, write);
		if (error) {
			CHECK_EQ(error, EFAULT);
			fault_code = SEGV_ACCERR;
		}
	}
	signal(SIGSEGV, SIG_DFL);
	return fault_code;
}

static void protect(void *addr, size_t pages, int prot)
{
	if (mprotect(addr, pages * PAGE, prot))
		FAIL("protection %d: %s", prot, strerror(errno));
}

/*
 * Check that accesses give the results of the protection and change neither the data nor
 * the place.
 */
static void check_protection(struct place *place, char *addr, size_t pages,
			     int prot)
{
	for (size_t i = 0; i < pages; i++) {
		CHECK_EQ(touch(addr + i * PAGE, false),
			 prot & PROT_READ ? 0 : SEGV_ACCERR);
		CHECK_EQ(touch(addr + i * PAGE, true),
			 prot & PROT_WRITE ? 0 : SEGV_ACCERR);
	}
	if (prot & PROT_READ)
		mem_check(addr, pages, 1);
	place_check(place, addr, pages);
}

PLACES(all_ways, "mprotect() from any protection to any other holds, and moves and loses nothing")
{
	static const int prots[] = { NONE, READ, WRITE };
	char *addr = place_new(place, PAGES, 1);
	uint64_t before[PAGES], after[PAGES];

	mem_pfns(addr, PAGES, before);
	for (size_t from = 0; from < 3; from++) {
		for (size_t to = 0; to < 3; to++) {
			protect(addr, PAGES, prots[from]);
			check_protection(place, addr, PAGES, prots[from]);
			protect(addr, PAGES, prots[to]);
			check_protection(place, addr, PAGES, prots[to]);
		}
	}
	mem_pfns(addr, PAGES, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	place_check_used(place, PAGES);
}

PLACES(none_and_back, "PROT_NONE on untouched and on written pages, and back, shows what was there")
{
	char *addr = mem_map(PAGES);

	mem_fill(addr, PAGES / 2, 1);
	place_put(place, addr, PAGES / 2);
	protect(addr, PAGES, NONE);
	CHECK_EQ(touch(addr, false), SEGV_ACCERR);
	CHECK_EQ(touch(addr + (PAGES - 1) * PAGE, false), SEGV_ACCERR);
	protect(addr, PAGES, WRITE);
	mem_check(addr, PAGES / 2, 1);
	mem_check_zero(addr + PAGES / 2 * PAGE, PAGES / 2);
}

PLACES(parts, "mprotect() of single pages splits the mapping, and that of the whole joins it")
{
	char *addr = place_new(place, PAGES, 1);

	for (size_t i = 0; i < PAGES; i++)
		protect(addr + i * PAGE, 1, i % 3 == 0 ? NONE :
					    i % 3 == 1 ? READ : WRITE);
	for (size_t i = 0; i < PAGES; i++) {
		CHECK_EQ(touch(addr + i * PAGE, false), i % 3 ? 0 : SEGV_ACCERR);
		CHECK_EQ(touch(addr + i * PAGE, true),
			 i % 3 == 2 ? 0 : SEGV_ACCERR);
	}
	protect(addr, PAGES, WRITE);
	check_protection(place, addr, PAGES, WRITE);
}

PLACES(huge_part, "mprotect() of a part of what was a huge page holds for that part only")
{
	char *addr = place_new_huge(place, HUGE_PAGES, 1);

	protect(addr + 100 * PAGE, 100, READ);
	CHECK_EQ(touch(addr + 99 * PAGE, true), 0);
	CHECK_EQ(touch(addr + 100 * PAGE, true), SEGV_ACCERR);
	CHECK_EQ(touch(addr + 199 * PAGE, true), SEGV_ACCERR);
	CHECK_EQ(touch(addr + 200 * PAGE, true), 0);
	mem_check(addr, HUGE_PAGES, 1);
	place_check(place, addr, HUGE_PAGES);
}

/* A protection from before the move applies after it. */
static void moved_with(struct place *place, int prot)
{
	char *addr = mem_new(PAGES, 1);

	protect(addr, PAGES, prot);
	place_put(place, addr, PAGES);
	check_protection(place, addr, PAGES, prot);
	protect(addr, PAGES, WRITE);
	check_protection(place, addr, PAGES, WRITE);
}

PLACES(moved_read_only, "pages that may only be read are so where they are moved to")
{
	moved_with(place, READ);
}

PLACES(moved_inaccessible,
	"pages that nobody may touch move all the same, and are so where they are moved to")
{
	moved_with(place, NONE);
}

ONCE(untouchable_holes, "holes of memory that nobody may touch stay holes, also for who wants them filled")
{
	int fd = device_open();
	char *addr = mem_map(PAGES);

	protect(addr, PAGES, NONE);
	CHECK_EQ(populate(fd, addr, PAGES).pages[DEVPUB_REASON_ABSENT], PAGES);
	CHECK_EQ(mem_smaps(addr, "Rss"), 0);
	protect(addr, PAGES, WRITE);
	mem_check_zero(addr, PAGES);
}

PLACES(system_calls, "a system call gets EFAULT where its process would get SIGSEGV")
{
	char *addr = place_new(place, 2, 1);
	int ends[2];

	CHECK_CALL(pipe(ends));
	protect(addr, 2, READ);
	CHECK_EQ(write(ends[1], addr, PAGE), PAGE);
	CHECK_ERRNO(read(ends[0], addr, PAGE), EFAULT);
	protect(addr, 2, NONE);
	CHECK_ERRNO(write(ends[1], addr, PAGE), EFAULT);
	protect(addr, 2, WRITE);
	mem_check(addr, 2, 1);
	place_check(place, addr, 2);
}

PLACES(forked, "a child may unprotect what it inherited, and its writes are its own")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid;

	protect(addr, PAGES, NONE);
	pid = test_fork();
	if (pid == 0) {
		CHECK_EQ(touch(addr, false), SEGV_ACCERR);
		protect(addr, PAGES, WRITE);
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	CHECK_EQ(touch(addr, false), SEGV_ACCERR);
	protect(addr, PAGES, READ);
	check_protection(place, addr, PAGES, READ);
}

/* This code is copied to other pages, so it must be position-independent. */
static int __attribute__((noinline, noclone, section(".text.moving")))
forty_two(void)
{
	return 42;
}

PLACES(executes, "code runs wherever its pages are")
{
	char *addr = mem_map(1);
	int (*code)(void) = (int (*)(void))addr;

	mem_write(addr, forty_two, 64);
	__builtin___clear_cache(addr, addr + 64);
	protect(addr, 1, PROT_READ | PROT_EXEC);
	place_put(place, addr, 1);
	CHECK_EQ(code(), 42);
	CHECK_EQ(touch(addr, true), SEGV_ACCERR);
	CHECK(mem_equal(addr, forty_two, 64));
	place_check(place, addr, 1);
}

/* Allocate a protection key, or skip the case. */
static int new_key(void)
{
	int key = pkey_alloc(0, 0);

	if (key < 0)
		SKIP("no protection keys: %s", strerror(errno));
	return key;
}

static void check_key(char *addr, int key, unsigned int rights)
{
	CHECK_CALL(pkey_set(key, rights));
	CHECK_EQ(touch(addr, false),
		 rights & PKEY_DISABLE_ACCESS ? SEGV_PKUERR : 0);
	CHECK_EQ(touch(addr, true), rights ? SEGV_PKUERR : 0);
	CHECK_CALL(pkey_set(key, 0));
}

static void check_key_rights(char *addr, int key)
{
	check_key(addr, key, PKEY_DISABLE_ACCESS);
	check_key(addr, key, PKEY_DISABLE_WRITE);
	check_key(addr, key, 0);
	mem_check(addr, PAGES, 1);
}

PLACES(pkey_given, "a protection key given to the pages holds, and moves and loses nothing")
{
	char *addr = place_new(place, PAGES, 1);
	int key = new_key();

	CHECK_CALL(pkey_mprotect(addr, PAGES * PAGE, WRITE, key));
	check_key_rights(addr, key);
	place_check(place, addr, PAGES);
}

PLACES(pkey_kept, "pages keep their protection key when they move, also when it forbids access")
{
	int key = new_key();
	char *addr = mem_new(PAGES, 1);

	CHECK_CALL(pkey_mprotect(addr, PAGES * PAGE, WRITE, key));
	CHECK_CALL(pkey_set(key, PKEY_DISABLE_ACCESS));
	place_put(place, addr, PAGES);
	CHECK_EQ(touch(addr, false), SEGV_PKUERR);
	CHECK_CALL(pkey_set(key, 0));
	check_key_rights(addr, key);
	place_check(place, addr, PAGES);
}

PLACES(pkey_forked, "a child's copies have the protection key of its parent's pages")
{
	int key = new_key();
	char *addr = place_new(place, PAGES, 1);
	pid_t pid;

	CHECK_CALL(pkey_mprotect(addr, PAGES * PAGE, WRITE, key));
	pid = test_fork();
	if (pid == 0) {
		check_key_rights(addr, key);
		mem_fill(addr, PAGES, 1);
		check_key_rights(addr, key);
		_exit(0);
	}
	test_wait(pid);
	check_key_rights(addr, key);
	place_check(place, addr, PAGES);
}
