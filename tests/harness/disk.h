/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_TESTS_DISK_H
#define DEVPUB_TESTS_DISK_H

#include <stdbool.h>

#define DISK	"/dev/ram0"

/* Get a RAM disk of 8 MiB, or skip the case.  Return true if brd was loaded for it. */
bool disk_begin(void);
void disk_end(bool loaded);

/* For the runner of the cases: stop using a disk that a case has left. */
bool disk_is_there(void);
bool disk_take_away(void);

#endif /* DEVPUB_TESTS_DISK_H */
