/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Pins as a network card's driver takes them, by the kernel's CONFIG_GUP_TEST. */
#ifndef DEVPUB_CONFORMANCE_GUP_H
#define DEVPUB_CONFORMANCE_GUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUP_WRITE	1U
#define GUP_FAST	2U

/* The kernel's test, or the case is skipped. */
int gup_open(void);
/* Pin pages for long, at most one range at a time; when that fails errno says why. */
bool gup_pin(int gup, const void *addr, size_t pages, unsigned int flags);
/* What the holder of the pins sees is what mem_fill() left there. */
void gup_check(int gup, size_t pages, uint64_t seed);
void gup_unpin(int gup);

#endif /* DEVPUB_CONFORMANCE_GUP_H */
