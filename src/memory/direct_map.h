/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_DIRECT_MAP_H
#define DEVPUB_DIRECT_MAP_H

#include <linux/types.h>

bool devpub_direct_map_can_be_cut(u64 start, u64 size);

#endif /* DEVPUB_DIRECT_MAP_H */
