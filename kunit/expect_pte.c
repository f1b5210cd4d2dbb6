// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Expectations of page table entries, with one row per event; see expect.c.
 */
#include <linux/build_bug.h>

#include "expect.h"
#include "fixture.h"

#define N	DEVPUB_CLEAR
#define Y	DEVPUB_SET
#define K	DEVPUB_KEPT
/*
 * Up to 6.1, a migration that maps a dirty page again marks it soft-dirty, because it calls
 * pte_mkdirty() (mm/migrate.c, remove_migration_pte()).  Also up to 6.1, mprotect() leaves a
 * page that is not dirty read-only until the next write (mm/mprotect.c,
 * can_change_pte_writable()).
 */
#define S	(DEVPUB_COMPAT_DIRTY_COUNTS ? DEVPUB_KEPT_OR_DIRTY : DEVPUB_KEPT)
#define W	(DEVPUB_COMPAT_DIRTY_COUNTS ? DEVPUB_AS_DIRTY : DEVPUB_SET)
/* 6.17 removed this flag.  Before, it marked pages of other devices. */
#define D	(DEVPUB_COMPAT_DEVMAP ? DEVPUB_CLEAR : DEVPUB_NO_SUCH)

/*
 * The page table entry of a page.  Linux 4.14 marked the entry of a device-public page as
 * devmap; a coherent page has an ordinary entry.
 */
static struct devpub_expect_pte expect_ptes[] = {
	/* event		  migration   writable	   young       special */
	/*			      on_device	   dirty       soft_dirty  devmap */
	{ DEVPUB_EVENT_MOVED_TO,	N,  Y,  K,  K,  K,  S,  N,  D },
	{ DEVPUB_EVENT_MOVED_FROM,	N,  N,  K,  K,  K,  S,  N,  D },
	{ DEVPUB_EVENT_REFUSED,		N,  K,  K,  K,  K,  S,  N,  D },
	{ DEVPUB_EVENT_COLLECTED,	Y,  K,  K,  N,  N,  K,  N,  D },
	{ DEVPUB_EVENT_FILLED,		N,  Y,  Y,  Y,  Y,  Y,  N,  D },
	{ DEVPUB_EVENT_FORK_PARENT,	N,  Y,  N,  K,  K,  K,  N,  D },
	{ DEVPUB_EVENT_FORK_CHILD,	N,  Y,  N,  K,  N,  K,  N,  D },
	{ DEVPUB_EVENT_PROTECTED,	N,  Y,  N,  K,  K,  K,  N,  D },
	{ DEVPUB_EVENT_UNPROTECTED,	N,  Y,  W,  K,  K,  K,  N,  D },
	{ DEVPUB_EVENT_PROTECTED_WHOLLY, N, Y,  N,  K,  K,  K,  N,  D },
};

static_assert(ARRAY_SIZE(expect_ptes) == DEVPUB_EVENTS);

/**
 * devpub_expect_pte_spoil() - make a value of the table wrong
 * @row: number of the row
 * @member: number of the flag in that row
 *
 * Return: the case that must fail.
 */
const char *devpub_expect_pte_spoil(unsigned int row, unsigned int member)
{
	struct devpub_expect_pte *pte = &expect_ptes[row];
	enum devpub_mark *marks[] = {
		&pte->migration, &pte->on_device, &pte->writable, &pte->dirty,
		&pte->young, &pte->soft_dirty, &pte->special, &pte->devmap,
	};
	static const enum devpub_mark opposites[] = {
		[DEVPUB_CLEAR]	= DEVPUB_SET,
		[DEVPUB_SET]	= DEVPUB_CLEAR,
		[DEVPUB_KEPT]	= DEVPUB_CHANGED,
		[DEVPUB_KEPT_OR_DIRTY] = DEVPUB_CHANGED,
		[DEVPUB_AS_DIRTY] = DEVPUB_CLEAR,
		[DEVPUB_NO_SUCH] = DEVPUB_CLEAR,
	};
	static const char * const event_cases[] = {
		[DEVPUB_EVENT_MOVED_TO]		= "pte_moved_there_and_back",
		[DEVPUB_EVENT_MOVED_FROM]	= "pte_moved_there_and_back",
		[DEVPUB_EVENT_REFUSED]		= "pte_refused",
		[DEVPUB_EVENT_COLLECTED]	= "pte_collected",
		[DEVPUB_EVENT_FILLED]		= "pte_filled",
		[DEVPUB_EVENT_FORK_PARENT]	= "pte_forked",
		[DEVPUB_EVENT_FORK_CHILD]	= "pte_forked",
		[DEVPUB_EVENT_PROTECTED]	= "pte_mprotected",
		[DEVPUB_EVENT_UNPROTECTED]	= "pte_mprotected",
		[DEVPUB_EVENT_PROTECTED_WHOLLY]	= "pte_mprotected",
	};

	*marks[member] = opposites[*marks[member]];
	return event_cases[pte->event];
}

static bool expect_mark(enum devpub_mark mark, bool before, bool dirty)
{
	if (mark == DEVPUB_KEPT_OR_DIRTY)
		return before || dirty;
	if (mark == DEVPUB_AS_DIRTY)
		return dirty;
	if (mark == DEVPUB_KEPT || mark == DEVPUB_CHANGED)
		return before == (mark == DEVPUB_KEPT);
	return mark == DEVPUB_SET;
}

/**
 * devpub_expect_pte() - compare a page table entry with its row
 * @test: the case; its priv is a struct devpub_fixture
 * @event: the event
 * @before: the entry before that
 * @now: the entry after it
 */
void devpub_expect_pte(struct kunit *test, enum devpub_event event,
		       const struct devpub_pte *before, struct devpub_pte now)
{
	const struct devpub_expect_pte *row = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expect_ptes); i++)
		if (expect_ptes[i].event == event)
			row = &expect_ptes[i];
	/* Do not use an assertion, because the caller may hold locks. */
	KUNIT_EXPECT_NOT_NULL(test, row);
	if (!row)
		return;

	KUNIT_EXPECT_FALSE(test, now.swap);
	KUNIT_EXPECT_EQ(test, now.migration,
			expect_mark(row->migration, before->migration, now.dirty));
	KUNIT_EXPECT_EQ(test, now.present, !now.migration);
	KUNIT_EXPECT_EQ(test, devpub_fixture_owns(test->priv, now.pfn),
			expect_mark(row->on_device,
				    devpub_fixture_owns(test->priv, before->pfn),
				    now.dirty));
	KUNIT_EXPECT_EQ(test, now.writable,
			expect_mark(row->writable, before->writable, now.dirty));
	KUNIT_EXPECT_EQ(test, now.dirty,
			expect_mark(row->dirty, before->dirty, now.dirty));
	KUNIT_EXPECT_EQ(test, now.young,
			expect_mark(row->young, before->young, now.dirty));
	KUNIT_EXPECT_EQ(test, now.soft_dirty,
			expect_mark(row->soft_dirty, before->soft_dirty, now.dirty));
	KUNIT_EXPECT_EQ(test, now.special,
			expect_mark(row->special, before->special, now.dirty));
	KUNIT_EXPECT_EQ(test, row->devmap == DEVPUB_NO_SUCH,
			!DEVPUB_COMPAT_DEVMAP);
	if (DEVPUB_COMPAT_DEVMAP)
		KUNIT_EXPECT_EQ(test, now.devmap,
				expect_mark(row->devmap, before->devmap, now.dirty));
}
