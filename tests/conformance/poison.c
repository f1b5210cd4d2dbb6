// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory errors of the hardware.  A poisoned page stays poisoned until the next boot. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

#define PAGES	3UL

/* Kernels that handle memory errors have this file. */
#define HANDLING	"/proc/sys/vm/memory_failure_recovery"

/* The CPU gets SIGBUS from a lost page, and the device EHWPOISON, which is raised as such. */
static void look_at(char *page)
{
	if (mem_try_touch(page, false) == EHWPOISON)
		raise(SIGBUS);
}

PLACES(lost, "who looks at a page that the hardware lost gets SIGBUS")
{
	char *addr = place_new(place, PAGES, 1);
	int status;
	pid_t pid;

	machine_needs(HANDLING);
	pid = test_fork();
	if (pid == 0) {
		CHECK_CALL(madvise(addr, PAGE, MADV_HWPOISON));
		look_at(addr);
		_exit(0);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGBUS);
}

static sigjmp_buf after;
static volatile sig_atomic_t unexpected;

static void on_sigbus(int sig)
{
	if (unexpected)
		FAIL("a page is lost that should not be");
	siglongjmp(after, sig);
}

PLACES(neighbours, "the neighbours of a page that the hardware lost, or that can't be lost, keep their data and move")
{
	struct sigaction action = { .sa_handler = on_sigbus };
	char *addr = place_new(place, PAGES, 1), *copy = mem_new(PAGES, 1);

	CHECK_CALL(sigaction(SIGBUS, &action, NULL));
	if (!sigsetjmp(after, 1)) {
		madvise(addr + PAGE, PAGE, MADV_HWPOISON);
		look_at(addr + PAGE);
		CHECK(mem_equal(addr + PAGE, copy + PAGE, PAGE));
	}
	CHECK(mem_equal(addr, copy, PAGE));
	CHECK(mem_equal(addr + 2 * PAGE, copy + 2 * PAGE, PAGE));
	to_device(place->fd, addr, PAGES);
	check_on_device(place->fd, addr, 1);
	check_on_device(place->fd, addr + 2 * PAGE, 1);
	to_system(place->fd, addr, PAGES);
	check_in_system(place->fd, addr, 1);
	check_in_system(place->fd, addr + 2 * PAGE, 1);
	CHECK(mem_equal(addr, copy, PAGE));
	CHECK(mem_equal(addr + 2 * PAGE, copy + 2 * PAGE, PAGE));
}

ONCE(moving, "the neighbours of pages that the hardware loses while all move keep their data")
{
	struct sigaction action = { .sa_handler = on_sigbus };
	const size_t pages = 64, step = 8;
	char *addr = mem_new(pages, 1), *copy = mem_new(pages, 1);
	volatile size_t at = 0;
	struct mover mover;

	machine_needs(HANDLING);
	CHECK_CALL(sigaction(SIGBUS, &action, NULL));
	mover_start(&mover, addr, pages);
	while (mover_round(&mover) || !at) {
		/*
		 * The kernel refuses to poison a page on the device, or poisons it at
		 * once.  A page that moves at that moment is marked as poisoned but stays
		 * in use; another attempt gets EHWPOISON (mm/memory-failure.c).
		 */
		if (at < pages && (sigsetjmp(after, 1) ||
				   !madvise(addr + at * PAGE, PAGE, MADV_HWPOISON) ||
				   errno == EHWPOISON))
			at += step;
		unexpected = 1;
		for (size_t i = 0; i < pages; i++)
			if (i % step)
				CHECK(mem_equal(addr + i * PAGE, copy + i * PAGE,
						PAGE));
		unexpected = 0;
		for (volatile size_t i = 0; i < at; i += step)
			/* Pages that are not poisoned keep their data. */
			if (!sigsetjmp(after, 1)) {
				look_at(addr + i * PAGE);
				CHECK(mem_equal(addr + i * PAGE,
						copy + i * PAGE, PAGE));
			}
	}
	mover_stop(&mover);
}
