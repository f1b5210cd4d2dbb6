/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_FIXTURE_H
#define DEVPUB_FIXTURE_H

#include <kunit/test.h>

#include "device/device.h"
#include "expect.h"

struct devpub_user;

/* 6.7: a case can be marked as slow. */
#ifndef KUNIT_CASE_SLOW
#define KUNIT_CASE_SLOW(name)	KUNIT_CASE(name)
#endif

/**
 * struct devpub_fixture - state of a case on the live device (test->priv)
 * @ddev:	devpub0; the case is inside its gate, so it stays
 * @pool:	its pool; all pages are free when a case begins, and must be free when it
 *		has ended
 * @frees:	number of calls of the free callback, while they are counted
 * @refused:	number of these for pages that the pool refused
 * @wrong:	number of these for pages that had a reference or are not of the device
 */
struct devpub_fixture {
	struct devpub_device *ddev;
	struct devpub_pool *pool;
	atomic_t frees;
	atomic_t refused;
	atomic_t wrong;
};

struct devpub_device *devpub_fixture_find(unsigned int index);
void devpub_fixture_put(struct devpub_device *ddev);

int devpub_fixture_init(struct kunit *test);
void devpub_fixture_exit(struct kunit *test);

static inline bool devpub_fixture_owns(const struct devpub_fixture *fix,
				       unsigned long pfn)
{
	return pfn - fix->pool->base_pfn < fix->pool->npages;
}

void devpub_fixture_count_frees(struct devpub_fixture *fix, bool on);
void devpub_fixture_drain_batches(const struct devpub_fixture *fix);
u8 devpub_fixture_migrate(struct kunit *test, struct devpub_user *user,
			  unsigned long addr, bool to, bool populate);
void devpub_fixture_hinder(struct kunit *test, struct devpub_user *user,
			   unsigned long addr, struct page *page,
			   enum devpub_obstacle obstacle);
void devpub_fixture_unhinder(struct page *page, enum devpub_obstacle obstacle);

#endif /* DEVPUB_FIXTURE_H */
