/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_FAKE_H
#define DEVPUB_FAKE_H

#include <linux/types.h>

#include "memory/provider.h"

/**
 * struct devpub_fake - a provider of physical addresses without memory
 * @ops:	for a request to point to, with this struct as its data
 * @error:	what a claim returns, instead of success
 * @claims:	how many succeeded
 * @releases:	how many there were
 * @released:	called at each release, when set
 * @verify_error:	what a verification returns, after devpub_fake_verify()
 * @verified_busy:	the last one found the range requested
 *
 * Good for everything that does not look into a page, and much faster than
 * taking memory away from the system.
 */
struct devpub_fake {
	struct devpub_provider_ops ops;
	int error;
	unsigned int claims;
	unsigned int releases;
	void (*released)(struct devpub_fake *fake, struct devpub_region *region);
	int verify_error;
	bool verified_busy;
};

void devpub_fake_init(struct devpub_fake *fake);
void devpub_fake_verify(struct devpub_fake *fake);
u64 devpub_fake_hole(u64 size);

#endif /* DEVPUB_FAKE_H */
