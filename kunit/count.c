// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Page counts: creates a page, migrates it with a spy inside the engine, and compares its
 * counts in each phase with the tables in expect.c.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>

#include "count.h"
#include "engine/evict.h"
#include "engine/thp.h"
#include "fault.h"
#include "fixture.h"
#include "user.h"

/* A different content for each page, so that a page used before can't pass for a copy. */
static u64 count_content;

/**
 * devpub_count_expect() - compare one of the two pages with its row
 * @c: the migrating page
 * @phase: the phase of the migration
 * @role: which of the two pages; skipped if that page does not exist
 */
void devpub_count_expect(struct devpub_count *c, enum devpub_phase phase,
			 enum devpub_role role)
{
	struct page *page = role == DEVPUB_SOURCE ? c->src : c->dst;
	bool late = c->param.obstacle == DEVPUB_LATE_REF && phase < DEVPUB_PHASE_PAGES;
	int held = (role == DEVPUB_SOURCE || !c->src) && !late ? c->row->refs : 0;

	if (page)
		devpub_expect_counts(c->test, c->direction, c->row->result, phase,
				     role, page, c->param.maps,
				     held + (page == c->held));
}

static bool count_has_destination(const struct devpub_count *c)
{
	return c->row->result != DEVPUB_SKIPPED && c->row->result != DEVPUB_NOT_COLLECTED;
}

/* Each PTE of a collected page is a migration entry; that of another page is unchanged. */
static void count_expect_entries(struct devpub_count *c)
{
	bool collected = c->row->result != DEVPUB_NOT_COLLECTED;
	struct devpub_pte now;
	int i;

	for (i = 0; c->src && i < c->param.maps; i++) {
		now = devpub_pte_read(c->users[i]->mm, c->addr);
		devpub_expect_pte(c->test, collected ? DEVPUB_EVENT_COLLECTED :
						       DEVPUB_EVENT_REFUSED,
				  &c->before[i], now);
		KUNIT_EXPECT_EQ(c->test, now.pfn, page_to_pfn(c->src));
	}
}

/* Hold the system page that migrate_vma_finalize() frees, so that it can be checked. */
static void count_hold(struct devpub_count *c)
{
	if (c->direction == DEVPUB_TO && c->row->result == DEVPUB_MOVED)
		c->held = c->src;
	else if (c->direction != DEVPUB_TO && c->row->result == DEVPUB_NOT_MOVED)
		c->held = c->dst;
	if (c->held)
		get_page(c->held);
}

/* A migration ends early when nothing was collected. */
static unsigned long count_phases(const struct devpub_count *c)
{
	if (c->row->result == DEVPUB_NOT_COLLECTED)
		return BIT(DEVPUB_PHASE_SETUP);
	return GENMASK(DEVPUB_PHASE_FINALIZED, DEVPUB_PHASE_SETUP);
}

/* mmap_lock must keep faults out if a THP must not be mapped over a hole. */
static void count_expect_lock(const struct devpub_count *c)
{
	struct mm_struct *mm = c->users[0]->mm;
	bool free = mmap_read_trylock(mm);

	if (free)
		mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(c->test, free, !devpub_thp_by_hand());
}

static void count_look_setup(struct devpub_count *c, unsigned long src, bool collected)
{
	long ret = 0;

	KUNIT_EXPECT_EQ(c->test, !!(src & MIGRATE_PFN_MIGRATE), collected);
	KUNIT_EXPECT_PTR_EQ(c->test, migrate_pfn_to_page(src),
			    collected ? c->src : NULL);
	devpub_count_expect(c, DEVPUB_PHASE_SETUP, DEVPUB_SOURCE);
	count_expect_entries(c);
	if (c->param.obstacle == DEVPUB_HOLE)
		count_expect_lock(c);
	if (c->param.obstacle == DEVPUB_NO_MEMORY)
		devpub_fault_arm(1);
	/* The process's own thread must fault, because this thread holds mmap_lock. */
	if (c->param.obstacle == DEVPUB_HOLE_TAKEN)
		ret = devpub_user_call(c->users[0], __NR_getcpu, c->addr, 0, 0);
	KUNIT_EXPECT_EQ(c->test, ret, 0);
}

static void count_look(struct devpub_spy *spy, enum devpub_phase phase,
		       unsigned long *src, unsigned long *dst,
		       unsigned long npages)
{
	struct devpub_count *c = container_of(spy, struct devpub_count, spy);
	bool collected = c->row->result != DEVPUB_NOT_COLLECTED;

	/* An eviction retries a page that stays; look only at the first attempt. */
	if (c->direction == DEVPUB_EVICT && phase == DEVPUB_PHASE_SETUP &&
	    c->seen == count_phases(c))
		c->again = true;
	if (c->again)
		return;
	if (phase == DEVPUB_PHASE_FILLED && c->param.obstacle == DEVPUB_NO_MEMORY)
		KUNIT_EXPECT_TRUE(c->test, devpub_fault_disarm());
	/* The phases occur once each, in order. */
	KUNIT_EXPECT_EQ(c->test, c->seen, BIT(phase) - BIT(DEVPUB_PHASE_SETUP));
	c->seen |= BIT(phase);

	/* An eviction begins with the first page in use, and this page is the only one. */
	devpub_fixture_drain_batches(c->test->priv);
	switch (phase) {
	case DEVPUB_PHASE_SETUP:
		count_look_setup(c, src[0], collected);
		break;
	case DEVPUB_PHASE_FILLED:
		c->dst = migrate_pfn_to_page(dst[0]);
		KUNIT_EXPECT_EQ(c->test, !!c->dst, count_has_destination(c));
		if (!collected)
			break;
		devpub_count_expect(c, DEVPUB_PHASE_FILLED, DEVPUB_SOURCE);
		devpub_count_expect(c, DEVPUB_PHASE_FILLED, DEVPUB_DESTINATION);
		/* devpub_fixture_unhinder() drops this reference. */
		if (c->param.obstacle == DEVPUB_LATE_REF)
			get_page(c->src);
		break;
	case DEVPUB_PHASE_PAGES:
		KUNIT_EXPECT_EQ(c->test, !!(src[0] & MIGRATE_PFN_MIGRATE),
				c->row->result == DEVPUB_MOVED ||
				c->row->result == DEVPUB_FILLED);
		if (!collected)
			break;
		devpub_count_expect(c, DEVPUB_PHASE_PAGES, DEVPUB_SOURCE);
		devpub_count_expect(c, DEVPUB_PHASE_PAGES, DEVPUB_DESTINATION);
		break;
	case DEVPUB_PHASE_SORTED:
		count_hold(c);
		break;
	case DEVPUB_PHASE_FINALIZED:
		devpub_count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_SOURCE);
		devpub_count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_DESTINATION);
		break;
	default:
		break;
	}
}

/**
 * devpub_count_migrate() - migrate the page with the spy inside
 * @c: the migrating page
 * @populate: fill a hole
 *
 * Compares the engine's reason and the final state of both pages as well.
 */
void devpub_count_migrate(struct devpub_count *c, bool populate)
{
	struct kunit *test = c->test;
	struct devpub_fixture *fix = test->priv;
	u8 reason;
	u64 moved;

	c->seen = 0;
	c->again = false;
	c->spy.look = count_look;
	devpub_spy_set(&c->spy);
	if (c->direction == DEVPUB_EVICT) {
		KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
		KUNIT_EXPECT_EQ(test, moved, c->row->result == DEVPUB_MOVED);
		KUNIT_EXPECT_EQ(test, moved, c->row->reason == DEVPUB_REASON_MOVED);
	} else {
		reason = devpub_fixture_migrate(test, c->users[0], c->addr,
						c->direction == DEVPUB_TO,
						populate);
		KUNIT_EXPECT_EQ(test, reason, c->row->reason);
	}
	devpub_spy_set(NULL);
	KUNIT_EXPECT_EQ(test, c->seen, count_phases(c));
	devpub_fixture_drain_batches(fix);
	/* Check this also if the spy did not see the last phase. */
	devpub_count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_SOURCE);
	devpub_count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_DESTINATION);
	if (c->held)
		put_page(c->held);
	c->held = NULL;
}

/**
 * devpub_count_make_page() - create a page that the requested number of processes map
 * @c: receives the page and the processes; the page is on the device unless it is to
 *     migrate there
 */
void devpub_count_make_page(struct devpub_count *c)
{
	struct kunit *test = c->test;
	int i;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr,
						++count_content), 0);
	if (c->direction != DEVPUB_TO) {
		KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, c->users[0],
							     c->addr, true, false),
				DEVPUB_REASON_MOVED);
		KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr,
							++count_content), 0);
	}
	for (i = 1; i < c->param.maps; i++)
		c->users[i] = devpub_user_fork(test, c->users[0]);
}

/**
 * devpub_count_read_before() - save the page table entries before the migration
 * @c: the migrating page
 */
void devpub_count_read_before(struct devpub_count *c)
{
	int i;

	devpub_fixture_drain_batches(c->test->priv);
	for (i = 0; i < c->param.maps; i++) {
		c->before[i] = devpub_pte_read(c->users[i]->mm, c->addr);
		KUNIT_ASSERT_TRUE(c->test, c->before[i].present);
		KUNIT_ASSERT_EQ(c->test, c->before[i].pfn, c->before[0].pfn);
	}
	c->src = pfn_to_page(c->before[0].pfn);
}

/**
 * devpub_count_check_after() - check the page and its content after the migration
 * @c: the migrating page
 */
void devpub_count_check_after(struct devpub_count *c)
{
	struct devpub_fixture *fix = c->test->priv;
	bool moved = c->row->result == DEVPUB_MOVED;
	enum devpub_event event = !moved ? DEVPUB_EVENT_REFUSED :
				  c->direction == DEVPUB_TO ?
				  DEVPUB_EVENT_MOVED_TO : DEVPUB_EVENT_MOVED_FROM;
	bool on_device = moved == (c->direction == DEVPUB_TO);
	struct devpub_pte now;
	u64 content;
	int i;

	for (i = 0; i < c->param.maps; i++) {
		now = devpub_pte_read(c->users[i]->mm, c->addr);
		devpub_expect_pte(c->test, event, &c->before[i], now);
		KUNIT_EXPECT_EQ(c->test, now.pfn,
				page_to_pfn(moved ? c->dst : c->src));
	}
	KUNIT_EXPECT_EQ(c->test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - on_device);

	for (i = 0; i < c->param.maps; i++) {
		KUNIT_EXPECT_EQ(c->test, devpub_user_read(c->users[i], c->addr,
							  &content), 0);
		KUNIT_EXPECT_EQ(c->test, content, count_content);
	}
}

/**
 * devpub_count_begin() - prepare the check of a page
 * @test: the case
 * @direction: the direction
 * @param: the number of mappings and the obstacle
 *
 * Return: the migrating page, whose @row is the expected result.
 */
struct devpub_count *devpub_count_begin(struct kunit *test, enum devpub_direction direction,
					const struct devpub_count_param *param)
{
	struct devpub_count *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->direction = direction;
	c->param = *param;
	c->row = devpub_expect_result(test, direction, param->obstacle);
	return c;
}
