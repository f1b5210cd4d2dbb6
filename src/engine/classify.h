/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_CLASSIFY_H
#define DEVPUB_CLASSIFY_H

#include <linux/types.h>

struct devpub_endpoint;
struct vm_area_struct;

void devpub_classify(const struct devpub_endpoint *source,
		     const struct devpub_endpoint *destination,
		     struct vm_area_struct *vma, unsigned long start,
		     unsigned long npages, u8 *states);

#endif /* DEVPUB_CLASSIFY_H */
