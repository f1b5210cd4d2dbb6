// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * devpub_kunit.ko: the suites, in the order in which they run when the module is loaded.
 * devpub0 must exist before.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "export.h"
#include "suites.h"

#if !IS_ENABLED(CONFIG_KUNIT)
#error DEVPUB_KUNIT=1 needs a kernel with CONFIG_KUNIT: see Documentation/testing.md
#endif

kunit_test_suites(&devpub_range_suite,
		  &devpub_abi_suite,
		  &devpub_pool_suite,
		  &devpub_pool_pages_suite,
		  &devpub_region_suite,
		  &devpub_reserved_suite,
		  &devpub_refcount_suite,
		  &devpub_pte_suite,
		  &devpub_expected_count_suite,
		  &devpub_evict_suite,
		  &devpub_evict_all_suite,
		  &devpub_mirror_suite,
		  &devpub_mirror_race_suite,
		  &devpub_operation_suite,
		  &devpub_engine_suite,
		  &devpub_lifecycle_suite,
		  &devpub_drain_suite);

MODULE_IMPORT_NS(DEVPUB_NAMESPACE);
MODULE_DESCRIPTION("KUnit tests of devpub");
MODULE_LICENSE("GPL");
