/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_KUNIT_PROVIDER_H
#define DEVPUB_KUNIT_PROVIDER_H

#include <linux/types.h>

#include "region.h"

/**
 * struct kunit_provider - a provider of physical addresses without memory
 * @ops:	for a region to point to
 * @error:	what a claim returns, instead of success
 * @start:	what a successful claim gives, when not 0
 * @claims:	how many succeeded
 * @releases:	how many there were
 * @released:	called at each release, when set
 *
 * Good for everything that does not look into a page, and much faster than
 * taking memory away from the system.
 */
struct kunit_provider {
	struct devpub_provider_ops ops;
	int error;
	u64 start;
	unsigned int claims;
	unsigned int releases;
	void (*released)(struct kunit_provider *provider,
			 struct devpub_region *region);
};

void kunit_provider_init(struct kunit_provider *provider);
u64 kunit_provider_hole(u64 size);

#endif /* DEVPUB_KUNIT_PROVIDER_H */
