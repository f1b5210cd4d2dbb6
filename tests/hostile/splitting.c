// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A large folio is unmapped while the kernel splits it for a migration.  7.3 then enters a
 * part of the range twice into the caller's arrays (Documentation/kernel-bugs.md).  The guest
 * has slab debugging, which detects writes after the end of an array.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define ROUNDS	200U
#define ARENA	(2 * HUGE_PAGES)

static struct shared {
	char *addr;
	atomic_uint round;
	atomic_bool end;
} shared;

static void *unmap(void *data)
{
	(void)data;
	for (unsigned int seen = 0; !shared.end; ) {
		if (shared.round == seen)
			continue;
		seen = shared.round;
		for (int i = 0; i < 4; i++)
			CHECK_CALL(madvise(shared.addr, HUGE_PAGES * PAGE, MADV_DONTNEED));
	}
	return NULL;
}

/* A huge page, of which the first half is unmapped: small pages map the rest. */
static void touch(void)
{
	CHECK_CALL(madvise(shared.addr, HUGE_PAGES * PAGE, MADV_DONTNEED));
	for (size_t i = 0; i < HUGE_PAGES; i++)
		((volatile char *)shared.addr)[i * PAGE] = 1;
	CHECK_CALL(madvise(shared.addr, HUGE_PAGES / 2 * PAGE, MADV_DONTNEED));
}

static void migrate_beside(unsigned int flags)
{
	const unsigned int rounds = test_rounds(ROUNDS);
	unsigned long moved = 0;
	struct devpub_query query = { 0 };
	pthread_t thread;
	int fd;

	user_admit();
	user_become(ATTACKER);
	fd = device_open();
	shared.addr = mem_map_huge(ARENA);
	CHECK_EQ(pthread_create(&thread, NULL, unmap, NULL), 0);
	for (unsigned int i = 0; i < rounds; i++) {
		struct devpub_migrate arg;

		touch();
		arg = migrate_arg(shared.addr, HUGE_PAGES, NULL);
		arg.flags = flags;
		shared.round++;
		CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
		CHECK_EQ(arg.done, HUGE_PAGES * PAGE);
		CHECK_EQ(arg.moved + arg.populated + arg.already + arg.absent + arg.refused,
			 HUGE_PAGES);
		moved += arg.moved + arg.populated;
	}
	shared.end = true;
	pthread_join(thread, NULL);
	test_note("%u rounds, %lu pages moved", rounds, moved);
	/* No page has been populated without a request. */
	query.addr = address(shared.addr + HUGE_PAGES * PAGE);
	query.length = HUGE_PAGES * PAGE;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_QUERY, &query));
	CHECK_EQ(query.absent, HUGE_PAGES);
}

CASE(unmapped_while_migrated)
{
	migrate_beside(0);
}

CASE(unmapped_while_populated)
{
	migrate_beside(DEVPUB_MIGRATE_POPULATE);
}
