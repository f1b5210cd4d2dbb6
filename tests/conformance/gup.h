/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Long-term pins like those of a network driver, made by the kernel's CONFIG_GUP_TEST. */
#ifndef DEVPUB_CONFORMANCE_GUP_H
#define DEVPUB_CONFORMANCE_GUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUP_WRITE	1U
#define GUP_FAST	2U

/* Open gup_test, or skip the case. */
int gup_open(void);
/* Pin pages for a long time, at most one range at a time.  After a failure, errno is set. */
bool gup_pin(int gup, const void *addr, size_t pages, unsigned int flags);
/* Check through the pins that the pages have the contents of mem_fill(). */
void gup_check(int gup, size_t pages, uint64_t seed);
void gup_unpin(int gup);

#endif /* DEVPUB_CONFORMANCE_GUP_H */
