// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * drain: draining and removing a device (src/device/device.c).
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "device/device.h"
#include "fixture.h"
#include "life.h"

/* Wait times for events that must not happen, and for events that must. */
#define DRAIN_NEVER	msecs_to_jiffies(200)
#define DRAIN_SOON	msecs_to_jiffies(20000)

/* The driver is unbound at once even if pages are held; only the memory waits. */
static void leave_begin(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	device_release_driver(&ctx->pdev->dev);
	KUNIT_EXPECT_NULL(test, ctx->pdev->dev.driver);
	KUNIT_EXPECT_FALSE(test, device_is_registered(&ctx->ddev->dev));
}

static void leave_expect_waiting(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&ctx->ddev->left,
							  DRAIN_NEVER), 0UL);
	KUNIT_EXPECT_FALSE(test, ctx->gone);
	KUNIT_EXPECT_TRUE(test, pfn_valid(PHYS_PFN(ctx->hole)));
	KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ctx->ddev->gate));
	devpub_life_expect_ioctls(test, ctx->ddev, -ENODEV);
}

static void leave_expect_left(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&ctx->ddev->left,
							  DRAIN_SOON), 0UL);
	devpub_life_expect_gone(test, ctx->ddev);
}

/* Calls inside may use the memory until the last one exits. */
static void leave_waits_for_calls(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);

	KUNIT_ASSERT_TRUE(test, devpub_gate_enter(&ddev->gate));
	KUNIT_EXPECT_TRUE(test, devpub_gate_enter(&ddev->gate));
	leave_begin(test);
	leave_expect_waiting(test);
	devpub_gate_exit(&ddev->gate);
	leave_expect_waiting(test);
	devpub_gate_exit(&ddev->gate);
	leave_expect_left(test);
}

/* Allocate and hold two pages, one of them locked. */
static void drain_hold(struct kunit *test, struct page **pages)
{
	struct devpub_life *ctx = test->priv;
	unsigned long pfns[2];

	KUNIT_ASSERT_TRUE(test, devpub_gate_enter(&ctx->ddev->gate));
	KUNIT_EXPECT_EQ(test, devpub_pagemap_alloc(&ctx->ddev->pagemap, pfns, 2), 2U);
	devpub_gate_exit(&ctx->ddev->gate);
	pages[0] = pfn_to_page(pfns[0]);
	pages[1] = pfn_to_page(pfns[1]);
	unlock_page(pages[0]);
}

static void drain_let_go(struct page **pages)
{
	put_page(pages[0]);
	unlock_page(pages[1]);
	put_page(pages[1]);
}

/* A held page keeps the memory until its last reference is dropped. */
static void leave_waits_for_page(struct kunit *test)
{
	struct page *pages[2];

	devpub_life_create(test);
	drain_hold(test, pages);
	leave_begin(test);
	leave_expect_waiting(test);
	put_page(pages[0]);
	leave_expect_waiting(test);
	unlock_page(pages[1]);
	put_page(pages[1]);
	leave_expect_left(test);
}

/* The memory can't be claimed again until it is given back. */
static void leave_bind_again(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct devpub_life *ctx = test->priv;
	struct page *pages[2];

	drain_hold(test, pages);
	leave_begin(test);
	KUNIT_EXPECT_NE(test, device_attach(&ctx->pdev->dev), 1);
	KUNIT_EXPECT_EQ(test, devpub_life_error(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, ctx->fake.claims, 1U);
	leave_expect_waiting(test);
	drain_let_go(pages);
	leave_expect_left(test);

	KUNIT_EXPECT_EQ(test, device_attach(&ctx->pdev->dev), 1);
	KUNIT_EXPECT_EQ(test, devpub_life_error(test), 0);
	ctx->ddev = devpub_fixture_find(DEVPUB_LIFE_INDEX);
	devpub_fixture_put(ddev);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
	devpub_life_expect_live(test, ctx->ddev);
}

/* A drain that fails leaves the device as it was. */
static void drain_held(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct page *pages[2];
	u64 remaining = 0;

	drain_hold(test, pages);
	KUNIT_EXPECT_EQ(test, devpub_device_drain(ddev, &remaining), -EBUSY);
	KUNIT_EXPECT_EQ(test, remaining, 2ULL);
	KUNIT_EXPECT_TRUE(test, devpub_gate_enter(&ddev->gate));
	devpub_gate_exit(&ddev->gate);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, devpub_device_drain(ddev, &remaining), -EINTR);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, remaining, 2ULL);
	drain_let_go(pages);
	devpub_life_expect_live(test, ddev);

	KUNIT_EXPECT_EQ(test, devpub_device_drain(ddev, &remaining), 0);
	KUNIT_EXPECT_EQ(test, remaining, 0ULL);
	KUNIT_EXPECT_TRUE(test, device_is_registered(&ddev->dev));
	KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ddev->gate));
	devpub_life_remove(test);
	devpub_life_expect_gone(test, ddev);
}

/**
 * struct drain_task - a drain in progress
 * @work:	the work item that drains
 * @ddev:	the device
 * @ret:	the return value of the drain
 * @done:	completed at the end
 */
struct drain_task {
	struct work_struct work;
	struct devpub_device *ddev;
	int ret;
	struct completion done;
};

static void drain_work(struct work_struct *work)
{
	struct drain_task *drain = container_of(work, struct drain_task, work);
	u64 remaining;

	drain->ret = devpub_device_drain(drain->ddev, &remaining);
	complete(&drain->done);
}

/*
 * Start a drain, and return when the gate is closed.  Until drain_finish(), no assertion may
 * end the case.
 */
static void drain_start(struct kunit *test, struct drain_task *drain)
{
	struct devpub_life *ctx = test->priv;
	unsigned long end = jiffies + DRAIN_SOON;

	drain->ddev = ctx->ddev;
	init_completion(&drain->done);
	INIT_WORK_ONSTACK(&drain->work, drain_work);
	schedule_work(&drain->work);
	while (!devpub_gate_is_closed(&ctx->ddev->gate) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, devpub_gate_is_closed(&ctx->ddev->gate));
	/* The drain holds no lock of the platform device, and the node still exists. */
	KUNIT_EXPECT_TRUE(test, device_trylock(&ctx->pdev->dev));
	device_unlock(&ctx->pdev->dev);
	KUNIT_EXPECT_TRUE(test, device_is_registered(&ctx->ddev->dev));
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&drain->done,
							  DRAIN_NEVER), 0UL);
	KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ctx->ddev->gate));
}

static void drain_finish(struct kunit *test, struct drain_task *drain, int want)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&drain->done,
							  DRAIN_SOON), 0UL);
	KUNIT_EXPECT_EQ(test, drain->ret, want);
	flush_work(&drain->work);
	destroy_work_on_stack(&drain->work);
}

/* A drain keeps new calls out while it waits for the calls inside. */
static void drain_waits_for_calls(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct drain_task drain;

	KUNIT_ASSERT_TRUE(test, devpub_gate_enter(&ddev->gate));
	drain_start(test, &drain);
	devpub_gate_exit(&ddev->gate);
	drain_finish(test, &drain, 0);
	KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ddev->gate));
	devpub_life_remove(test);
	devpub_life_expect_gone(test, ddev);
}

/* A drain fails if the driver is unbound meanwhile, and does not reopen the gate. */
static void drain_overtaken(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct drain_task drain;

	KUNIT_ASSERT_TRUE(test, devpub_gate_enter(&ddev->gate));
	drain_start(test, &drain);
	leave_begin(test);
	drain_finish(test, &drain, -ENODEV);
	leave_expect_waiting(test);
	devpub_gate_exit(&ddev->gate);
	leave_expect_left(test);
}

static struct kunit_case drain_cases[] = {
	KUNIT_CASE(leave_waits_for_calls),
	KUNIT_CASE(leave_waits_for_page),
	KUNIT_CASE(leave_bind_again),
	KUNIT_CASE_SLOW(drain_held),
	KUNIT_CASE(drain_waits_for_calls),
	KUNIT_CASE(drain_overtaken),
	{}
};

struct kunit_suite devpub_drain_suite = {
	.name		= "devpub_drain",
	.init		= devpub_life_init,
	.exit		= devpub_life_exit,
	.test_cases	= drain_cases,
};
