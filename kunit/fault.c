// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail on demand, on kernels that can
 * (Documentation/fault-injection).  Walking through all of them, one run each,
 * reaches every error path of a call.
 */
#include <kunit/test.h>
#include <linux/fault-inject.h>
#include <linux/kmod.h>
#include <linux/sched.h>

#include "fault.h"

#if IS_ENABLED(CONFIG_FAILSLAB) && IS_ENABLED(CONFIG_FAIL_PAGE_ALLOC) && \
	IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS)

/*
 * $1 and $2: the least order of pages that fail, and whether slabs are let off.
 * By default, only what may not sleep fails, with a call trace that would look
 * like a bug's.
 */
static const char fault_script[] =
	"set -e\n"
	"cd /sys/kernel/debug\n"
	"echo 0 >failslab/verbose\n"
	"echo $2 >failslab/ignore-gfp-wait\n"
	"echo 0 >fail_page_alloc/verbose\n"
	"echo N >fail_page_alloc/ignore-gfp-wait\n"
	"echo N >fail_page_alloc/ignore-gfp-highmem\n"
	"echo $1 >fail_page_alloc/min-order\n";

/**
 * devpub_fault_setup() - have devpub_fault_arm() fail certain allocations
 * @test: the case, which is skipped on a kernel that can't
 * @kinds: DEVPUB_FAULT_SLAB, DEVPUB_FAULT_PAGE or both
 */
void devpub_fault_setup(struct kunit *test, unsigned int kinds)
{
	char *argv[7] = {
		"/bin/sh", "-c", (char *)fault_script, "sh",
		kinds & DEVPUB_FAULT_PAGE ? "0" : "99",
		kinds & DEVPUB_FAULT_SLAB ? "N" : "Y", NULL
	};
	char *envp[2] = { "PATH=/bin:/usr/bin", NULL };

	if (call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC))
		kunit_skip(test, "can't set fault injection up: no debugfs in /sys/kernel/debug?");
}

/**
 * devpub_fault_arm() - fail an allocation of this task
 * @nth: which from now on; the first is 1
 */
void devpub_fault_arm(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/**
 * devpub_fault_disarm() - end what devpub_fault_arm() began
 *
 * Return: an allocation has failed.
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
