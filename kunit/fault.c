// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Fault injection: lets allocations fail, on kernels that support that
 * (Documentation/fault-injection).  To reach each error path of a call, a test runs it once
 * for each of its allocations and lets that one fail.
 */
#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/fault-inject.h>
#include <linux/kmod.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "fault.h"
#include "fixture.h"
#include "memory.h"
#include "pte.h"
#include "user.h"

#if DEVPUB_FAULT_POSSIBLE

#define FAULT_SAVED	"/run/devpub-kunit-fault"

/*
 * $1 is the minimum order of page allocations that fail, and $2 tells if slab allocations do
 * not fail.  By default, only allocations that may not sleep fail, and the kernel logs a call
 * trace that would look like that of a bug.
 */
static const char fault_script[] =
	"set -e\n"
	"mkdir -p /run\n"
	"cd /sys/kernel/debug\n"
	"for f in fail*/verbose fail*/ignore-gfp-* fail*/min-order; do\n"
	"	read -r v <$f\n"
	"	echo $v $f\n"
	"done >" FAULT_SAVED "\n"
	"echo 0 >failslab/verbose\n"
	"echo $2 >failslab/ignore-gfp-wait\n"
	"echo 0 >fail_page_alloc/verbose\n"
	"echo N >fail_page_alloc/ignore-gfp-wait\n"
	"echo N >fail_page_alloc/ignore-gfp-highmem\n"
	"echo $1 >fail_page_alloc/min-order\n";

static const char fault_restore_script[] =
	"set -e\n"
	"[ -e " FAULT_SAVED " ] || exit 0\n"
	"cd /sys/kernel/debug\n"
	"while read -r v f; do echo $v >$f; done <" FAULT_SAVED "\n"
	"rm " FAULT_SAVED "\n";

static char *fault_envp[2] = { "PATH=/bin:/usr/bin", NULL };

static void fault_restore(struct kunit_resource *res)
{
	char *argv[4] = { "/bin/sh", "-c", (char *)fault_restore_script, NULL };

	if (call_usermodehelper(argv[0], argv, fault_envp, UMH_WAIT_PROC))
		pr_err("fault injection's settings stay changed\n");
}

/**
 * devpub_fault_setup() - select the allocations that devpub_fault_arm() lets fail
 * @test: the case, which is skipped if the kernel does not support that; the settings are
 *	restored after the case
 * @kinds: DEVPUB_FAULT_SLAB, DEVPUB_FAULT_PAGE or both
 */
void devpub_fault_setup(struct kunit *test, unsigned int kinds)
{
	char *argv[7] = {
		"/bin/sh", "-c", (char *)fault_script, "sh",
		kinds & DEVPUB_FAULT_PAGE ? "0" : "99",
		kinds & DEVPUB_FAULT_SLAB ? "N" : "Y", NULL
	};

	/*
	 * Register the restoration first, because the script may fail half-way.  Pass a
	 * non-NULL pointer, because KUnit treats a resource without data as failed.
	 */
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, NULL, fault_restore,
							 GFP_KERNEL, test));
	if (call_usermodehelper(argv[0], argv, fault_envp, UMH_WAIT_PROC))
		kunit_skip(test, "can't set fault injection up: no debugfs in /sys/kernel/debug?");
}

/**
 * devpub_fault_arm() - fail an allocation of this task
 * @nth: number of the allocation from now on; the first is 1
 */
void devpub_fault_arm(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/**
 * devpub_fault_disarm() - undo devpub_fault_arm()
 *
 * Return: true if an allocation has failed.
 */
bool devpub_fault_disarm(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

#else

void devpub_fault_setup(struct kunit *test, unsigned int kinds)
{
	kunit_skip(test, "this kernel has no fault injection");
}

void devpub_fault_arm(unsigned int nth)
{
}

bool devpub_fault_disarm(void)
{
	return false;
}

#endif

#define FAULT_PAGES	8
#define FAULT_WALKS	30

/*
 * Check that each page either moved, or is unchanged.
 *
 * Return: a bit mask of the unchanged pages.
 */
static unsigned long fault_expect_pages(struct kunit *test, enum devpub_direction direction,
					const struct devpub_memory *mem)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long page, stayed = 0;

	devpub_fixture_drain_batches(fix);
	for (page = 0; page < mem->npages; page++) {
		struct devpub_pte pte = devpub_pte_read(mem->user->mm, mem->addr +
							page * PAGE_SIZE);
		bool here = devpub_fixture_owns(fix, pte.pfn);

		KUNIT_EXPECT_TRUE(test, pte.present);
		if (!pte.present)
			continue;
		devpub_expect_counts(test, direction, here ? DEVPUB_SKIPPED : DEVPUB_MOVED,
				     DEVPUB_PHASE_FINALIZED,
				     here ? DEVPUB_SOURCE : DEVPUB_DESTINATION,
				     pfn_to_page(pte.pfn), 1, 0);
		if (here)
			stayed |= BIT(page);
	}
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool) +
			hweight_long(stayed), (unsigned long)fix->pool->npages);
	devpub_memory_expect(test, mem);
	return stayed;
}

/*
 * Let each allocation fail in turn.
 *
 * Return: the number of failures that ended the whole call; @alone receives a bit mask of the
 * pages that a failure left behind alone.
 */
static unsigned int fault_walk_once(struct kunit *test, enum devpub_direction direction,
				    devpub_fault_back *back,
				    unsigned int essential,
				    struct devpub_memory *mem,
				    unsigned long *alone)
{
	unsigned int nth, none = 0;
	unsigned long stayed = 0;
	bool failed = true;

	for (nth = 1; nth < 1000 && failed; nth++) {
		int ret = back(test, mem, nth, &failed);

		stayed = fault_expect_pages(test, direction, mem);
		if (ret) {
			KUNIT_EXPECT_NE(test, essential, 0U);
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			KUNIT_EXPECT_EQ(test, stayed, BIT(mem->npages) - 1);
			none++;
		}
		if (hweight_long(stayed) == 1)
			*alone |= stayed;
		if (failed) {
			bool again;

			KUNIT_EXPECT_EQ(test, back(test, mem, 0, &again), 0);
			KUNIT_ASSERT_EQ(test, fault_expect_pages(test, direction, mem),
					0UL);
			devpub_memory_move_to(test, mem);
		}
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_EQ(test, stayed, 0UL);
	kunit_info(test, "%u allocations, %u of them essential\n", nth - 2, none);
	return none;
}

/**
 * devpub_fault_walk() - let each allocation of a migration from the device fail in turn
 * @test: the case, of a suite with the fixture
 * @direction: the direction
 * @back: migrates
 * @essential: number of failures that must end the whole call
 *
 * A page for which there is no system memory stays on the device, unless it is evicted, and
 * its neighbours move.
 */
void devpub_fault_walk(struct kunit *test, enum devpub_direction direction,
		       devpub_fault_back *back, unsigned int essential)
{
	/* An eviction asks for memory of any node then, so no page stays. */
	unsigned long left = direction == DEVPUB_EVICT ? 0 : BIT(FAULT_PAGES) - 1;
	unsigned long alone = 0;
	struct devpub_memory mem;
	unsigned int none = 0, i;
	bool done = false;

	devpub_fault_setup(test, DEVPUB_FAULT_SLAB | DEVPUB_FAULT_PAGE);
	devpub_memory_create(test, &mem, FAULT_PAGES);
	/* With this policy of the mapping, pages are allocated one by one. */
	KUNIT_ASSERT_EQ(test, devpub_user_call(mem.user, __NR_mbind, mem.addr,
					       FAULT_PAGES * PAGE_SIZE,
					       MPOL_LOCAL, 0, 0, 0), 0L);
	/*
	 * Debugging features of the kernel allocate memory at some runs only, which shifts the
	 * numbers of the other allocations.  A page or an essential allocation may be missed
	 * in that way; repeat the walk then.
	 */
	for (i = 0; i < FAULT_WALKS && !done; i++) {
		if (i)
			devpub_memory_move_to(test, &mem);
		none = fault_walk_once(test, direction, back, essential, &mem,
				       &alone);
		done = alone == left && none == essential;
	}
	/* Each page that may stay was once the one without memory. */
	KUNIT_EXPECT_EQ(test, alone, left);
	KUNIT_EXPECT_EQ(test, none, essential);
}
