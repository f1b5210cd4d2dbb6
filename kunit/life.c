// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A device for one case, which the case can create and remove.
 *
 * The driver core probes it like any other device.  Its provider has addresses but no
 * memory, because the cases do not access its pages.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include "device/registry.h"
#include "fixture.h"
#include "life.h"
#include "user.h"

static void life_released(struct devpub_fake *fake,
			  struct devpub_region *region)
{
	struct devpub_life *ctx = container_of(fake, struct devpub_life, fake);
	struct devpub_device *ddev = container_of(region, struct devpub_device,
						  region);

	WRITE_ONCE(ctx->gone, true);
	ctx->release = (struct devpub_life_release) {
		.registered	= device_is_registered(&ddev->dev),
		.live		= !devpub_gate_is_closed_for_good(&ddev->gate),
		.users		= atomic_read(&ddev->gate.users),
		.pages		= pfn_valid(PHYS_PFN(ctx->hole)),
		.out		= devpub_pool_used_pages(&ddev->pool),
	};
}

/**
 * devpub_life_init() - .init of a suite whose cases have a device of their own
 * @test: the case; its priv becomes a struct devpub_life, without a device yet
 *
 * Return: 0 or a negative error, which fails the case.
 */
int devpub_life_init(struct kunit *test)
{
	struct devpub_life *ctx;
	int ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	/* This is no real file, but the calls only use its private_data. */
	ctx->file = kunit_kzalloc(test, sizeof(*ctx->file), GFP_KERNEL);
	if (!ctx->file)
		return -ENOMEM;
	devpub_fake_init(&ctx->fake);
	ctx->fake.released = life_released;
	ctx->hole = devpub_fake_hole(DEVPUB_LIFE_SIZE);
	if (!ctx->hole)
		return -ENOSPC;
	ctx->spec = (struct devpub_device_spec) {
		.memory = {
			.provider	= &ctx->fake.ops,
			.data		= &ctx->fake,
			.start		= ctx->hole,
			.size		= DEVPUB_LIFE_SIZE,
			.node		= NUMA_NO_NODE,
		},
		.window	= DEVPUB_WINDOW_MIN,
	};
	ret = devpub_users_begin();
	if (ret)
		return ret;
	test->priv = ctx;
	ctx->user = devpub_user_start(test);
	ctx->addr = devpub_user_mmap(test, ctx->user, 2, PROT_READ | PROT_WRITE);
	return 0;
}

/**
 * devpub_life_expect_nothing() - expect the device to be removed completely
 * @test: the case
 */
void devpub_life_expect_nothing(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;
	struct devpub_device *ddev = devpub_fixture_find(DEVPUB_LIFE_INDEX);

	KUNIT_EXPECT_NULL(test, ddev);
	if (ddev)
		devpub_fixture_put(ddev);
	KUNIT_EXPECT_EQ(test, ctx->fake.claims, ctx->fake.releases);
	KUNIT_EXPECT_FALSE(test, pfn_valid(PHYS_PFN(ctx->hole)));
	KUNIT_EXPECT_EQ(test, region_intersects(ctx->hole, DEVPUB_LIFE_SIZE, 0,
						IORES_DESC_NONE),
			REGION_DISJOINT);
}

/**
 * devpub_life_remove() - unbind the device and remove its platform device
 * @test: the case
 */
void devpub_life_remove(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	devpub_registry_remove(ctx->entry);
	ctx->entry = NULL;
	ctx->pdev = NULL;
}

/**
 * devpub_life_put() - drop the reference to the device, as closing a file does
 * @test: the case
 */
void devpub_life_put(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	devpub_fixture_put(ctx->ddev);
	ctx->ddev = NULL;
}

/**
 * devpub_life_exit() - .exit of a suite whose cases have a device of their own
 * @test: the case
 */
void devpub_life_exit(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	if (!ctx)
		return;
	if (ctx->pdev)
		devpub_life_remove(test);
	if (ctx->ddev)
		devpub_life_put(test);
	devpub_life_expect_nothing(test);
	devpub_users_end(test);
}

/**
 * devpub_life_register() - let the driver core probe the device
 * @test: the case; devpub_life_error() returns the result
 */
void devpub_life_register(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;
	struct devpub_registration *entry;

	entry = devpub_registry_add(DEVPUB_LIFE_INDEX, &ctx->spec);
	KUNIT_ASSERT_FALSE(test, IS_ERR(entry));
	ctx->entry = entry;
	ctx->pdev = entry->pdev;
}

/**
 * devpub_life_error() - get the result of the last probe
 * @test: the case, whose device is registered
 *
 * Return: 0 or a negative error.
 */
int devpub_life_error(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	return READ_ONCE(ctx->entry->error);
}

/**
 * devpub_life_create() - create the device
 * @test: the case; asserts that this succeeds
 *
 * Return: the device, to which the case holds a reference until devpub_life_put().
 */
struct devpub_device *devpub_life_create(struct kunit *test)
{
	struct devpub_life *ctx = test->priv;

	devpub_life_register(test);
	KUNIT_ASSERT_EQ(test, devpub_life_error(test), 0);
	ctx->ddev = devpub_fixture_find(DEVPUB_LIFE_INDEX);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
	return ctx->ddev;
}

/*
 * Make a call on an open file of the device, for a process.  The range is a hole, so no page
 * moves.
 */
static long life_ioctl(struct kunit *test, struct devpub_device *ddev,
		       unsigned int cmd)
{
	struct devpub_life *ctx = test->priv;
	union {
		struct devpub_info info;
		struct devpub_migrate migrate;
		struct devpub_query query;
		struct devpub_evict evict;
	} arg = {};
	long ret;

	if (cmd == DEVPUB_IOC_QUERY) {
		arg.query.addr = ctx->addr + PAGE_SIZE;
		arg.query.length = PAGE_SIZE;
	} else if (cmd != DEVPUB_IOC_INFO && cmd != DEVPUB_IOC_EVICT) {
		arg.migrate.addr = ctx->addr + PAGE_SIZE;
		arg.migrate.length = PAGE_SIZE;
	}

	ctx->context.ddev = ddev;
	ctx->file->private_data = &ctx->context;
	kthread_use_mm(ctx->user->mm);
	ret = copy_to_user((void __user *)ctx->addr, &arg, sizeof(arg)) ? -EIO :
	      ddev->cdev.ops->unlocked_ioctl(ctx->file, cmd, ctx->addr);
	kthread_unuse_mm(ctx->user->mm);
	return ret;
}

/**
 * devpub_life_expect_ioctls() - expect the return value of each call
 * @test: the case
 * @ddev: the device of an open file
 * @want: the return value of each valid call
 */
void devpub_life_expect_ioctls(struct kunit *test, struct devpub_device *ddev,
			       long want)
{
	static const unsigned int cmds[] = {
		DEVPUB_IOC_INFO, DEVPUB_IOC_MIGRATE_TO,
		DEVPUB_IOC_MIGRATE_FROM, DEVPUB_IOC_QUERY, DEVPUB_IOC_EVICT,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		KUNIT_EXPECT_EQ_MSG(test, life_ioctl(test, ddev, cmds[i]), want,
				    "ioctl %#x", cmds[i]);
	/* An unknown call fails in the same way on any device. */
	KUNIT_EXPECT_EQ(test, life_ioctl(test, ddev, DEVPUB_IOC_ACCESS + 1),
			-ENOTTY);
	KUNIT_EXPECT_EQ(test, life_ioctl(test, ddev, 0), -ENOTTY);
}

/**
 * devpub_life_expect_live() - expect a device to serve calls, with no call inside
 * @test: the case
 * @ddev: the device
 */
void devpub_life_expect_live(struct kunit *test, struct devpub_device *ddev)
{
	KUNIT_EXPECT_TRUE(test, device_is_registered(&ddev->dev));
	KUNIT_EXPECT_NULL(test, ddev->gate.closer);
	KUNIT_EXPECT_FALSE(test, devpub_device_has_left(ddev));
	KUNIT_EXPECT_EQ(test, atomic_read(&ddev->gate.users), 0);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(&ddev->pool),
			(u32)(DEVPUB_LIFE_SIZE >> PAGE_SHIFT));
	KUNIT_EXPECT_TRUE(test, devpub_gate_enter(&ddev->gate));
	KUNIT_EXPECT_EQ(test, atomic_read(&ddev->gate.users), 1);
	KUNIT_EXPECT_TRUE(test, devpub_gate_enter(&ddev->gate));
	devpub_gate_exit(&ddev->gate);
	devpub_gate_exit(&ddev->gate);
	KUNIT_EXPECT_EQ(test, atomic_read(&ddev->gate.users), 0);
	devpub_life_expect_ioctls(test, ddev, 0);
}

/**
 * devpub_life_expect_gone() - expect a device to be removed, in the right order
 * @test: the case
 * @ddev: the device, whose struct stays as long as a file is open
 */
void devpub_life_expect_gone(struct kunit *test, struct devpub_device *ddev)
{
	struct devpub_life *ctx = test->priv;

	KUNIT_EXPECT_FALSE(test, device_is_registered(&ddev->dev));
	KUNIT_EXPECT_TRUE(test, devpub_gate_is_closed(&ddev->gate));
	KUNIT_EXPECT_TRUE(test, devpub_device_has_left(ddev));
	KUNIT_EXPECT_EQ(test, atomic_read(&ddev->gate.users), 0);
	KUNIT_EXPECT_FALSE(test, devpub_gate_enter(&ddev->gate));
	KUNIT_EXPECT_EQ(test, atomic_read(&ddev->gate.users), 0);
	devpub_life_expect_ioctls(test, ddev, -ENODEV);

	/* Each part was removed after the parts that depend on it. */
	KUNIT_EXPECT_FALSE(test, ctx->release.registered);
	KUNIT_EXPECT_FALSE(test, ctx->release.live);
	KUNIT_EXPECT_FALSE(test, ctx->release.users);
	KUNIT_EXPECT_FALSE(test, ctx->release.pages);
	KUNIT_EXPECT_EQ(test, ctx->release.out, 0U);
	devpub_life_expect_nothing(test);
}
