/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_FAULT_H
#define DEVPUB_FAULT_H

#include <linux/bits.h>
#include <linux/kconfig.h>
#include <linux/types.h>

#include "expect.h"

struct devpub_memory;
struct kunit;

#define DEVPUB_FAULT_POSSIBLE						\
	(IS_ENABLED(CONFIG_FAILSLAB) && IS_ENABLED(CONFIG_FAIL_PAGE_ALLOC) && \
	 IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))

/* The kinds of allocations that fail. */
#define DEVPUB_FAULT_SLAB	BIT(0)
#define DEVPUB_FAULT_PAGE	BIT(1)

void devpub_fault_setup(struct kunit *test, unsigned int kinds);
void devpub_fault_arm(unsigned int nth);
bool devpub_fault_disarm(void);

/**
 * typedef devpub_fault_back - migrate memory from the device while an allocation fails
 * @test: the case
 * @mem: the memory
 * @nth: argument for devpub_fault_arm()
 * @failed: receives the return value of devpub_fault_disarm()
 *
 * Return: 0, or the error that ended the whole call.
 */
typedef int devpub_fault_back(struct kunit *test,
			      const struct devpub_memory *mem, unsigned int nth,
			      bool *failed);

void devpub_fault_walk(struct kunit *test, enum devpub_direction direction,
		       devpub_fault_back *back, unsigned int essential);

#endif /* DEVPUB_FAULT_H */
