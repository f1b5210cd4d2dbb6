/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_EVICT_H
#define DEVPUB_EVICT_H

#include <linux/types.h>

struct devpub_endpoint;

int devpub_evict(const struct devpub_endpoint *device, bool interruptible, u64 *moved);
int devpub_evict_all(const struct devpub_endpoint *device, bool interruptible);

#endif /* DEVPUB_EVICT_H */
