/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A line on stderr, where that is a terminal, for what takes over two seconds.  One
 * at a time.
 */
#ifndef DEVPUB_TOOLS_PROGRESS_H
#define DEVPUB_TOOLS_PROGRESS_H

#include <stdint.h>

/*
 * "@what: 45%, 112M of 256M, 3 s".  @total in bytes; 0 when it is not known, and
 * then only the time is shown.
 */
void progress_begin(const char *what, uint64_t total);
/* So many bytes more are done. */
void progress_add(uint64_t bytes);
/* Takes the line away. */
void progress_end(void);

#endif /* DEVPUB_TOOLS_PROGRESS_H */
