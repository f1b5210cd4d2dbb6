// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * lifecycle: creation, use and removal of a device (src/device).
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/ioport.h>
#include <linux/kdev_t.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "device/device.h"
#include "device/registry.h"
#include "fault.h"
#include "fixture.h"
#include "life.h"

/* Wait time for events that must happen. */
#define LIFE_SOON	msecs_to_jiffies(20000)

static void life_probe(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct devpub_life *ctx = test->priv;
	unsigned long first = PHYS_PFN(ctx->hole);
	unsigned long last = PHYS_PFN(ctx->hole + DEVPUB_LIFE_SIZE - 1);

	KUNIT_EXPECT_EQ(test, ctx->fake.claims, 1U);
	KUNIT_EXPECT_EQ(test, ddev->index, (unsigned int)DEVPUB_LIFE_INDEX);
	KUNIT_EXPECT_EQ(test, (unsigned int)MINOR(ddev->dev.devt),
			(unsigned int)DEVPUB_LIFE_INDEX);
	KUNIT_EXPECT_STREQ(test, dev_name(&ddev->dev), "devpub255");
	KUNIT_EXPECT_PTR_EQ(test, ddev->dev.parent, &ctx->pdev->dev);
	KUNIT_EXPECT_EQ(test, ddev->endpoint.window, (unsigned int)DEVPUB_WINDOW_MIN);

	KUNIT_EXPECT_EQ(test, region_intersects(ctx->hole, DEVPUB_LIFE_SIZE,
						IORESOURCE_BUSY,
						IORES_DESC_NONE),
			REGION_INTERSECTS);
	KUNIT_ASSERT_TRUE(test, pfn_valid(first) && pfn_valid(last));
	KUNIT_EXPECT_TRUE(test, is_device_coherent_page(pfn_to_page(first)));
	KUNIT_EXPECT_TRUE(test, is_device_coherent_page(pfn_to_page(last)));
	devpub_expect_state(test, DEVPUB_STATE_FREE, pfn_to_page(first), 1, 0);
	devpub_expect_state(test, DEVPUB_STATE_FREE, pfn_to_page(last), 1, 0);
	devpub_life_expect_live(test, ddev);

	devpub_life_remove(test);
	devpub_life_expect_gone(test, ddev);
}

static void life_unbind(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct devpub_life *ctx = test->priv;

	device_release_driver(&ctx->pdev->dev);
	devpub_life_expect_gone(test, ddev);
}

static void life_rebind(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;
	struct devpub_device *ddev;
	int i;

	devpub_life_create(test);
	for (i = 0; i < 2; i++) {
		ddev = ctx->ddev;
		device_release_driver(&ctx->pdev->dev);
		devpub_life_expect_gone(test, ddev);

		KUNIT_ASSERT_EQ(test, device_attach(&ctx->pdev->dev), 1);
		ctx->ddev = devpub_fixture_find(DEVPUB_LIFE_INDEX);
		/* A file that was opened before does not affect the new device. */
		KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ddev->gate));
		KUNIT_EXPECT_PTR_NE(test, ddev, ctx->ddev);
		devpub_fixture_put(ddev);

		KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
		devpub_life_expect_live(test, ctx->ddev);
	}
}

/* The probe refuses a platform device of another creator, whatever data it has. */
static void life_foreign(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;
	struct platform_device *pdev;

	pdev = platform_device_register_data(NULL, "devpub", DEVPUB_LIFE_INDEX,
					     &ctx->spec, sizeof(ctx->spec));
	KUNIT_ASSERT_FALSE(test, IS_ERR(pdev));
	KUNIT_EXPECT_NULL(test, pdev->dev.driver);
	platform_device_unregister(pdev);
	KUNIT_EXPECT_EQ(test, ctx->fake.claims, 0U);
}

/* Hibernation fails while a page is in use, and is possible afterwards. */
static void life_freeze(struct kunit *test)
{
	struct devpub_device *ddev = devpub_life_create(test);
	struct device *dev = ddev->dev.parent;
	const struct dev_pm_ops *pm = dev->driver->pm;
	unsigned long pfn;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not hibernate");
	KUNIT_ASSERT_TRUE(test, pm && pm->freeze);
	KUNIT_EXPECT_EQ(test, pm->freeze(dev), 0);
	KUNIT_ASSERT_TRUE(test, devpub_gate_enter(&ddev->gate));
	KUNIT_EXPECT_EQ(test, devpub_pagemap_alloc(&ddev->pagemap, &pfn, 1), 1U);
	devpub_gate_exit(&ddev->gate);
	KUNIT_EXPECT_EQ(test, pm->freeze(dev), -EBUSY);
	unlock_page(pfn_to_page(pfn));
	put_page(pfn_to_page(pfn));
	KUNIT_EXPECT_EQ(test, pm->freeze(dev), 0);
}

#define LIFE_CALLERS	4

/**
 * struct life_caller - enters and exits the gate until the device is removed
 * @work:	the work item
 * @ctx:	state of the case
 * @calls:	number of times inside
 * @late:	number of times inside a device whose region was released
 */
struct life_caller {
	struct work_struct work;
	struct devpub_life *ctx;
	unsigned long calls;
	unsigned long late;
};

static void life_caller_work(struct work_struct *work)
{
	struct life_caller *caller = container_of(work, struct life_caller, work);

	while (devpub_gate_enter(&caller->ctx->ddev->gate)) {
		WRITE_ONCE(caller->calls, caller->calls + 1);
		cond_resched();
		caller->late += READ_ONCE(caller->ctx->gone);
		devpub_gate_exit(&caller->ctx->ddev->gate);
	}
}

static void life_waits_for_crowd(struct kunit *test)
{
	unsigned long end = jiffies + LIFE_SOON;
	struct workqueue_struct *wq;
	struct life_caller *callers;
	int i;

	callers = kunit_kcalloc(test, LIFE_CALLERS, sizeof(*callers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, callers);
	devpub_life_create(test);
	wq = alloc_workqueue("devpub_kunit", WQ_UNBOUND, LIFE_CALLERS);
	KUNIT_ASSERT_NOT_NULL(test, wq);

	for (i = 0; i < LIFE_CALLERS; i++) {
		callers[i].ctx = test->priv;
		INIT_WORK(&callers[i].work, life_caller_work);
		queue_work(wq, &callers[i].work);
	}
	for (i = 0; i < LIFE_CALLERS; i++)
		while (!READ_ONCE(callers[i].calls) && time_before(jiffies, end))
			usleep_range(1000, 2000);
	devpub_life_remove(test);
	destroy_workqueue(wq);

	for (i = 0; i < LIFE_CALLERS; i++) {
		KUNIT_EXPECT_GT(test, callers[i].calls, 0UL);
		KUNIT_EXPECT_EQ(test, callers[i].late, 0UL);
	}
}

struct life_failure {
	const char *name;
	int want;
	u64 size;
	bool busy;
	int claim_error;
};

static const struct life_failure life_failures[] = {
	{ "no memory to claim", .want = -ENXIO, .claim_error = -ENXIO },
	{ "range is in use", .want = -EBUSY, .busy = true },
	{ "no whole page", .want = -EINVAL, .size = PAGE_SIZE / 2 },
};

static void life_failure_desc(const struct life_failure *failure, char *desc)
{
	strscpy(desc, failure->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(life_failure, life_failures, life_failure_desc);

/* A failed probe returns its error, leaves nothing behind, and can be repeated. */
static void life_probe_fails(struct kunit *test)
{
	const struct life_failure *failure = test->param_value;
	struct devpub_life *ctx = test->priv;

	ctx->fake.error = failure->claim_error;
	if (failure->size)
		ctx->spec.memory.size = failure->size;
	if (failure->busy)
		KUNIT_ASSERT_NOT_NULL(test, request_mem_region(ctx->hole, SZ_2M,
							       "devpub-kunit"));
	devpub_life_register(test);
	if (failure->busy)
		release_mem_region(ctx->hole, SZ_2M);
	KUNIT_EXPECT_EQ(test, devpub_life_error(test), failure->want);
	KUNIT_EXPECT_NULL(test, ctx->pdev->dev.driver);
	KUNIT_EXPECT_NULL(test, dev_get_drvdata(&ctx->pdev->dev));
	devpub_life_expect_nothing(test);

	ctx->fake.error = 0;
	ctx->entry->spec.memory.size = DEVPUB_LIFE_SIZE;
	KUNIT_EXPECT_EQ(test, device_attach(&ctx->pdev->dev), 1);
	KUNIT_EXPECT_EQ(test, devpub_life_error(test), 0);
	ctx->ddev = devpub_fixture_find(DEVPUB_LIFE_INDEX);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
	devpub_life_expect_live(test, ctx->ddev);
}

/*
 * Let each allocation of a probe fail in turn.  The probe may succeed without some of them;
 * if it fails, it leaves nothing behind.
 */
static void life_probe_short_of_memory(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;
	unsigned int nth, failed = 0;
	int bound;

	devpub_fault_setup(test, DEVPUB_FAULT_SLAB);
	devpub_life_create(test);
	device_release_driver(&ctx->pdev->dev);
	devpub_life_put(test);

	for (nth = 1; nth < 1000; nth++) {
		ctx->entry->error = 1;
		devpub_fault_arm(nth);
		bound = device_attach(&ctx->pdev->dev);
		if (!devpub_fault_disarm())
			break;

		if (bound == 1) {
			KUNIT_EXPECT_EQ(test, devpub_life_error(test), 0);
			device_release_driver(&ctx->pdev->dev);
		} else {
			/* The driver core may fail before the probe. */
			KUNIT_EXPECT_NE(test, devpub_life_error(test), 0);
			failed++;
		}
		KUNIT_EXPECT_NULL(test, ctx->pdev->dev.driver);
		devpub_life_expect_nothing(test);
	}
	KUNIT_EXPECT_LT(test, nth, 1000U);
	/* At least the allocations of the device, the pool and the pagemap were tried. */
	KUNIT_EXPECT_GT(test, failed, 5U);
	kunit_info(test, "%u of %u allocations matter\n", failed, nth - 1);
	KUNIT_EXPECT_EQ(test, bound, 1);
	KUNIT_EXPECT_EQ(test, devpub_life_error(test), 0);
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(life_probe),
	KUNIT_CASE(life_unbind),
	KUNIT_CASE(life_rebind),
	KUNIT_CASE(life_foreign),
	KUNIT_CASE(life_waits_for_crowd),
	KUNIT_CASE(life_freeze),
	KUNIT_CASE_PARAM(life_probe_fails, life_failure_gen_params),
	KUNIT_CASE_SLOW(life_probe_short_of_memory),
	{}
};

struct kunit_suite devpub_lifecycle_suite = {
	.name		= "devpub_lifecycle",
	.init		= devpub_life_init,
	.exit		= devpub_life_exit,
	.test_cases	= life_cases,
};
