/* SPDX-License-Identifier: GPL-2.0 */
/* The module's trace events, as the kernel's tracefs shows them. */
#ifndef DEVPUB_TESTS_TRACING_H
#define DEVPUB_TESTS_TRACING_H

#include <stddef.h>

#define TRACING	"/sys/kernel/tracing"
#define EVENTS	TRACING "/events/devpub"

/* The case is skipped where there is no tracing. */
void tracing_need(void);
void tracing_listen(void);
/* What came since then, in the order of time. */
char *tracing_heard(void);
/* A file of the kernel's, as a string. */
void tracing_read(const char *path, char *text, size_t size);

#endif /* DEVPUB_TESTS_TRACING_H */
