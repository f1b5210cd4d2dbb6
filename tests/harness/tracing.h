/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The module's trace events, from the kernel's tracefs. */
#ifndef DEVPUB_TESTS_TRACING_H
#define DEVPUB_TESTS_TRACING_H

#include <stddef.h>

#define TRACING	"/sys/kernel/tracing"
#define EVENTS	TRACING "/events/devpub"

/* Start tracing, or skip the case. */
void tracing_need(void);
void tracing_listen(void);
/* Return the events since then, in the order of time. */
char *tracing_heard(void);
/* Read a file of the kernel as a string. */
void tracing_read(const char *path, char *text, size_t size);

#endif /* DEVPUB_TESTS_TRACING_H */
