/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Read the memory of a process from its core dump. */
#ifndef DEVPUB_CONFORMANCE_CORE_H
#define DEVPUB_CONFORMANCE_CORE_H

#include <stddef.h>

/* Read the pages of the range, which must be in one mapping, from the core file. */
void core_read(const char *path, const void *addr, void *to, size_t pages);

#endif /* DEVPUB_CONFORMANCE_CORE_H */
