// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The fixture: the live device devpub0 without pages in use, processes for cases that need
 * them, and a spy in the kernel's free callback.
 */
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/kthread.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "engine/transfer.h"
#include "fixture.h"
#include "spy.h"
#include "spy_access.h"
#include "user.h"

/* One fixture suffices, because cases run one at a time. */
static struct devpub_fixture *fixture_current;

static void fixture_freed(struct page *page, bool refused)
{
	if (refused) {
		atomic_inc(&fixture_current->refused);
		return;
	}
	atomic_inc(&fixture_current->frees);
	if (page_ref_count(page) ||
	    !devpub_fixture_owns(fixture_current, page_to_pfn(page)))
		atomic_inc(&fixture_current->wrong);
}

/**
 * devpub_fixture_find() - get a reference to the published device of a number
 * @index: N of devpubN
 *
 * Finds the class and the major number of devpub's devices by devpub0, which the tests need
 * anyway.
 *
 * Context: process context, may sleep.
 * Return: the device, to be released by devpub_fixture_put(), or NULL.
 */
struct devpub_device *devpub_fixture_find(unsigned int index)
{
	struct device *parent, *first, *dev;

	parent = bus_find_device_by_name(&platform_bus_type, NULL, "devpub.0");
	first = parent ? device_find_child_by_name(parent, "devpub0") : NULL;
	put_device(parent);
	if (!first)
		return NULL;
	dev = class_find_device_by_devt(first->class, MKDEV(MAJOR(first->devt), index));
	put_device(first);
	return dev ? container_of(dev, struct devpub_device, dev) : NULL;
}

/**
 * devpub_fixture_put() - drop a reference to a device
 * @ddev: the device, from devpub_fixture_find()
 *
 * Context: process context, may sleep.
 */
void devpub_fixture_put(struct devpub_device *ddev)
{
	put_device(&ddev->dev);
}

/**
 * devpub_fixture_init() - .init of a suite that works on devpub0
 * @test: the case; its priv becomes a struct devpub_fixture
 *
 * Return: 0 or a negative error, which fails the case.
 */
int devpub_fixture_init(struct kunit *test)
{
	struct devpub_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	int ret;

	if (!fix)
		return -ENOMEM;
	fix->ddev = devpub_fixture_find(0);
	if (!fix->ddev) {
		kunit_err(test, "no devpub0: load devpub.ko first\n");
		return -ENODEV;
	}
	ret = -ENODEV;
	if (!devpub_gate_enter(&fix->ddev->gate))
		goto err_put;
	ret = devpub_users_begin();
	if (ret)
		goto err_exit;

	/* Stay on one processor, so that pages wait only in the batches of this one. */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));

	fix->pool = &fix->ddev->pool;
	test->priv = fix;
	KUNIT_EXPECT_EQ_MSG(test, devpub_pool_free_pages(fix->pool),
			    fix->pool->npages, "somebody uses devpub0");
	return 0;

err_exit:
	devpub_gate_exit(&fix->ddev->gate);
err_put:
	devpub_fixture_put(fix->ddev);
	return ret;
}

/**
 * devpub_fixture_exit() - .exit of a suite that works on devpub0
 * @test: the case
 *
 * Checks that all pages are free, also after a failed case.
 */
void devpub_fixture_exit(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;

	/* KUnit calls .exit also when .init failed. */
	if (!fix)
		return;
	devpub_spy_set(NULL);
	devpub_spy_set_access(NULL);
	devpub_users_end(test);
	devpub_fixture_count_frees(fix, false);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages);
	devpub_gate_exit(&fix->ddev->gate);
	devpub_fixture_put(fix->ddev);
}

/**
 * devpub_fixture_count_frees() - count calls of the free callback in fix->frees,
 *				  ->refused and ->wrong
 * @fix: the fixture
 * @on: true to start from 0, false to stop
 */
void devpub_fixture_count_frees(struct devpub_fixture *fix, bool on)
{
	if (on) {
		atomic_set(&fix->frees, 0);
		atomic_set(&fix->refused, 0);
		atomic_set(&fix->wrong, 0);
		fixture_current = fix;
	}
	devpub_spy_set_freed(on ? fixture_freed : NULL);
}

/**
 * devpub_fixture_drain_batches() - drain this processor's LRU batches
 * @fix: the fixture
 *
 * A batch holds a reference to each of its pages.  lru_add_drain() is not exported, but each
 * migration calls it first, even a migration of no pages.  The module does the same in
 * devpub_transfer_drain(), which this does not call: a test must not depend on the code that
 * it tests.
 *
 * Context: process context.
 */
void devpub_fixture_drain_batches(const struct devpub_fixture *fix)
{
	migrate_device_range(NULL, fix->pool->base_pfn, 0);
}

/**
 * devpub_fixture_migrate() - migrate one page
 * @test: the case
 * @user: the process
 * @addr: address of the page
 * @to: true to migrate to the device, false to migrate from it
 * @populate: fill a hole
 *
 * Return: the enum devpub_reason of the page.
 */
u8 devpub_fixture_migrate(struct kunit *test, struct devpub_user *user,
			  unsigned long addr, bool to, bool populate)
{
	struct devpub_fixture *fix = test->priv;
	const struct devpub_transfer_spec spec = {
		.source		= to ? &devpub_endpoint_system : &fix->ddev->endpoint,
		.destination	= to ? &fix->ddev->endpoint : &devpub_endpoint_system,
		.populate	= populate,
	};
	struct devpub_transfer transfer;
	u8 reason = DEVPUB_REASON_UNSEEN;
	int ret;

	/* Do not assert: the caller may hold pages that the module's exit would wait for. */
	ret = devpub_transfer_begin(&transfer, &spec, user->mm, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	if (ret)
		return reason;
	KUNIT_EXPECT_EQ(test, devpub_transfer_window(&transfer, addr, addr + PAGE_SIZE,
						     &reason), 0);
	devpub_transfer_end(&transfer);
	return reason;
}

/**
 * devpub_fixture_hinder() - take the references of an obstacle
 * @test: the case
 * @user: a process that maps the page
 * @addr: its address of the page
 * @page: the page
 * @obstacle: the obstacle; it may need no reference
 */
void devpub_fixture_hinder(struct kunit *test, struct devpub_user *user,
			   unsigned long addr, struct page *page,
			   enum devpub_obstacle obstacle)
{
	struct page *found = page;
	int got = 1;

	switch (obstacle) {
	case DEVPUB_TWO_REFS:
		get_page(page);
		fallthrough;
	case DEVPUB_REF:
		get_page(page);
		break;
	case DEVPUB_GUP:
	case DEVPUB_PIN:
		kthread_use_mm(user->mm);
		if (obstacle == DEVPUB_GUP)
			got = get_user_pages_fast(addr, 1, 0, &found);
		else
			got = pin_user_pages_fast(addr, 1, 0, &found);
		kthread_unuse_mm(user->mm);
		break;
	default:
		break;
	}
	KUNIT_ASSERT_EQ(test, got, 1);
	KUNIT_EXPECT_PTR_EQ(test, found, page);
}

/**
 * devpub_fixture_unhinder() - undo devpub_fixture_hinder()
 * @page: the page
 * @obstacle: the obstacle
 */
void devpub_fixture_unhinder(struct page *page, enum devpub_obstacle obstacle)
{
	switch (obstacle) {
	case DEVPUB_TWO_REFS:
		put_page(page);
		fallthrough;
	case DEVPUB_REF:
	case DEVPUB_LATE_REF:
	case DEVPUB_GUP:
		put_page(page);
		break;
	case DEVPUB_PIN:
		unpin_user_page(page);
		break;
	default:
		break;
	}
}
