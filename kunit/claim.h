/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_CLAIM_H
#define DEVPUB_CLAIM_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "memory/provider.h"

struct device;
struct kunit;

/* An arbitrary address; nothing is accessed there. */
#define DEVPUB_CLAIM_HOLE	(64ULL * SZ_1G)

/* The name of the entry in /proc/iomem. */
#define DEVPUB_CLAIM_NAME	"devpub-kunit"

/**
 * struct devpub_claim - state of a case that claims a region (test->priv)
 * @dev:	the device to log messages for
 * @request:	the memory to claim; set by the case
 * @region:	the claimed region
 * @claimed:	@region is claimed, and is released after the case
 * @ram:	number of pages of system memory before the case
 */
struct devpub_claim {
	struct device *dev;
	struct devpub_request request;
	struct devpub_region region;
	bool claimed;
	unsigned long ram;
};

/**
 * struct devpub_claim_range - a case parameter: a range to request
 * @name:	of the case
 * @start:	physical address
 * @size:	size in bytes
 */
struct devpub_claim_range {
	const char *name;
	u64 start;
	u64 size;
};

int devpub_claim_init(struct kunit *test);
void devpub_claim_exit(struct kunit *test);
void devpub_claim_range_desc(const struct devpub_claim_range *range, char *desc);

int devpub_claim_try(struct kunit *test);
void devpub_claim_release(struct kunit *test);
void devpub_claim_expect_refusal(struct kunit *test, u64 start, u64 size,
				 int want);

int devpub_claim_iomem(u64 start, u64 size);
const char *devpub_claim_iomem_name(u64 start);

#endif /* DEVPUB_CLAIM_H */
