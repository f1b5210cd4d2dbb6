// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Expectations of the kernel: tables with the expected counts of a migrating page in each
 * phase, and of a page at rest.  Each row states one fact.  If kernels differ, a value
 * depends on a condition from src/compat.h.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include <linux/devpub.h>

#include "expect.h"
#include "fault.h"
#include "fixture.h"

/* BACK: both directions from the device. */
#define BACK		(DEVPUB_FROM | DEVPUB_EVICT)
#define ANY_DIRECTION	(DEVPUB_TO | BACK)

int devpub_expect_pagemap_refs = 1;

/*
 * The result of a page for each obstacle.  The kernel's check at unmap allows a device page one
 * reference more than a system page (mm/migrate_device.c, migrate_vma_check_page()).  The
 * engine counts references again and does not copy a page with an extra one, because its
 * holder could write to the page and drop the reference before the kernel's last check
 * (mm/migrate.c, folio_migrate_mapping()).  So only a reference that is taken after the copy
 * reaches that last check.
 */
static struct devpub_expect_result expect_results[] = {
	/* directions	obstacle	refs	result		reason */
	{ ANY_DIRECTION, DEVPUB_NOTHING, 0, DEVPUB_MOVED, DEVPUB_REASON_MOVED },

	{ DEVPUB_TO, DEVPUB_REF,	1, DEVPUB_NOT_COLLECTED, DEVPUB_REASON_BUSY },
	{ BACK, DEVPUB_REF,		1, DEVPUB_SKIPPED, DEVPUB_REASON_BUSY },
	{ ANY_DIRECTION, DEVPUB_TWO_REFS, 2, DEVPUB_NOT_COLLECTED, DEVPUB_REASON_BUSY },

	{ DEVPUB_TO, DEVPUB_GUP,	1, DEVPUB_NOT_COLLECTED, DEVPUB_REASON_BUSY },
	{ BACK, DEVPUB_GUP,		1, DEVPUB_SKIPPED, DEVPUB_REASON_BUSY },
	{ ANY_DIRECTION, DEVPUB_PIN, GUP_PIN_COUNTING_BIAS, DEVPUB_NOT_COLLECTED,
	  DEVPUB_REASON_PINNED },
	{ ANY_DIRECTION, DEVPUB_LATE_REF, 1, DEVPUB_NOT_MOVED, DEVPUB_REASON_BUSY },

	{ DEVPUB_TO, DEVPUB_SWAPCACHE,	1, DEVPUB_SKIPPED, DEVPUB_REASON_SWAPCACHE },
	{ DEVPUB_TO, DEVPUB_FULL,	0, DEVPUB_SKIPPED, DEVPUB_REASON_NO_SPACE },
#if DEVPUB_FAULT_POSSIBLE
	{ DEVPUB_FROM, DEVPUB_NO_MEMORY, 0, DEVPUB_SKIPPED, DEVPUB_REASON_NO_SPACE },
	/* An eviction then allocates memory of any node. */
	{ DEVPUB_EVICT, DEVPUB_NO_MEMORY, 0, DEVPUB_MOVED, DEVPUB_REASON_MOVED },
#endif

	/* A hole has no page to hold, so the counts are those of the destination. */
	{ DEVPUB_TO, DEVPUB_HOLE,	0, DEVPUB_FILLED, DEVPUB_REASON_POPULATED },
#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
	{ DEVPUB_TO, DEVPUB_HOLE_TAKEN,	0, DEVPUB_NOT_FILLED, DEVPUB_REASON_BUSY },
#endif
};

#define BEFORE		DEVPUB_PHASE_BEFORE
#define SETUP		DEVPUB_PHASE_SETUP
#define FILLED		DEVPUB_PHASE_FILLED
#define PAGES		DEVPUB_PHASE_PAGES
#define FINALIZED	DEVPUB_PHASE_FINALIZED
#define SRC		DEVPUB_SOURCE
#define DST		DEVPUB_DESTINATION

/*
 * References, mappings and LRU state.  A system page has one more reference while it waits
 * in a processor's batch for the LRU.  The tests drain the batches before each check, except
 * for the first row.
 */
static struct devpub_expect_count expect_counts[] = {
	/* directions result			phase	   role mapped extra locked lru */
	{ DEVPUB_TO, DEVPUB_MOVED, DEVPUB_PHASE_FRESH, SRC, true, 1, false, false },

	{ DEVPUB_TO, DEVPUB_MOVED,		BEFORE,    SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_MOVED,		SETUP,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_MOVED,		FILLED,    SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_MOVED,		FILLED,    DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_MOVED,		PAGES,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_MOVED,		PAGES,     DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_MOVED,		FINALIZED, SRC, false, 0, false, false },
	{ DEVPUB_TO, DEVPUB_MOVED,		FINALIZED, DST, true,  0, false, false },

	{ BACK, DEVPUB_MOVED,			BEFORE,    SRC, true,  0, false, false },
	{ BACK, DEVPUB_MOVED,			SETUP,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_MOVED,			FILLED,    SRC, false, 1, true,  false },
	{ BACK, DEVPUB_MOVED,			FILLED,    DST, false, 1, true,  false },
	{ BACK, DEVPUB_MOVED,			PAGES,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_MOVED,			PAGES,     DST, false, 1, true,  false },
	{ BACK, DEVPUB_MOVED,			FINALIZED, SRC, false, 0, false, false },
	{ BACK, DEVPUB_MOVED,			FINALIZED, DST, true,  0, false, true },

	/* There is no source, and one mapping, that of the hole. */
	{ DEVPUB_TO, DEVPUB_FILLED,		FILLED,    DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_FILLED,		PAGES,     DST, true,  1, true,  false },
	{ DEVPUB_TO, DEVPUB_FILLED,		FINALIZED, DST, true,  0, false, false },

#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
	{ DEVPUB_TO, DEVPUB_NOT_FILLED,		FILLED,    DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_FILLED,		PAGES,     DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_FILLED,		FINALIZED, DST, false, 0, false, false },
#endif

	/* The engine does not select the page: there is no destination. */
	{ DEVPUB_TO, DEVPUB_SKIPPED,		BEFORE,    SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_SKIPPED,		SETUP,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_SKIPPED,		FILLED,    SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_SKIPPED,		PAGES,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_SKIPPED,		FINALIZED, SRC, true,  0, false, true },

	{ BACK, DEVPUB_SKIPPED,			BEFORE,    SRC, true,  0, false, false },
	{ BACK, DEVPUB_SKIPPED,			SETUP,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_SKIPPED,			FILLED,    SRC, false, 1, true,  false },
	{ BACK, DEVPUB_SKIPPED,			PAGES,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_SKIPPED,			FINALIZED, SRC, true,  0, false, false },

	/* migrate_vma_setup() itself restores the page: there is no destination. */
	{ DEVPUB_TO, DEVPUB_NOT_COLLECTED,	BEFORE,    SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_NOT_COLLECTED,	SETUP,     SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_NOT_COLLECTED,	FINALIZED, SRC, true,  0, false, true },
	{ BACK, DEVPUB_NOT_COLLECTED,		BEFORE,    SRC, true,  0, false, false },
	{ BACK, DEVPUB_NOT_COLLECTED,		SETUP,     SRC, true,  0, false, false },
	{ BACK, DEVPUB_NOT_COLLECTED,		FINALIZED, SRC, true,  0, false, false },

	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		BEFORE,    SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		SETUP,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		FILLED,    SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		FILLED,    DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		PAGES,     SRC, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		PAGES,     DST, false, 1, true,  false },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		FINALIZED, SRC, true,  0, false, true },
	{ DEVPUB_TO, DEVPUB_NOT_MOVED,		FINALIZED, DST, false, 0, false, false },
	{ BACK, DEVPUB_NOT_MOVED,		BEFORE,    SRC, true,  0, false, false },
	{ BACK, DEVPUB_NOT_MOVED,		SETUP,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_NOT_MOVED,		FILLED,    SRC, false, 1, true,  false },
	{ BACK, DEVPUB_NOT_MOVED,		FILLED,    DST, false, 1, true,  false },
	{ BACK, DEVPUB_NOT_MOVED,		PAGES,     SRC, false, 1, true,  false },
	{ BACK, DEVPUB_NOT_MOVED,		PAGES,     DST, false, 1, true,  false },
	{ BACK, DEVPUB_NOT_MOVED,		FINALIZED, SRC, true,  0, false, false },
	{ BACK, DEVPUB_NOT_MOVED,		FINALIZED, DST, false, 0, false, false },
};

/* Each mapping and each holder has a reference; a new page has that of its allocation. */
static struct devpub_expect_state expect_states[] = {
	/* state		 refs mapped locked */
	{ DEVPUB_STATE_FREE,		0, 0, false },
	{ DEVPUB_STATE_ALLOCATED,	1, 0, true },
	{ DEVPUB_STATE_MAPPED,		1, 1, false },
	{ DEVPUB_STATE_HELD,		1, 0, false },
};

/* Return the names of the cases that compare pages of these directions. */
static const char *direction_cases(unsigned int directions)
{
	switch (directions) {
	case ANY_DIRECTION:
		return "count_to_device count_from_device count_evicted";
	case DEVPUB_TO | DEVPUB_FROM:
		return "count_to_device count_from_device";
	case BACK:
		return "count_from_device count_evicted";
	case DEVPUB_FROM:
		return "count_from_device";
	default:
		return "count_to_device";
	}
}

static const char *result_spoil(unsigned int row, unsigned int member)
{
	struct devpub_expect_result *result = &expect_results[row];

	if (member == 0)
		result->refs++;
	else if (member == 1)
		result->result = result->result == DEVPUB_MOVED ? DEVPUB_NOT_MOVED : DEVPUB_MOVED;
	else
		result->reason = result->reason == DEVPUB_REASON_MOVED ?
				DEVPUB_REASON_BUSY : DEVPUB_REASON_MOVED;

	switch (result->obstacle) {
	case DEVPUB_SWAPCACHE:
		return "count_of_swapcache_page";
	case DEVPUB_FULL:
		return "count_of_full_device";
	case DEVPUB_NO_MEMORY:
		return "count_short_of_memory";
	case DEVPUB_HOLE:
		return "count_of_hole count_of_zero_page";
	case DEVPUB_HOLE_TAKEN:
		return "count_of_taken_hole";
	default:
		/* An eviction reports no reason. */
		return direction_cases(member == 2 ? result->directions & ~DEVPUB_EVICT :
						     result->directions);
	}
}

static const char *count_spoil(unsigned int row, unsigned int member)
{
	struct devpub_expect_count *count = &expect_counts[row];

	if (member == 0)
		count->mapped = !count->mapped;
	else if (member == 1)
		count->extra++;
	else if (member == 2)
		count->locked = !count->locked;
	else
		count->lru = !count->lru;

	if (count->phase == DEVPUB_PHASE_FRESH)
		return "count_of_fresh_page";
	switch (count->result) {
	case DEVPUB_FILLED:
		return "count_of_hole count_of_zero_page";
	case DEVPUB_NOT_FILLED:
		return "count_of_taken_hole";
	case DEVPUB_SKIPPED:
		return count->directions & DEVPUB_TO ?
		       "count_of_full_device count_of_swapcache_page" :
		       direction_cases(count->directions);
	default:
		return direction_cases(count->directions);
	}
}

static const char *state_spoil(unsigned int row, unsigned int member)
{
	struct devpub_expect_state *state = &expect_states[row];
	static const char * const cases[] = {
		[DEVPUB_STATE_FREE]		= "refcount_free_pages",
		[DEVPUB_STATE_ALLOCATED]	= "refcount_put_page",
		[DEVPUB_STATE_MAPPED]		= "refcount_of_mappings",
		[DEVPUB_STATE_HELD]		= "refcount_extra_reference",
	};

	if (member == 0)
		state->refs++;
	else if (member == 1)
		state->mapped++;
	else
		state->locked = !state->locked;
	return cases[state->state];
}

static const char *pagemap_spoil(unsigned int row, unsigned int member)
{
	devpub_expect_pagemap_refs++;
	return "refcount_pagemap_balances";
}

/*
 * Prove that each value above matters: if any one is wrong, all cases that compare with it
 * must fail.  The log names those cases (scripts/checks/kunit-values).
 */
static int wrong_set(const char *text, const struct kernel_param *param)
{
	static const struct {
		const char *name;
		unsigned int rows, members;
		const char *(*spoil)(unsigned int row, unsigned int member);
	} tables[] = {
		{ "results", ARRAY_SIZE(expect_results), 3, result_spoil },
		{ "counts", ARRAY_SIZE(expect_counts), 4, count_spoil },
		{ "states", ARRAY_SIZE(expect_states), 3, state_spoil },
		{ "ptes", DEVPUB_EVENTS, 8, devpub_expect_pte_spoil },
		{ "pagemap", 1, 1, pagemap_spoil },
	};
	unsigned int value, i;
	char name[8];

	if (sscanf(text, "%7[^:]:%u", name, &value) != 2)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (strcmp(name, tables[i].name))
			continue;
		if (value >= tables[i].rows * tables[i].members)
			return -ERANGE;
		pr_info("devpub_kunit: %s is for: %s\n", text,
			tables[i].spoil(value / tables[i].members,
					value % tables[i].members));
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops wrong_ops = { .set = wrong_set };
module_param_cb(wrong, &wrong_ops, NULL, 0);
MODULE_PARM_DESC(wrong, "TABLE:N: spoil value N, counted from 0, of a table of expected values, so that a case fails");

static const char * const direction_names[] = {
	[DEVPUB_TO]	= "to the device",
	[DEVPUB_FROM]	= "from the device",
	[DEVPUB_EVICT]	= "evicted",
};

static const char * const phase_names[] = {
	[DEVPUB_PHASE_FRESH] = "just faulted in",
	[BEFORE]	= "before",
	[SETUP]		= "after setup",
	[FILLED]	= "filled",
	[PAGES]		= "after pages",
	[FINALIZED]	= "after finalize",
};

/**
 * devpub_expect_result() - get the expected result of a page that is to move
 * @test: the case
 * @direction: the direction
 * @obstacle: the obstacle to the migration
 *
 * Return: the row of the table.
 */
const struct devpub_expect_result *
devpub_expect_result(struct kunit *test, enum devpub_direction direction,
		     enum devpub_obstacle obstacle)
{
	const struct devpub_expect_result *row = NULL;
	unsigned int rows = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expect_results); i++) {
		if (!(expect_results[i].directions & direction) ||
		    expect_results[i].obstacle != obstacle)
			continue;
		row = &expect_results[i];
		rows++;
	}
	KUNIT_ASSERT_EQ_MSG(test, rows, 1U, "rows for obstacle %d, %s", obstacle,
			    direction_names[direction]);
	return row;
}

/**
 * devpub_expect_counts() - compare a page with its row
 * @test: the case
 * @direction: the direction
 * @result: the result of the page
 * @phase: the phase of the migration
 * @role: source or destination
 * @page: the page to check
 * @maps: number of processes that mapped the source, or the hole, before the migration
 * @held: references of obstacles and of the test
 *
 * Context: any that may allocate.
 */
void devpub_expect_counts(struct kunit *test, enum devpub_direction direction,
			  enum devpub_result result, enum devpub_phase phase,
			  enum devpub_role role, struct page *page, int maps,
			  int held)
{
	const struct devpub_expect_count *row = NULL;
	const char *what = role == SRC ? "source" : "destination";
	unsigned int rows = 0;
	int refs, mapped;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expect_counts); i++) {
		if (!(expect_counts[i].directions & direction) ||
		    expect_counts[i].result != result ||
		    expect_counts[i].phase != phase ||
		    expect_counts[i].role != role)
			continue;
		row = &expect_counts[i];
		rows++;
	}
	/* Do not use an assertion, because the caller holds locks. */
	KUNIT_EXPECT_EQ_MSG(test, rows, 1U, "rows for a %s, %s, %s", what,
			    direction_names[direction], phase_names[phase]);
	if (!row)
		return;

	refs = row->extra + held + (row->mapped ? maps : 0);
	mapped = row->mapped ? maps : 0;
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(page), refs,
			    "references, %s, %s, %s", direction_names[direction],
			    phase_names[phase], what);
	/* The count of an order-0 page; kernels have different names for the function. */
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&page->_mapcount) + 1, mapped,
			    "mappings, %s, %s, %s", direction_names[direction],
			    phase_names[phase], what);
	KUNIT_EXPECT_EQ_MSG(test, !!PageLocked(page), row->locked,
			    "locked, %s, %s, %s", direction_names[direction],
			    phase_names[phase], what);
	KUNIT_EXPECT_EQ_MSG(test, !!PageLRU(page), row->lru,
			    "on the LRU, %s, %s, %s", direction_names[direction],
			    phase_names[phase], what);
}

/**
 * devpub_expect_state() - compare a page at rest with its row
 * @test: the case
 * @state: the state of the page
 * @page: the page
 * @n: multiple of the row's values, for example the number of mappings
 * @held: number of further references
 */
void devpub_expect_state(struct kunit *test, enum devpub_state state,
			 struct page *page, int n, int held)
{
	const struct devpub_expect_state *row = NULL, *holder = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expect_states); i++) {
		if (expect_states[i].state == state)
			row = &expect_states[i];
		if (expect_states[i].state == DEVPUB_STATE_HELD)
			holder = &expect_states[i];
	}
	KUNIT_EXPECT_TRUE(test, row && holder);
	if (!row || !holder)
		return;

	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(page),
			    n * row->refs + held * holder->refs,
			    "references, state %d", state);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&page->_mapcount) + 1,
			    n * row->mapped + held * holder->mapped,
			    "mappings, state %d", state);
	KUNIT_EXPECT_EQ_MSG(test, !!PageLocked(page), row->locked,
			    "locked, state %d", state);
}
