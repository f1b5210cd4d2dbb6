/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_FIXTURE_H
#define DEVPUB_FIXTURE_H

#include <kunit/test.h>

#include "device.h"

/**
 * struct devpub_fixture - what a case on the live device has (test->priv)
 * @ddev:	devpub0, entered: it can't go away under the case
 * @pool:	its pool; all of it is free when a case begins, and must be
 *		when it has ended
 */
struct devpub_fixture {
	struct devpub_device *ddev;
	struct devpub_pool *pool;
};

int devpub_fixture_init(struct kunit *test);
void devpub_fixture_exit(struct kunit *test);

static inline bool devpub_fixture_owns(const struct devpub_fixture *fix,
				       unsigned long pfn)
{
	return pfn - fix->pool->base_pfn < fix->pool->npages;
}

#endif /* DEVPUB_FIXTURE_H */
