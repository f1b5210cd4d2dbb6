/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Uses a terminal as a full screen, and restores it however the program ends. */
#ifndef DEVPUB_TOOLS_TERM_H
#define DEVPUB_TOOLS_TERM_H

#include <stddef.h>

/*
 * Start: read keys one by one without echo, and use the alternate screen.  Return 0 or
 * -errno.  The terminal is restored at exit() and when the program crashes.  The caller must
 * handle other signals.
 */
int term_enter(void);
void term_leave(void);

void term_size(unsigned int *rows, unsigned int *columns);

/* Show lines, truncated to the size of the terminal. */
void term_show(const char *text, size_t size);

#endif /* DEVPUB_TOOLS_TERM_H */
