/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_SUITES_H
#define DEVPUB_SUITES_H

#include <kunit/test.h>

extern struct kunit_suite devpub_range_suite;
extern struct kunit_suite devpub_abi_suite;
extern struct kunit_suite devpub_pool_suite;
extern struct kunit_suite devpub_pool_pages_suite;
extern struct kunit_suite devpub_region_suite;
extern struct kunit_suite devpub_reserved_suite;
extern struct kunit_suite devpub_evict_suite;
extern struct kunit_suite devpub_evict_all_suite;
extern struct kunit_suite devpub_lifecycle_suite;
extern struct kunit_suite devpub_drain_suite;
extern struct kunit_suite devpub_refcount_suite;
extern struct kunit_suite devpub_pte_suite;
extern struct kunit_suite devpub_expected_count_suite;
extern struct kunit_suite devpub_mirror_suite;
extern struct kunit_suite devpub_mirror_race_suite;
extern struct kunit_suite devpub_operation_suite;
extern struct kunit_suite devpub_engine_suite;

#endif /* DEVPUB_SUITES_H */
