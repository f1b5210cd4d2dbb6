/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_FAULT_H
#define DEVPUB_FAULT_H

#include <linux/bits.h>
#include <linux/types.h>

struct kunit;

/* What may fail. */
#define DEVPUB_FAULT_SLAB	BIT(0)
#define DEVPUB_FAULT_PAGE	BIT(1)

void devpub_fault_setup(struct kunit *test, unsigned int kinds);
void devpub_fault_arm(unsigned int nth);
bool devpub_fault_disarm(void);

#endif /* DEVPUB_FAULT_H */
