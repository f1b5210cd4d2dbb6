// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * evict_all: moving every page off the device without a time limit (src/engine/evict.c).
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "engine/evict.h"
#include "fixture.h"
#include "memory.h"
#include "user.h"

/* More pages than a window, and not a multiple of one. */
#define ALL_PAGES	600

/* Wait times for events that must not happen, and for events that must. */
#define ALL_NEVER	msecs_to_jiffies(300)
#define ALL_SOON	msecs_to_jiffies(60000)

/**
 * struct all_worker - empties a device in parallel to a case
 * @work:	the work item
 * @ddev:	devpub0
 * @done:	completed when the device is empty
 */
struct all_worker {
	struct work_struct work;
	struct devpub_device *ddev;
	struct completion done;
};

static void all_work(struct work_struct *work)
{
	struct all_worker *worker = container_of(work, struct all_worker,
						   work);

	devpub_evict_all(&worker->ddev->endpoint, false);
	complete(&worker->done);
}

static void all_start(struct all_worker *worker, struct devpub_device *ddev)
{
	worker->ddev = ddev;
	init_completion(&worker->done);
	INIT_WORK_ONSTACK(&worker->work, all_work);
	schedule_work(&worker->work);
}

static void all_finish(struct all_worker *worker)
{
	flush_work(&worker->work);
	destroy_work_on_stack(&worker->work);
}

/* An uninterruptible eviction waits for a held page without a time limit. */
static void all_waits(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long end = jiffies + ALL_SOON;
	struct all_worker worker = {};
	struct devpub_memory mem;
	struct page *page;

	devpub_memory_create(test, &mem, ALL_PAGES);
	page = devpub_memory_get_page(test, &mem, ALL_PAGES - 1);

	all_start(&worker, fix->ddev);
	while (devpub_pool_free_pages(fix->pool) < fix->pool->npages - 1 &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - 1);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&worker.done,
							  ALL_NEVER), 0UL);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - 1);
	devpub_memory_expect(test, &mem);

	put_page(page);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&worker.done,
							  ALL_SOON), 0UL);
	all_finish(&worker);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem), 0UL);
	devpub_memory_expect(test, &mem);
}

/* An interruptible eviction gives up with -EBUSY while a page is held. */
static void all_gives_up(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_memory mem;
	struct page *page;

	devpub_memory_create(test, &mem, ALL_PAGES);
	page = devpub_memory_get_page(test, &mem, ALL_PAGES - 1);
	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, true), -EBUSY);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem), 1UL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, true), -EINTR);
	clear_thread_flag(TIF_SIGPENDING);
	put_page(page);
	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, true), 0);
	KUNIT_EXPECT_EQ(test, devpub_memory_on_device(test, &mem), 0UL);
	devpub_memory_expect(test, &mem);
}

#define ALL_BATCHES	4

/*
 * When a process with locked memory gets a copy of a page that it shares with a child, the
 * shared page is put into the processor's mlock batch, which holds a reference.  An idle
 * processor never drains its batch.
 */
static void all_empties_batches(struct kunit *test)
{
	unsigned int other = cpumask_any_but(cpu_online_mask,
					     raw_smp_processor_id());
	struct devpub_fixture *fix = test->priv;
	struct all_worker worker = {};
	unsigned long addr, mask;
	struct devpub_memory mem;
	struct page *page;
	int i;

	if (other >= nr_cpu_ids)
		kunit_skip(test, "needs two processors");
	devpub_memory_create(test, &mem, ALL_BATCHES + 1);

	/* Only the last page is for the CPU mask; the process overwrites the others. */
	mask = mem.addr + ALL_BATCHES * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, devpub_user_write(mem.user, mask, BIT_ULL(other)), 0);
	KUNIT_ASSERT_GE(test, devpub_user_call(mem.user, __NR_sched_setaffinity,
					       0, sizeof(u64), mask), 0);
	for (i = 0; i < ALL_BATCHES; i++) {
		addr = mem.addr + i * PAGE_SIZE;
		page = devpub_memory_get_page(test, &mem, i);
		put_page(page);
		KUNIT_ASSERT_EQ(test, devpub_user_call(mem.user, __NR_mlock, addr,
						       PAGE_SIZE), 0);
		devpub_user_fork(test, mem.user);
		devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, i + 2, 0);
		KUNIT_ASSERT_EQ(test, devpub_user_call(mem.user, __NR_getcpu, addr,
						       0, 0), 0);
		/* Retry, because another task on that processor may drain the batch. */
		if (page_ref_count(page) > i + 1)
			break;
	}
	/* The children map the page, and the batch holds a reference. */
	devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, i + 1, 1);

	all_start(&worker, fix->ddev);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&worker.done,
							  ALL_SOON), 0UL);
	/* Drain the batch in any case, as a failed eviction would wait forever. */
	set_cpus_allowed_ptr(current, cpumask_of(other));
	devpub_fixture_drain_batches(fix);
	all_finish(&worker);
}

static void all_empty_device(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, false), 0);
	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, true), 0);
	/* On an empty device, a pending signal changes nothing. */
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, devpub_evict_all(&fix->ddev->endpoint, true), 0);
	clear_thread_flag(TIF_SIGPENDING);
}

static struct kunit_case all_cases[] = {
	KUNIT_CASE(all_empty_device),
	KUNIT_CASE(all_waits),
	KUNIT_CASE_SLOW(all_gives_up),
	KUNIT_CASE(all_empties_batches),
	{}
};

struct kunit_suite devpub_evict_all_suite = {
	.name		= "devpub_evict_all",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= all_cases,
};
