// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * evict: moving pages off the device, page by page (src/engine/evict.c).
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "engine/evict.h"
#include "fault.h"
#include "fixture.h"
#include "memory.h"
#include "user.h"

/* More pages than a window, and not a multiple of one. */
#define EVICT_PAGES	600

/* Number of rounds in which pages arrive and leave at the same time, if time permits. */
#define EVICT_ROUNDS	50

/* Wait time for events that must happen. */
#define EVICT_SOON	msecs_to_jiffies(60000)

/* Evict, and expect @want_moved pages to move, and @want_left of the process to stay. */
static void evict_expect(struct kunit *test, const struct devpub_memory *mem,
			 u64 want_moved, unsigned long want_left)
{
	struct devpub_fixture *fix = test->priv;
	atomic64_t *evicted = &fix->ddev->stats.evicted;
	s64 before = atomic64_read(evicted);
	u32 free = devpub_pool_free_pages(fix->pool);
	u64 moved = U64_MAX;

	KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
	KUNIT_EXPECT_EQ(test, moved, want_moved);
	KUNIT_EXPECT_EQ(test, atomic64_read(evicted) - before, (s64)want_moved);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			free + (u32)want_moved);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, mem), want_left);
	devpub_memory_expect(test, mem);
}

static void evict_process(struct kunit *test)
{
	struct devpub_memory mem;

	devpub_memory_create(test, &mem, EVICT_PAGES);
	evict_expect(test, &mem, EVICT_PAGES, 0);

	/* The process can still write to the pages, and migrate them again. */
	mem.seed = 0x5eed000000000000ULL;
	devpub_memory_fill(test, &mem);
	devpub_memory_move_to(test, &mem);
	devpub_memory_expect(test, &mem);
	evict_expect(test, &mem, EVICT_PAGES, 0);
}

static void evict_empty_device(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	u64 moved = U64_MAX;

	KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
	KUNIT_EXPECT_EQ(test, moved, 0ULL);
	moved = U64_MAX;
	KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, true, &moved), 0);
	KUNIT_EXPECT_EQ(test, moved, 0ULL);
}

struct evict_stay {
	const char *name;
	int refs;
	bool locked;
};

static const struct evict_stay evict_stays[] = {
	{ "locked", .locked = true },
	{ "one reference", .refs = 1 },
	{ "two references", .refs = 2 },
	{ "three references", .refs = 3 },
	{ "as many as a pin takes", .refs = GUP_PIN_COUNTING_BIAS },
	{ "locked and held", .refs = 1, .locked = true },
};

static void evict_stay_desc(const struct evict_stay *stay, char *desc)
{
	strscpy(desc, stay->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(evict_stay, evict_stays, evict_stay_desc);

/* A locked or held page stays and all others leave; it leaves when it is free again. */
static void evict_page_stays(struct kunit *test)
{
	const struct evict_stay *stay = test->param_value;
	struct devpub_memory mem;
	struct page *page;
	int i;

	devpub_memory_create(test, &mem, EVICT_PAGES);
	page = devpub_memory_get_page(test, &mem, 5);
	page_ref_add(page, stay->refs);
	if (stay->locked)
		lock_page(page);
	put_page(page);

	evict_expect(test, &mem, EVICT_PAGES - 1, 1);
	KUNIT_EXPECT_EQ(test, PageLocked(page), stay->locked);
	evict_expect(test, &mem, 0, 1);

	if (stay->locked)
		unlock_page(page);
	devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, 1, stay->refs);
	for (i = 0; i < stay->refs; i++)
		put_page(page);
	evict_expect(test, &mem, 1, 0);
	devpub_expect_state(test, DEVPUB_STATE_FREE, page, 1, 0);
}

/* Free pages and pages that no process maps, next to pages of a process. */
static void evict_only_processes(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long pfns[16];
	struct devpub_memory mem;
	int i;

	devpub_memory_create(test, &mem, 4);
	KUNIT_ASSERT_EQ(test, devpub_pagemap_alloc(&fix->ddev->pagemap, pfns, 16), 16U);
	for (i = 0; i < 16; i += 2) {
		unlock_page(pfn_to_page(pfns[i]));
		put_page(pfn_to_page(pfns[i]));
	}
	evict_expect(test, &mem, 4, 0);

	for (i = 0; i < 16; i++) {
		struct page *page = pfn_to_page(pfns[i]);

		devpub_expect_state(test, i % 2 ? DEVPUB_STATE_ALLOCATED :
						  DEVPUB_STATE_FREE, page, 1, 0);
		if (i % 2) {
			unlock_page(page);
			put_page(page);
		}
	}
}

/* Only the first and the last page of the device are in use. */
static void evict_first_and_last(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	u32 i, n = fix->pool->npages;
	struct devpub_memory mem;
	unsigned long *pfns;
	u8 *reasons;

	reasons = kunit_kzalloc(test, fix->ddev->endpoint.window, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reasons);
	devpub_memory_create(test, &mem, 2);
	evict_expect(test, &mem, 2, 0);

	pfns = kvmalloc_array(n, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_EXPECT_EQ(test, devpub_pool_take(fix->pool, pfns, n), n);
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(fix->pool,
						 fix->pool->base_pfn));
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(fix->pool,
						 fix->pool->base_pfn + n - 1));
	KUNIT_EXPECT_EQ(test, devpub_memory_migrate_to(fix->ddev, &mem, reasons),
			2UL);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool), 0U);
	evict_expect(test, &mem, 2, 0);

	for (i = 1; i < n - 1; i++)
		KUNIT_EXPECT_TRUE(test, devpub_pool_give(fix->pool,
							 fix->pool->base_pfn + i));
	kvfree(pfns);
}

/* A page that two processes map moves once, for both. */
static void evict_shared_by_fork(struct kunit *test)
{
	struct devpub_memory mem, child;

	devpub_memory_create(test, &mem, 100);
	child = mem;
	child.user = devpub_user_fork(test, mem.user);
	/* The child writes to the first half and so gets pages of its own. */
	child.npages = 50;
	child.seed = 0xc411d00000000000ULL;
	devpub_memory_fill(test, &child);
	evict_expect(test, &mem, 100, 0);

	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &child), 0UL);
	devpub_memory_expect(test, &child);
	child.addr += 50 * PAGE_SIZE;
	child.seed = devpub_memory_word(&mem, 50, 0);
	devpub_memory_expect(test, &child);
}

struct evict_end {
	const char *name;
	bool signal;
	bool draining;
	int want;
};

static const struct evict_end evict_ends[] = {
	{ "a signal", .signal = true, .want = -EINTR },
	{ "the device goes", .draining = true, .want = -ENODEV },
};

static void evict_end_desc(const struct evict_end *end, char *desc)
{
	strscpy(desc, end->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(evict_end, evict_ends, evict_end_desc);

static int evict_while(const struct evict_end *end, struct devpub_device *ddev,
		       bool interruptible, u64 *moved)
{
	int ret;

	if (end->signal)
		set_thread_flag(TIF_SIGPENDING);
	if (end->draining)
		devpub_gate_close_for_good(&ddev->gate);
	ret = devpub_evict(&ddev->endpoint, interruptible, moved);
	WRITE_ONCE(ddev->gate.closer, NULL);
	clear_thread_flag(TIF_SIGPENDING);
	return ret;
}

/* The eviction completes a window before it checks for signals or a closed gate. */
static void evict_ends_early(struct kunit *test)
{
	const struct evict_end *end = test->param_value;
	struct devpub_fixture *fix = test->priv;
	struct devpub_memory mem;
	u64 moved = U64_MAX;

	devpub_memory_create(test, &mem, EVICT_PAGES);
	KUNIT_EXPECT_EQ(test, evict_while(end, fix->ddev, true, &moved),
			end->want);
	KUNIT_EXPECT_GT(test, moved, 0ULL);
	KUNIT_EXPECT_LE(test, moved, (u64)fix->ddev->endpoint.window);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem),
			EVICT_PAGES - moved);
	devpub_memory_expect(test, &mem);

	/* An uninterruptible eviction ignores both. */
	KUNIT_EXPECT_EQ(test, evict_while(end, fix->ddev, false, &moved), 0);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem), 0UL);
	devpub_memory_expect(test, &mem);
	/* On an empty device, there is nothing to end early. */
	KUNIT_EXPECT_EQ(test, evict_while(end, fix->ddev, true, &moved), 0);
}

/**
 * struct evict_worker - migrates pages to the device in parallel to a case
 * @work:	the work item
 * @ddev:	devpub0
 * @mem:	pages that migrate to the device repeatedly
 * @reasons:	array for their migration
 * @moved:	number of pages that arrived
 * @stop:	the worker must stop
 */
struct evict_worker {
	struct work_struct work;
	struct devpub_device *ddev;
	const struct devpub_memory *mem;
	u8 *reasons;
	u64 moved;
	bool stop;
};

static void evict_migrate_work(struct work_struct *work)
{
	struct evict_worker *worker = container_of(work, struct evict_worker,
						   work);

	while (!READ_ONCE(worker->stop)) {
		worker->moved += devpub_memory_migrate_to(worker->ddev,
							  worker->mem,
							  worker->reasons);
		cond_resched();
	}
}

/* Pages migrate to the device while an eviction moves the same and other pages off. */
static void evict_against_migration(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct evict_worker worker = { .ddev = fix->ddev };
	unsigned long end = jiffies + EVICT_SOON;
	struct workqueue_struct *wq;
	u64 moved, evicted = 0;
	struct devpub_memory mem;

	devpub_memory_create(test, &mem, 64);
	worker.mem = &mem;
	worker.reasons = kunit_kzalloc(test, fix->ddev->endpoint.window, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, worker.reasons);
	/* Run the worker on another processor, if there is one. */
	wq = alloc_workqueue("devpub_kunit", WQ_UNBOUND, 1);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	INIT_WORK_ONSTACK(&worker.work, evict_migrate_work);
	queue_work(wq, &worker.work);
	while (evicted < EVICT_ROUNDS * mem.npages && time_before(jiffies, end)) {
		KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
		evicted += moved;
		devpub_memory_expect(test, &mem);
		cond_resched();
	}
	/* Even on a slow machine, some pages have returned after the first eviction. */
	KUNIT_EXPECT_GT(test, evicted, (u64)mem.npages);
	WRITE_ONCE(worker.stop, true);
	destroy_workqueue(wq);
	destroy_work_on_stack(&worker.work);

	KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
	evicted += moved;
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem), 0UL);
	/* Each page that arrived has left, and each move was counted once. */
	KUNIT_EXPECT_EQ(test, evicted, worker.moved + mem.npages);
	devpub_memory_expect(test, &mem);
}

/* Longer than an eviction that only tries the lock goes on without progress. */
#define EVICT_HELD	msecs_to_jiffies(3000)

struct evict_beside {
	struct work_struct work;
	struct devpub_device *ddev;
	struct completion done;
	u64 moved;
	int ret;
};

static void evict_work(struct work_struct *work)
{
	struct evict_beside *beside = container_of(work, struct evict_beside, work);

	beside->ret = devpub_evict(&beside->ddev->endpoint, false, &beside->moved);
	complete(&beside->done);
}

/* An eviction waits for the lock of a family's mappings. */
static void evict_waits_for_family(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct evict_beside beside = { .ddev = fix->ddev };
	struct vm_area_struct *vma;
	struct anon_vma *root;
	struct devpub_memory mem;
	bool ended;

	devpub_memory_create(test, &mem, 4);
	mmap_read_lock(mem.user->mm);
	vma = find_vma(mem.user->mm, mem.addr);
	root = vma && vma->anon_vma ? vma->anon_vma->root : NULL;
	mmap_read_unlock(mem.user->mm);
	KUNIT_ASSERT_NOT_NULL(test, root);

	init_completion(&beside.done);
	INIT_WORK_ONSTACK(&beside.work, evict_work);
	down_write(&root->rwsem);
	queue_work(system_unbound_wq, &beside.work);
	ended = wait_for_completion_timeout(&beside.done, EVICT_HELD);
	up_write(&root->rwsem);
	flush_work(&beside.work);
	destroy_work_on_stack(&beside.work);
	KUNIT_EXPECT_FALSE(test, ended);
	KUNIT_EXPECT_EQ(test, beside.ret, 0);
	KUNIT_EXPECT_EQ(test, beside.moved, 4ULL);
	devpub_memory_expect(test, &mem);
}

/* A window so small that kvmalloc() does not fall back to vmalloc() for its arrays. */
#define EVICT_SHORT_WINDOW	(PAGE_SIZE / (4 * sizeof(unsigned long)))

static int evict_with_failure(struct kunit *test, const struct devpub_memory *mem,
			      unsigned int nth, bool *failed)
{
	struct devpub_fixture *fix = test->priv;
	u32 free = devpub_pool_free_pages(fix->pool);
	unsigned int window = fix->ddev->endpoint.window;
	u64 moved;
	int ret;

	fix->ddev->endpoint.window = EVICT_SHORT_WINDOW;
	devpub_fault_arm(nth);
	ret = devpub_evict(&fix->ddev->endpoint, false, &moved);
	*failed = devpub_fault_disarm();
	fix->ddev->endpoint.window = window;
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			free + (u32)moved);
	return ret;
}

static void evict_short_of_memory(struct kunit *test)
{
	/* The three arrays of the transfer, and the array of reasons. */
	devpub_fault_walk(test, DEVPUB_EVICT, evict_with_failure, 4);
}

static struct kunit_case evict_cases[] = {
	KUNIT_CASE(evict_process),
	KUNIT_CASE(evict_empty_device),
	KUNIT_CASE_PARAM(evict_page_stays, evict_stay_gen_params),
	KUNIT_CASE(evict_only_processes),
	KUNIT_CASE(evict_first_and_last),
	KUNIT_CASE(evict_shared_by_fork),
	KUNIT_CASE_PARAM(evict_ends_early, evict_end_gen_params),
	KUNIT_CASE_SLOW(evict_against_migration),
	KUNIT_CASE_SLOW(evict_waits_for_family),
	KUNIT_CASE_SLOW(evict_short_of_memory),
	{}
};

struct kunit_suite devpub_evict_suite = {
	.name		= "devpub_evict",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= evict_cases,
};
