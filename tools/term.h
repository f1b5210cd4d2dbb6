/* SPDX-License-Identifier: GPL-2.0 */
/* A terminal taken for a full screen, and left as it was however the program ends. */
#ifndef DEVPUB_TOOLS_TERM_H
#define DEVPUB_TOOLS_TERM_H

#include <stddef.h>

/*
 * Keys come one by one and unseen from now on, and the screen is one of its own.  0
 * or -errno.  The terminal is given back at exit() and when the program crashes;
 * other signals are the caller's to look after.
 */
int term_enter(void);
void term_leave(void);

void term_size(unsigned int *rows, unsigned int *columns);

/* Show a screen: lines, cut at the terminal's size. */
void term_show(const char *text, size_t size);

#endif /* DEVPUB_TOOLS_TERM_H */
