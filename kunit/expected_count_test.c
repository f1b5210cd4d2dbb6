// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * expected_count: checks references, mappings and locks of source and destination in each
 * phase of the engine's own migrations, and that a refusal leaves no trace.  expect.c
 * contains the expected numbers.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "count.h"
#include "engine/thp.h"
#include "expect.h"
#include "fault.h"
#include "fixture.h"
#include "pte.h"
#include "user.h"

/*
 * FOLL_PIN and a second mapping of the page exclude each other: the later one makes a copy.
 */
static const struct devpub_count_param count_params[] = {
	{ 1, DEVPUB_NOTHING }, { 2, DEVPUB_NOTHING }, { 3, DEVPUB_NOTHING },
	{ 1, DEVPUB_REF }, { 2, DEVPUB_REF }, { 3, DEVPUB_REF },
	{ 1, DEVPUB_TWO_REFS }, { 2, DEVPUB_TWO_REFS }, { 3, DEVPUB_TWO_REFS },
	{ 1, DEVPUB_GUP }, { 2, DEVPUB_GUP }, { 3, DEVPUB_GUP },
	{ 1, DEVPUB_PIN },
	{ 1, DEVPUB_LATE_REF }, { 2, DEVPUB_LATE_REF }, { 3, DEVPUB_LATE_REF },
};

static void count_describe(const struct devpub_count_param *param, char *text)
{
	static const char * const obstacles[] = {
		[DEVPUB_NOTHING] = "free to go", [DEVPUB_REF] = "1 reference",
		[DEVPUB_TWO_REFS] = "2 references", [DEVPUB_GUP] = "FOLL_GET",
		[DEVPUB_PIN] = "FOLL_PIN", [DEVPUB_LATE_REF] = "a late reference",
	};

	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%d mapped, %s", param->maps,
		 obstacles[param->obstacle]);
}

KUNIT_ARRAY_PARAM(count, count_params, count_describe);

static void count_at_each_phase(struct kunit *test, enum devpub_direction direction,
				const struct devpub_count_param *param)
{
	struct devpub_count *c = devpub_count_begin(test, direction, param);

	devpub_count_make_page(c);
	devpub_count_read_before(c);
	devpub_fixture_hinder(test, c->users[0], c->addr, c->src,
			      c->param.obstacle);
	devpub_count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
	devpub_count_migrate(c, false);
	devpub_count_check_after(c);
	devpub_fixture_unhinder(c->src, c->param.obstacle);
	if (c->row->result == DEVPUB_MOVED)
		return;

	/* Without the obstacle, the page can move. */
	c->param.obstacle = DEVPUB_NOTHING;
	c->row = devpub_expect_result(test, c->direction, DEVPUB_NOTHING);
	devpub_count_read_before(c);
	devpub_count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
	devpub_count_migrate(c, false);
	devpub_count_check_after(c);
}

static void count_to_device(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_TO, test->param_value);
}

static void count_from_device(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_FROM, test->param_value);
}

static void count_evicted(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_EVICT, test->param_value);
}

/* A hole has no page at first, and one mapping when it is filled. */
static const struct devpub_count_param count_hole = { 1, DEVPUB_HOLE };

static void count_fill(struct devpub_count *c)
{
	struct kunit *test = c->test;
	struct devpub_fixture *fix = test->priv;
	struct devpub_pte before, now;
	u64 content;

	/* Fill all free pages with garbage, because any of them may be the next one. */
	memset(pfn_to_kaddr(fix->pool->base_pfn), 0xa5,
	       fix->pool->npages * PAGE_SIZE);

	before = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, c->users[0], c->addr,
						     true, false),
			DEVPUB_REASON_ABSENT);
	now = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_EXPECT_EQ(test, now.present, before.present);
	KUNIT_EXPECT_EQ(test, now.pfn, before.pfn);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool), fix->pool->npages);

	devpub_count_migrate(c, true);
	now = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_ASSERT_NOT_NULL(test, c->dst);
	KUNIT_EXPECT_EQ(test, now.pfn, page_to_pfn(c->dst));
	KUNIT_EXPECT_EQ(test, devpub_user_read(c->users[0], c->addr, &content), 0);
	KUNIT_EXPECT_EQ(test, content, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(c->dst), 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - 1);
}

static void count_of_hole(struct kunit *test)
{
	struct devpub_count *c = devpub_count_begin(test, DEVPUB_TO, &count_hole);

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	count_fill(c);
}

static void count_of_zero_page(struct kunit *test)
{
	struct devpub_count *c = devpub_count_begin(test, DEVPUB_TO, &count_hole);
	struct devpub_pte pte;
	u64 content;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_read(c->users[0], c->addr, &content), 0);
	pte = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_ASSERT_TRUE(test, is_zero_pfn(pte.pfn));
	count_fill(c);
}

/* The process fills the hole first; the page for it returns to the pool. */
static void count_of_taken_hole(struct kunit *test)
{
	static const struct devpub_count_param param = { 1, DEVPUB_HOLE_TAKEN };
	struct devpub_fixture *fix = test->priv;
	struct devpub_count *c;
	struct devpub_pte now;

	/* If holes are filled with mmap_lock held for writing, the process can't be first. */
	if (devpub_thp_by_hand()) {
		count_of_hole(test);
		return;
	}
	c = devpub_count_begin(test, DEVPUB_TO, &param);
	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	devpub_count_migrate(c, true);
	now = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_EXPECT_TRUE(test, now.present);
	KUNIT_EXPECT_FALSE(test, devpub_fixture_owns(fix, now.pfn));
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages);
}

/* When one of two processes faults a page in from swap, the copy stays for the other. */
static void count_of_swapcache_page(struct kunit *test)
{
	static const struct devpub_count_param param = { 1, DEVPUB_SWAPCACHE };
	struct devpub_count *c = devpub_count_begin(test, DEVPUB_TO, &param);
	struct devpub_user *user;
	u64 content;

	devpub_count_make_page(c);
	user = c->users[0];
	devpub_fixture_drain_batches(test->priv);
	KUNIT_ASSERT_EQ(test, 0, devpub_user_call(user, __NR_madvise, c->addr,
						  PAGE_SIZE, MADV_PAGEOUT));
	if (!devpub_pte_read(user->mm, c->addr).swap)
		kunit_skip(test, "no swap: swapon, say, a brd (/dev/ram0) first");
	devpub_user_fork(test, user);
	KUNIT_ASSERT_EQ(test, devpub_user_read(user, c->addr, &content), 0);

	devpub_count_read_before(c);
	KUNIT_ASSERT_TRUE(test, folio_test_swapcache(page_folio(c->src)));
	devpub_count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
	devpub_count_migrate(c, false);
	devpub_count_check_after(c);
	KUNIT_EXPECT_TRUE(test, folio_test_swapcache(page_folio(c->src)));
}

static void count_of_full_device(struct kunit *test)
{
	static const struct devpub_count_param param = { 2, DEVPUB_FULL };
	struct devpub_count *c = devpub_count_begin(test, DEVPUB_TO, &param);
	struct devpub_pool *pool = &((struct devpub_fixture *)test->priv)->ddev->pool;
	unsigned long *pfns;
	u32 i, n;

	devpub_count_make_page(c);
	devpub_count_read_before(c);
	devpub_count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);

	pfns = kunit_kcalloc(test, pool->npages, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	n = devpub_pool_take(pool, pfns, pool->npages);
	KUNIT_EXPECT_EQ(test, n, pool->npages);
	devpub_count_migrate(c, false);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(test, devpub_pool_give(pool, pfns[i]));
	devpub_count_check_after(c);
}

/* Number of pages to try until one stays in the processor's batch. */
#define FRESH_PAGES	4

static void count_of_fresh_page(struct kunit *test)
{
	static const struct devpub_count_param param = { 1, DEVPUB_NOTHING };
	struct devpub_count *c = devpub_count_begin(test, DEVPUB_TO, &param);
	unsigned long i;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], FRESH_PAGES,
				   PROT_READ | PROT_WRITE);
	/* Retry, because another task on this processor may drain or fill the batches. */
	for (i = 0; i < FRESH_PAGES; i++, c->addr += PAGE_SIZE) {
		devpub_fixture_drain_batches(test->priv);
		KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr, i),
				0);
		c->src = pfn_to_page(devpub_pte_read(c->users[0]->mm,
						     c->addr).pfn);
		if (!PageLRU(c->src))
			break;
	}
	devpub_count_expect(c, DEVPUB_PHASE_FRESH, DEVPUB_SOURCE);
	devpub_fixture_drain_batches(test->priv);
	devpub_count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
}

static void count_short_of_memory(struct kunit *test)
{
	static const struct devpub_count_param param = { 2, DEVPUB_NO_MEMORY };

	devpub_fault_setup(test, DEVPUB_FAULT_PAGE);
	count_at_each_phase(test, DEVPUB_FROM, &param);
	count_at_each_phase(test, DEVPUB_EVICT, &param);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE_PARAM(count_to_device, count_gen_params),
	KUNIT_CASE_PARAM(count_from_device, count_gen_params),
	KUNIT_CASE_PARAM(count_evicted, count_gen_params),
	KUNIT_CASE(count_of_hole),
	KUNIT_CASE(count_of_zero_page),
	KUNIT_CASE(count_of_taken_hole),
	KUNIT_CASE(count_of_swapcache_page),
	KUNIT_CASE(count_of_full_device),
	KUNIT_CASE(count_of_fresh_page),
	KUNIT_CASE(count_short_of_memory),
	{}
};

struct kunit_suite devpub_expected_count_suite = {
	.name		= "devpub_expected_count",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= count_cases,
};
