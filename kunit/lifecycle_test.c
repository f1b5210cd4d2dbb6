// SPDX-License-Identifier: GPL-2.0
/*
 * lifecycle: a device comes, serves, drains and goes (src/device.c).
 *
 * The device of each case is probed by the driver core like any other, on a
 * provider that has addresses and no memory: nobody looks into its pages.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/kdev_t.h>
#include <linux/kthread.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "device.h"
#include "fake.h"
#include "fault.h"
#include "user.h"

/* N of /dev/devpubN, far from those of the module's parameters. */
#define LIFE_INDEX	255
#define LIFE_SIZE	SZ_4M

/* How long to wait for what shall not happen, and for what shall. */
#define LIFE_NEVER	msecs_to_jiffies(200)
#define LIFE_SOON	msecs_to_jiffies(20000)

/**
 * struct life_release - the device at the moment when its region is released
 * @registered:	its node was still there
 * @live:	it was not draining
 * @users:	calls were inside
 * @pages:	its pages were still registered
 * @out:	pages that were not free
 */
struct life_release {
	bool registered;
	bool live;
	bool users;
	bool pages;
	u32 out;
};

/**
 * struct life_test - what a case has
 * @fake:	provider of the device's region
 * @hole:	where that is
 * @spec:	what the device is made from
 * @error:	what became of its last probe
 * @pdev:	its platform device, or NULL
 * @ddev:	the device, held, or NULL
 * @release:	how it was found at the last release of the region
 * @gone:	the region has been released
 * @user:	who makes calls
 * @addr:	two pages of its memory: what calls are about, and a hole
 */
struct life_test {
	struct devpub_fake fake;
	u64 hole;
	struct devpub_device_spec spec;
	int error;
	struct platform_device *pdev;
	struct devpub_device *ddev;
	struct life_release release;
	bool gone;
	struct devpub_user *user;
	unsigned long addr;
};

static void life_released(struct devpub_fake *fake,
			  struct devpub_region *region)
{
	struct life_test *ctx = container_of(fake, struct life_test, fake);
	struct devpub_device *ddev = container_of(region, struct devpub_device,
						  region);

	WRITE_ONCE(ctx->gone, true);
	ctx->release = (struct life_release) {
		.registered	= device_is_registered(&ddev->dev),
		.live		= !devpub_device_is_draining(ddev),
		.users		= refcount_read(&ddev->users),
		.pages		= pfn_valid(PHYS_PFN(ctx->hole)),
		.out		= ddev->pool.npages - ddev->pool.nfree,
	};
}

static int life_test_init(struct kunit *test)
{
	struct life_test *ctx;
	int ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	devpub_fake_init(&ctx->fake);
	ctx->fake.released = life_released;
	ctx->hole = devpub_fake_hole(LIFE_SIZE);
	if (!ctx->hole)
		return -ENOSPC;
	ctx->spec = (struct devpub_device_spec) {
		.region = {
			.provider	= &ctx->fake.ops,
			.start		= ctx->hole,
			.size		= LIFE_SIZE,
			.node		= NUMA_NO_NODE,
		},
		.window	= DEVPUB_WINDOW_MIN,
		.error	= &ctx->error,
	};
	ret = devpub_users_begin();
	if (ret)
		return ret;
	test->priv = ctx;
	ctx->user = devpub_user_start(test);
	ctx->addr = devpub_user_mmap(test, ctx->user, 2, PROT_READ | PROT_WRITE);
	return 0;
}

/* Nothing is left of a device that is not there. */
static void life_expect_nothing(struct kunit *test)
{
	struct life_test *ctx = test->priv;
	struct devpub_device *ddev = devpub_device_find_get(LIFE_INDEX);

	KUNIT_EXPECT_NULL(test, ddev);
	if (ddev)
		devpub_device_find_put(ddev);
	KUNIT_EXPECT_EQ(test, ctx->fake.claims, ctx->fake.releases);
	KUNIT_EXPECT_FALSE(test, pfn_valid(PHYS_PFN(ctx->hole)));
	KUNIT_EXPECT_EQ(test, region_intersects(ctx->hole, LIFE_SIZE, 0,
						IORES_DESC_NONE),
			REGION_DISJOINT);
}

static void life_remove(struct kunit *test)
{
	struct life_test *ctx = test->priv;

	platform_device_unregister(ctx->pdev);
	ctx->pdev = NULL;
}

static void life_put(struct kunit *test)
{
	struct life_test *ctx = test->priv;

	devpub_device_find_put(ctx->ddev);
	ctx->ddev = NULL;
}

static void life_test_exit(struct kunit *test)
{
	struct life_test *ctx = test->priv;

	if (!ctx)
		return;
	if (ctx->pdev)
		life_remove(test);
	if (ctx->ddev)
		life_put(test);
	life_expect_nothing(test);
	devpub_users_end(test);
}

static void life_register(struct kunit *test)
{
	struct life_test *ctx = test->priv;
	struct platform_device *pdev;

	ctx->error = 1;
	pdev = platform_device_register_data(NULL, "devpub", LIFE_INDEX,
					     &ctx->spec, sizeof(ctx->spec));
	KUNIT_ASSERT_FALSE(test, IS_ERR(pdev));
	ctx->pdev = pdev;
}

static struct devpub_device *life_create(struct kunit *test)
{
	struct life_test *ctx = test->priv;

	life_register(test);
	KUNIT_ASSERT_EQ(test, ctx->error, 0);
	ctx->ddev = devpub_device_find_get(LIFE_INDEX);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
	return ctx->ddev;
}

/*
 * A call on an open file of the device, by a process, and on nothing: its range
 * is a hole.
 */
static long life_ioctl(struct kunit *test, struct devpub_device *ddev,
		       unsigned int cmd)
{
	struct life_test *ctx = test->priv;
	union {
		struct devpub_info info;
		struct devpub_migrate migrate;
		struct devpub_query query;
		struct devpub_evict evict;
	} arg = {};
	struct file *file;
	long ret;

	if (cmd == DEVPUB_IOC_QUERY) {
		arg.query.addr = ctx->addr + PAGE_SIZE;
		arg.query.length = PAGE_SIZE;
	} else if (cmd != DEVPUB_IOC_INFO && cmd != DEVPUB_IOC_EVICT) {
		arg.migrate.addr = ctx->addr + PAGE_SIZE;
		arg.migrate.length = PAGE_SIZE;
	}

	/* There is no file behind it, but no call looks. */
	file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, file);
	file->private_data = ddev;

	kthread_use_mm(ctx->user->mm);
	ret = copy_to_user((void __user *)ctx->addr, &arg, sizeof(arg)) ? -EIO :
	      ddev->cdev.ops->unlocked_ioctl(file, cmd, ctx->addr);
	kthread_unuse_mm(ctx->user->mm);
	return ret;
}

static void life_expect_ioctls(struct kunit *test, struct devpub_device *ddev,
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
	/* What is no call of ours is none before and after. */
	KUNIT_EXPECT_EQ(test, life_ioctl(test, ddev, DEVPUB_IOC_EVICT + 1),
			-ENOTTY);
	KUNIT_EXPECT_EQ(test, life_ioctl(test, ddev, 0), -ENOTTY);
}

static void life_expect_live(struct kunit *test, struct devpub_device *ddev)
{
	KUNIT_EXPECT_TRUE(test, device_is_registered(&ddev->dev));
	KUNIT_EXPECT_FALSE(test, devpub_device_is_draining(ddev));
	KUNIT_EXPECT_EQ(test, refcount_read(&ddev->users), 1U);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(&ddev->pool),
			(u32)(LIFE_SIZE >> PAGE_SHIFT));
	KUNIT_EXPECT_TRUE(test, devpub_device_enter(ddev));
	KUNIT_EXPECT_EQ(test, refcount_read(&ddev->users), 2U);
	KUNIT_EXPECT_TRUE(test, devpub_device_enter(ddev));
	devpub_device_exit(ddev);
	devpub_device_exit(ddev);
	KUNIT_EXPECT_EQ(test, refcount_read(&ddev->users), 1U);
	life_expect_ioctls(test, ddev, 0);
}

/* The device is gone, but whoever has it open still holds its struct. */
static void life_expect_gone(struct kunit *test, struct devpub_device *ddev)
{
	struct life_test *ctx = test->priv;

	KUNIT_EXPECT_FALSE(test, device_is_registered(&ddev->dev));
	KUNIT_EXPECT_TRUE(test, devpub_device_is_draining(ddev));
	KUNIT_EXPECT_EQ(test, refcount_read(&ddev->users), 0U);
	KUNIT_EXPECT_FALSE(test, devpub_device_enter(ddev));
	KUNIT_EXPECT_EQ(test, refcount_read(&ddev->users), 0U);
	life_expect_ioctls(test, ddev, -ENODEV);

	/* Each thing went after what builds on it. */
	KUNIT_EXPECT_FALSE(test, ctx->release.registered);
	KUNIT_EXPECT_FALSE(test, ctx->release.live);
	KUNIT_EXPECT_FALSE(test, ctx->release.users);
	KUNIT_EXPECT_FALSE(test, ctx->release.pages);
	KUNIT_EXPECT_EQ(test, ctx->release.out, 0U);
	life_expect_nothing(test);
}

static void life_probe(struct kunit *test)
{
	struct devpub_device *ddev = life_create(test);
	struct life_test *ctx = test->priv;
	unsigned long first = PHYS_PFN(ctx->hole);
	unsigned long last = PHYS_PFN(ctx->hole + LIFE_SIZE - 1);

	KUNIT_EXPECT_EQ(test, ctx->fake.claims, 1U);
	KUNIT_EXPECT_EQ(test, ddev->index, (unsigned int)LIFE_INDEX);
	KUNIT_EXPECT_EQ(test, (unsigned int)MINOR(ddev->dev.devt),
			(unsigned int)LIFE_INDEX);
	KUNIT_EXPECT_STREQ(test, dev_name(&ddev->dev), "devpub255");
	KUNIT_EXPECT_PTR_EQ(test, ddev->dev.parent, &ctx->pdev->dev);
	KUNIT_EXPECT_EQ(test, ddev->window, (unsigned int)DEVPUB_WINDOW_MIN);

	KUNIT_EXPECT_EQ(test, region_intersects(ctx->hole, LIFE_SIZE,
						IORESOURCE_BUSY,
						IORES_DESC_NONE),
			REGION_INTERSECTS);
	KUNIT_ASSERT_TRUE(test, pfn_valid(first) && pfn_valid(last));
	KUNIT_EXPECT_TRUE(test, is_device_coherent_page(pfn_to_page(first)));
	KUNIT_EXPECT_TRUE(test, is_device_coherent_page(pfn_to_page(last)));
	KUNIT_EXPECT_EQ(test, page_count(pfn_to_page(first)), 0);
	KUNIT_EXPECT_EQ(test, page_count(pfn_to_page(last)), 0);
	life_expect_live(test, ddev);

	life_remove(test);
	life_expect_gone(test, ddev);
}

static void life_unbind(struct kunit *test)
{
	struct devpub_device *ddev = life_create(test);
	struct life_test *ctx = test->priv;

	device_release_driver(&ctx->pdev->dev);
	life_expect_gone(test, ddev);
}

static void life_rebind(struct kunit *test)
{
	struct life_test *ctx = test->priv;
	struct devpub_device *ddev;
	int i;

	life_create(test);
	for (i = 0; i < 5; i++) {
		ddev = ctx->ddev;
		device_release_driver(&ctx->pdev->dev);
		life_expect_gone(test, ddev);

		KUNIT_ASSERT_EQ(test, device_attach(&ctx->pdev->dev), 1);
		ctx->ddev = devpub_device_find_get(LIFE_INDEX);
		/* A file that was opened before has nothing to do with it. */
		KUNIT_EXPECT_FALSE(test, devpub_device_enter(ddev));
		KUNIT_EXPECT_PTR_NE(test, ddev, ctx->ddev);
		devpub_device_find_put(ddev);

		KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
		life_expect_live(test, ctx->ddev);
	}
}

/**
 * struct life_unbinding - an unbinding on its way
 * @work:	in which it is done
 * @dev:	what is unbound
 * @done:	completed at the end
 */
struct life_unbinding {
	struct work_struct work;
	struct device *dev;
	struct completion done;
};

static void life_unbinding_work(struct work_struct *work)
{
	struct life_unbinding *unbinding = container_of(work,
							struct life_unbinding,
							work);

	device_release_driver(unbinding->dev);
	complete(&unbinding->done);
}

/* Return once the device is draining. */
static void life_unbinding_start(struct kunit *test,
				 struct life_unbinding *unbinding)
{
	struct life_test *ctx = test->priv;
	unsigned long end = jiffies + LIFE_SOON;

	unbinding->dev = &ctx->pdev->dev;
	init_completion(&unbinding->done);
	INIT_WORK_ONSTACK(&unbinding->work, life_unbinding_work);
	schedule_work(&unbinding->work);
	while (!devpub_device_is_draining(ctx->ddev) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, devpub_device_is_draining(ctx->ddev));
}

static void life_unbinding_expect_waiting(struct kunit *test,
					  struct life_unbinding *unbinding)
{
	struct life_test *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&unbinding->done,
							  LIFE_NEVER), 0UL);
	KUNIT_EXPECT_FALSE(test, ctx->gone);
	KUNIT_EXPECT_TRUE(test, pfn_valid(PHYS_PFN(ctx->hole)));
	KUNIT_EXPECT_FALSE(test, devpub_device_enter(ctx->ddev));
	life_expect_ioctls(test, ctx->ddev, -ENODEV);
}

static void life_unbinding_finish(struct kunit *test,
				  struct life_unbinding *unbinding)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&unbinding->done,
							  LIFE_SOON), 0UL);
	flush_work(&unbinding->work);
	destroy_work_on_stack(&unbinding->work);
}

/* Who is inside may go on using the memory until the last one is out. */
static void life_waits_for_calls(struct kunit *test)
{
	struct devpub_device *ddev = life_create(test);
	struct life_unbinding unbinding;

	KUNIT_ASSERT_TRUE(test, devpub_device_enter(ddev));
	KUNIT_EXPECT_TRUE(test, devpub_device_enter(ddev));
	life_unbinding_start(test, &unbinding);
	life_unbinding_expect_waiting(test, &unbinding);
	devpub_device_exit(ddev);
	life_unbinding_expect_waiting(test, &unbinding);
	devpub_device_exit(ddev);
	life_unbinding_finish(test, &unbinding);
	life_expect_gone(test, ddev);
}

/* A page that somebody holds keeps its memory until it is let go. */
static void life_waits_for_page(struct kunit *test)
{
	struct devpub_device *ddev = life_create(test);
	struct life_unbinding unbinding;
	unsigned long pfns[2];

	KUNIT_ASSERT_TRUE(test, devpub_device_enter(ddev));
	KUNIT_EXPECT_EQ(test, devpub_pool_alloc(&ddev->pool, pfns, 2), 2U);
	devpub_device_exit(ddev);
	unlock_page(pfn_to_page(pfns[0]));

	life_unbinding_start(test, &unbinding);
	life_unbinding_expect_waiting(test, &unbinding);
	put_page(pfn_to_page(pfns[0]));
	life_unbinding_expect_waiting(test, &unbinding);
	unlock_page(pfn_to_page(pfns[1]));
	put_page(pfn_to_page(pfns[1]));
	life_unbinding_finish(test, &unbinding);
	life_expect_gone(test, ddev);
}

#define LIFE_CALLERS	4

/**
 * struct life_caller - somebody who goes in and out until there is no device
 * @work:	in which that is done
 * @ctx:	of the case
 * @calls:	how often inside
 * @late:	how often inside a device whose region was gone
 */
struct life_caller {
	struct work_struct work;
	struct life_test *ctx;
	unsigned long calls;
	unsigned long late;
};

static void life_caller_work(struct work_struct *work)
{
	struct life_caller *caller = container_of(work, struct life_caller, work);

	while (devpub_device_enter(caller->ctx->ddev)) {
		WRITE_ONCE(caller->calls, caller->calls + 1);
		cond_resched();
		caller->late += READ_ONCE(caller->ctx->gone);
		devpub_device_exit(caller->ctx->ddev);
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
	life_create(test);
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
	life_remove(test);
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

/* A probe that fails says why, leaves nothing, and may be tried again. */
static void life_probe_fails(struct kunit *test)
{
	const struct life_failure *failure = test->param_value;
	struct devpub_device_spec *spec;
	struct life_test *ctx = test->priv;

	ctx->fake.error = failure->claim_error;
	if (failure->size)
		ctx->spec.region.size = failure->size;
	if (failure->busy)
		KUNIT_ASSERT_NOT_NULL(test, request_mem_region(ctx->hole, SZ_2M,
							       "devpub-kunit"));
	life_register(test);
	if (failure->busy)
		release_mem_region(ctx->hole, SZ_2M);
	KUNIT_EXPECT_EQ(test, ctx->error, failure->want);
	KUNIT_EXPECT_NULL(test, ctx->pdev->dev.driver);
	KUNIT_EXPECT_NULL(test, dev_get_drvdata(&ctx->pdev->dev));
	life_expect_nothing(test);

	ctx->fake.error = 0;
	spec = dev_get_platdata(&ctx->pdev->dev);
	spec->region.size = LIFE_SIZE;
	KUNIT_EXPECT_EQ(test, device_attach(&ctx->pdev->dev), 1);
	KUNIT_EXPECT_EQ(test, ctx->error, 0);
	ctx->ddev = devpub_device_find_get(LIFE_INDEX);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ddev);
	life_expect_live(test, ctx->ddev);
}

/*
 * Let each allocation of a probe fail in turn.  Not all are needed; where one
 * was, nothing is left.
 */
static void life_probe_short_of_memory(struct kunit *test)
{
	struct life_test *ctx = test->priv;
	unsigned int nth, failed = 0;
	int bound;

	devpub_fault_setup(test, DEVPUB_FAULT_SLAB);
	life_create(test);
	device_release_driver(&ctx->pdev->dev);
	life_put(test);

	for (nth = 1; nth < 1000; nth++) {
		ctx->error = 1;
		devpub_fault_arm(nth);
		bound = device_attach(&ctx->pdev->dev);
		if (!devpub_fault_disarm())
			break;

		if (bound == 1) {
			KUNIT_EXPECT_EQ(test, ctx->error, 0);
			device_release_driver(&ctx->pdev->dev);
		} else {
			/* The driver core may fail before it probes. */
			KUNIT_EXPECT_NE(test, ctx->error, 0);
			failed++;
		}
		KUNIT_EXPECT_NULL(test, ctx->pdev->dev.driver);
		life_expect_nothing(test);
	}
	KUNIT_EXPECT_LT(test, nth, 1000U);
	/* Its own allocations, the pool's and the pagemap's at least. */
	KUNIT_EXPECT_GT(test, failed, 5U);
	kunit_info(test, "%u of %u allocations matter\n", failed, nth - 1);
	KUNIT_EXPECT_EQ(test, bound, 1);
	KUNIT_EXPECT_EQ(test, ctx->error, 0);
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(life_probe),
	KUNIT_CASE(life_unbind),
	KUNIT_CASE(life_rebind),
	KUNIT_CASE(life_waits_for_calls),
	KUNIT_CASE(life_waits_for_page),
	KUNIT_CASE(life_waits_for_crowd),
	KUNIT_CASE_PARAM(life_probe_fails, life_failure_gen_params),
	KUNIT_CASE(life_probe_short_of_memory),
	{}
};

struct kunit_suite devpub_lifecycle_suite = {
	.name		= "devpub_lifecycle",
	.init		= life_test_init,
	.exit		= life_test_exit,
	.test_cases	= life_cases,
};
