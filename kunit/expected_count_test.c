// SPDX-License-Identifier: GPL-2.0
/*
 * expected_count: references, mappings and locks of source and destination at each
 * phase of the engine's own migrations, and that a refusal leaves no trace.  The
 * numbers are in expect.c.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>

#include "evict.h"
#include "expect.h"
#include "fault.h"
#include "fixture.h"
#include "pte.h"
#include "spy.h"
#include "user.h"

#define MAX_MAPS	3

/* Another one each time, lest a page that was used before pass for a copy. */
static u64 count_content;

struct count_param {
	int maps;
	enum devpub_obstacle obstacle;
};

/**
 * struct count_case - a page on its way
 * @spy:	looks at it
 * @test:	the case
 * @way:	where it shall go
 * @param:	what is asked for beside that
 * @row:	what becomes of it
 * @users:	who maps it
 * @addr:	where
 * @before:	their page table entries at first
 * @src:	the page; NULL for a hole
 * @dst:	where the engine wants it to go
 * @seen:	moments at which the spy looked
 * @held:	a page that the system could give to somebody else, held to be
 *		looked at in peace
 */
struct count_case {
	struct devpub_spy spy;
	struct kunit *test;
	enum devpub_way way;
	struct count_param param;
	const struct devpub_expect_fate *row;
	struct devpub_user *users[MAX_MAPS];
	unsigned long addr;
	struct devpub_pte before[MAX_MAPS];
	struct page *src;
	struct page *dst;
	unsigned long seen;
	struct page *held;
};

static void count_expect(struct count_case *c, enum devpub_phase phase,
			 enum devpub_role role)
{
	struct page *page = role == DEVPUB_SOURCE ? c->src : c->dst;
	int held = role == DEVPUB_SOURCE || !c->src ? c->row->refs : 0;

	if (page)
		devpub_expect_counts(c->test, c->way, c->row->fate, phase,
				     role, page, c->param.maps,
				     held + (page == c->held));
}

static bool count_has_destination(const struct count_case *c)
{
	return c->row->fate == DEVPUB_MOVED || c->row->fate == DEVPUB_FILLED ||
	       c->row->fate == DEVPUB_NOT_MOVED;
}

/* Each mapping of a collected page is a migration entry; of another, untouched. */
static void count_expect_entries(struct count_case *c)
{
	bool collected = c->row->fate != DEVPUB_NOT_COLLECTED;
	struct devpub_pte now;
	int i;

	for (i = 0; c->src && i < c->param.maps; i++) {
		now = devpub_pte_read(c->users[i]->mm, c->addr);
		KUNIT_EXPECT_EQ(c->test, now.migration, collected);
		KUNIT_EXPECT_EQ(c->test, now.present, !collected);
		KUNIT_EXPECT_EQ(c->test, now.pfn, page_to_pfn(c->src));
		KUNIT_EXPECT_EQ(c->test, now.writable, c->before[i].writable);
		KUNIT_EXPECT_EQ(c->test, now.soft_dirty, c->before[i].soft_dirty);
	}
}

/* Hold the page that finalize leaves to the system's allocator. */
static void count_hold(struct count_case *c)
{
	if (c->way == DEVPUB_TO && c->row->fate == DEVPUB_MOVED)
		c->held = c->src;
	else if (c->way != DEVPUB_TO && c->row->fate == DEVPUB_NOT_MOVED)
		c->held = c->dst;
	if (c->held)
		get_page(c->held);
}

static void count_look(struct devpub_spy *spy, enum devpub_moment moment,
		       unsigned long *src, unsigned long *dst,
		       unsigned long npages)
{
	struct count_case *c = container_of(spy, struct count_case, spy);
	bool collected = c->row->fate != DEVPUB_NOT_COLLECTED;

	if (moment == DEVPUB_BEFORE_PAGES && c->param.obstacle == DEVPUB_NO_MEMORY)
		KUNIT_EXPECT_TRUE(c->test, devpub_fault_disarm());
	/* Once each, in their order. */
	KUNIT_EXPECT_EQ(c->test, c->seen, BIT(moment) - 1);
	c->seen |= BIT(moment);

	/* An eviction begins with the first page that it finds, and ours is the only one. */
	devpub_fixture_drain_batches(c->test->priv);
	switch (moment) {
	case DEVPUB_AFTER_SETUP:
		KUNIT_EXPECT_EQ(c->test, !!(src[0] & MIGRATE_PFN_MIGRATE),
				collected);
		count_expect(c, DEVPUB_PHASE_SETUP, DEVPUB_SOURCE);
		count_expect_entries(c);
		if (c->param.obstacle == DEVPUB_NO_MEMORY)
			devpub_fault_arm(1);
		break;
	case DEVPUB_BEFORE_PAGES:
		c->dst = migrate_pfn_to_page(dst[0]);
		KUNIT_EXPECT_EQ(c->test, !!c->dst, count_has_destination(c));
		if (!collected)
			break;
		count_expect(c, DEVPUB_PHASE_FILLED, DEVPUB_SOURCE);
		count_expect(c, DEVPUB_PHASE_FILLED, DEVPUB_DESTINATION);
		break;
	case DEVPUB_AFTER_PAGES:
		if (!collected)
			break;
		count_expect(c, DEVPUB_PHASE_PAGES, DEVPUB_SOURCE);
		count_expect(c, DEVPUB_PHASE_PAGES, DEVPUB_DESTINATION);
		break;
	case DEVPUB_BEFORE_FINALIZE:
		count_hold(c);
		break;
	case DEVPUB_AFTER_FINALIZE:
		count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_SOURCE);
		count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_DESTINATION);
		break;
	}
}

/* A migration ends early when nothing was collected. */
static unsigned long count_moments(const struct count_case *c)
{
	if (c->row->fate == DEVPUB_NOT_COLLECTED)
		return BIT(DEVPUB_AFTER_SETUP);
	return BIT(DEVPUB_AFTER_FINALIZE + 1) - 1;
}

/* Migrate the page, watched from inside. */
static void count_migrate(struct count_case *c, bool populate)
{
	struct kunit *test = c->test;
	struct devpub_fixture *fix = test->priv;
	u8 reason;
	u64 moved;

	c->seen = 0;
	c->spy.look = count_look;
	devpub_spy_set(&c->spy);
	if (c->way == DEVPUB_EVICT) {
		KUNIT_EXPECT_EQ(test, devpub_evict(fix->ddev, false, &moved), 0);
		KUNIT_EXPECT_EQ(test, moved, c->row->fate == DEVPUB_MOVED);
	} else {
		reason = devpub_fixture_migrate(test, c->users[0], c->addr,
						c->way == DEVPUB_TO,
						populate);
		KUNIT_EXPECT_EQ(test, reason, c->row->reason);
	}
	devpub_spy_set(NULL);
	KUNIT_EXPECT_EQ(test, c->seen, count_moments(c));
	devpub_fixture_drain_batches(fix);
	/* Whether the spy saw the end or not. */
	count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_SOURCE);
	count_expect(c, DEVPUB_PHASE_FINALIZED, DEVPUB_DESTINATION);
	if (c->held)
		put_page(c->held);
	c->held = NULL;
}

/* A page that is mapped by as many processes as asked for. */
static void count_make_page(struct count_case *c)
{
	struct kunit *test = c->test;
	int i;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr,
						++count_content), 0);
	if (c->way != DEVPUB_TO) {
		KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, c->users[0],
							     c->addr, true, false),
				DEVPUB_REASON_MOVED);
		KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr,
							++count_content), 0);
	}
	for (i = 1; i < c->param.maps; i++)
		c->users[i] = devpub_user_fork(test, c->users[0]);
}

static void count_read_before(struct count_case *c)
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

/* What is left when all is over. */
static void count_check_after(struct count_case *c)
{
	struct devpub_fixture *fix = c->test->priv;
	bool moved = c->row->fate == DEVPUB_MOVED;
	enum devpub_scene scene = !moved ? DEVPUB_SCENE_REFUSED :
				  c->way == DEVPUB_TO ?
				  DEVPUB_SCENE_MOVED_TO : DEVPUB_SCENE_MOVED_BACK;
	bool on_device = moved == (c->way == DEVPUB_TO);
	struct devpub_pte now;
	u64 content;
	int i;

	for (i = 0; i < c->param.maps; i++) {
		now = devpub_pte_read(c->users[i]->mm, c->addr);
		devpub_expect_pte(c->test, scene, &c->before[i], now);
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

static struct count_case *count_begin(struct kunit *test, enum devpub_way way,
				      const struct count_param *param)
{
	struct count_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->way = way;
	c->param = *param;
	c->row = devpub_expect_fate(test, way, param->obstacle);
	return c;
}

/*
 * A page can't be pinned by FOLL_PIN and be mapped twice: whichever comes
 * second makes a copy.
 */
static const struct count_param count_params[] = {
	{ 1, DEVPUB_NOTHING }, { 2, DEVPUB_NOTHING }, { 3, DEVPUB_NOTHING },
	{ 1, DEVPUB_REF }, { 2, DEVPUB_REF }, { 3, DEVPUB_REF },
	{ 1, DEVPUB_TWO_REFS }, { 2, DEVPUB_TWO_REFS }, { 3, DEVPUB_TWO_REFS },
	{ 1, DEVPUB_GUP }, { 2, DEVPUB_GUP }, { 3, DEVPUB_GUP },
	{ 1, DEVPUB_PIN },
};

static void count_describe(const struct count_param *param, char *text)
{
	static const char * const obstacles[] = {
		[DEVPUB_NOTHING] = "free to go", [DEVPUB_REF] = "1 reference",
		[DEVPUB_TWO_REFS] = "2 references", [DEVPUB_GUP] = "FOLL_GET",
		[DEVPUB_PIN] = "FOLL_PIN",
	};

	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%d mapped, %s", param->maps,
		 obstacles[param->obstacle]);
}

KUNIT_ARRAY_PARAM(count, count_params, count_describe);

static void count_at_each_phase(struct kunit *test, enum devpub_way way,
				const struct count_param *param)
{
	struct count_case *c = count_begin(test, way, param);

	count_make_page(c);
	count_read_before(c);
	devpub_fixture_hinder(test, c->users[0], c->addr, c->src,
			      c->param.obstacle);
	count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
	count_migrate(c, false);
	count_check_after(c);
	devpub_fixture_unhinder(c->src, c->param.obstacle);
	if (c->row->fate == DEVPUB_MOVED)
		return;

	/* The page can move after all. */
	c->param.obstacle = DEVPUB_NOTHING;
	c->row = devpub_expect_fate(test, c->way, DEVPUB_NOTHING);
	count_read_before(c);
	count_migrate(c, false);
	count_check_after(c);
}

static void count_to_device(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_TO, test->param_value);
}

static void count_back(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_FROM, test->param_value);
}

static void count_evicted(struct kunit *test)
{
	count_at_each_phase(test, DEVPUB_EVICT, test->param_value);
}

/* A hole is no page at first, and mapped once when it is filled. */
static const struct count_param count_hole = { 1, DEVPUB_HOLE };

static void count_fill(struct count_case *c)
{
	struct kunit *test = c->test;
	struct devpub_fixture *fix = test->priv;
	struct devpub_pte before, now;
	unsigned long i;
	u64 content;

	/* The next page of the pool, whichever it is, has seen better days. */
	for (i = 0; i < fix->pool->npages; i++)
		*(u64 *)pfn_to_kaddr(fix->pool->base_pfn + i) = ++count_content;

	before = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, c->users[0], c->addr,
						     true, false),
			DEVPUB_REASON_ABSENT);
	now = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_EXPECT_EQ(test, now.present, before.present);
	KUNIT_EXPECT_EQ(test, now.pfn, before.pfn);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool), fix->pool->npages);

	count_migrate(c, true);
	now = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_ASSERT_NOT_NULL(test, c->dst);
	KUNIT_EXPECT_EQ(test, now.pfn, page_to_pfn(c->dst));
	KUNIT_EXPECT_EQ(test, devpub_user_read(c->users[0], c->addr, &content), 0);
	KUNIT_EXPECT_EQ(test, content, 0);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - 1);
}

static void count_of_hole(struct kunit *test)
{
	struct count_case *c = count_begin(test, DEVPUB_TO, &count_hole);

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	count_fill(c);
}

static void count_of_zero_page(struct kunit *test)
{
	struct count_case *c = count_begin(test, DEVPUB_TO, &count_hole);
	struct devpub_pte pte;
	u64 content;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_read(c->users[0], c->addr, &content), 0);
	pte = devpub_pte_read(c->users[0]->mm, c->addr);
	KUNIT_ASSERT_TRUE(test, is_zero_pfn(pte.pfn));
	count_fill(c);
}

/* Read back from swap by one of two, a page keeps its copy there for the other. */
static void count_of_swapcache_page(struct kunit *test)
{
	static const struct count_param param = { 1, DEVPUB_SWAPCACHE };
	struct count_case *c = count_begin(test, DEVPUB_TO, &param);
	struct devpub_user *user;
	u64 content;

	count_make_page(c);
	user = c->users[0];
	devpub_fixture_drain_batches(test->priv);
	KUNIT_ASSERT_EQ(test, 0, devpub_user_call(user, __NR_madvise, c->addr,
						  PAGE_SIZE, MADV_PAGEOUT));
	if (!devpub_pte_read(user->mm, c->addr).swap)
		kunit_skip(test, "no swap: swapon, say, a brd (/dev/ram0) first");
	devpub_user_fork(test, user);
	KUNIT_ASSERT_EQ(test, devpub_user_read(user, c->addr, &content), 0);

	count_read_before(c);
	KUNIT_ASSERT_TRUE(test, folio_test_swapcache(page_folio(c->src)));
	count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
	count_migrate(c, false);
	count_check_after(c);
	KUNIT_EXPECT_TRUE(test, folio_test_swapcache(page_folio(c->src)));
}

static void count_of_full_device(struct kunit *test)
{
	static const struct count_param param = { 2, DEVPUB_FULL };
	struct count_case *c = count_begin(test, DEVPUB_TO, &param);
	struct devpub_pool *pool = &((struct devpub_fixture *)test->priv)->ddev->pool;
	unsigned long *pfns;
	u32 i, n;

	count_make_page(c);
	count_read_before(c);
	count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);

	pfns = kunit_kcalloc(test, pool->npages, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	n = devpub_pool_take(pool, pfns, pool->npages);
	count_migrate(c, false);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(test, devpub_pool_give(pool, pfns[i]));
	count_check_after(c);
}

/* The first batch that has room for another page. */
#define FRESH_PAGES	4

static void count_of_fresh_page(struct kunit *test)
{
	static const struct count_param param = { 1, DEVPUB_NOTHING };
	struct count_case *c = count_begin(test, DEVPUB_TO, &param);
	unsigned long i;

	c->users[0] = devpub_user_start(test);
	c->addr = devpub_user_mmap(test, c->users[0], FRESH_PAGES,
				   PROT_READ | PROT_WRITE);
	/* Whoever else runs here may empty the batches, or fill them up. */
	for (i = 0; i < FRESH_PAGES; i++, c->addr += PAGE_SIZE) {
		devpub_fixture_drain_batches(test->priv);
		KUNIT_ASSERT_EQ(test, devpub_user_write(c->users[0], c->addr, i),
				0);
		c->src = pfn_to_page(devpub_pte_read(c->users[0]->mm,
						     c->addr).pfn);
		if (!PageLRU(c->src))
			break;
	}
	count_expect(c, DEVPUB_PHASE_FRESH, DEVPUB_SOURCE);
	devpub_fixture_drain_batches(test->priv);
	count_expect(c, DEVPUB_PHASE_BEFORE, DEVPUB_SOURCE);
}

static void count_short_of_memory(struct kunit *test)
{
	static const struct count_param param = { 2, DEVPUB_NO_MEMORY };

	devpub_fault_setup(test, DEVPUB_FAULT_PAGE);
	count_at_each_phase(test, DEVPUB_FROM, &param);
	count_at_each_phase(test, DEVPUB_EVICT, &param);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE_PARAM(count_to_device, count_gen_params),
	KUNIT_CASE_PARAM(count_back, count_gen_params),
	KUNIT_CASE_PARAM(count_evicted, count_gen_params),
	KUNIT_CASE(count_of_hole),
	KUNIT_CASE(count_of_zero_page),
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
