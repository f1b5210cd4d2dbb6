/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_FAKE_H
#define DEVPUB_FAKE_H

#include <linux/types.h>

#include "memory/provider.h"

/**
 * struct devpub_fake - a provider of physical addresses without memory
 * @ops:	the provider for a request, whose data is this struct
 * @error:	the return value of a claim
 * @claims:	number of successful claims
 * @releases:	number of releases
 * @released:	if set, called at each release
 * @verify_error:	the return value of a verification, after devpub_fake_verify()
 * @verified_busy:	the last verification found the range requested in /proc/iomem
 *
 * This suits all tests that do not access pages, and is much faster than taking memory from
 * the system.
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
