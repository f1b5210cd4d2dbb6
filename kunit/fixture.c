// SPDX-License-Identifier: GPL-2.0
/*
 * The fixture: the live device devpub0 with an empty pool.
 */
#include <linux/slab.h>

#include "fixture.h"

/**
 * devpub_fixture_init() - .init of a suite that works on devpub0
 * @test: the case; its priv becomes a struct devpub_fixture
 *
 * Return: 0 or a negative error, which fails the case.
 */
int devpub_fixture_init(struct kunit *test)
{
	struct devpub_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	if (!fix)
		return -ENOMEM;
	fix->ddev = devpub_device_find_get(0);
	if (!fix->ddev) {
		kunit_err(test, "no devpub0: load devpub.ko first\n");
		return -ENODEV;
	}
	fix->pool = &fix->ddev->pool;
	if (!devpub_device_enter(fix->ddev)) {
		devpub_device_find_put(fix->ddev);
		return -ENODEV;
	}
	test->priv = fix;
	KUNIT_EXPECT_EQ_MSG(test, devpub_pool_free_pages(fix->pool),
			    fix->pool->npages, "somebody uses devpub0");
	return 0;
}

/**
 * devpub_fixture_exit() - .exit of a suite that works on devpub0
 * @test: the case
 *
 * Whatever the case did and wherever it stopped, no page may be missing.
 */
void devpub_fixture_exit(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;

	/* KUnit calls .exit also when .init failed. */
	if (!fix)
		return;
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages);
	devpub_device_exit(fix->ddev);
	devpub_device_find_put(fix->ddev);
}
