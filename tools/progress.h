/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Shows progress in a line on stderr, if that is a terminal, for operations that take over
 * two seconds.  There is one operation at a time.
 */
#ifndef DEVPUB_TOOLS_PROGRESS_H
#define DEVPUB_TOOLS_PROGRESS_H

#include <stdint.h>

/*
 * Start an operation.  The line is "@what: 45%, 112M of 256M, 3 s".  @total is in bytes.  If it
 * is unknown, pass 0; the line then shows only the time.
 */
void progress_begin(const char *what, uint64_t total);
/* Report more completed bytes. */
void progress_add(uint64_t bytes);
/* End the operation and erase the line. */
void progress_end(void);

#endif /* DEVPUB_TOOLS_PROGRESS_H */
