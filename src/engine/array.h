/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_ARRAY_H
#define DEVPUB_ARRAY_H

#include <linux/types.h>

void *devpub_array_alloc(size_t size);

#endif /* DEVPUB_ARRAY_H */
