/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_TESTS_DISK_H
#define DEVPUB_TESTS_DISK_H

#include <stdbool.h>

#define DISK	"/dev/ram0"

/* Have a RAM disk of 8 MiB, or skip the case; says whether it was loaded. */
bool disk_begin(void);
void disk_end(bool loaded);

/* For who runs the cases: end the use of a disk that one of them has left. */
bool disk_is_there(void);
bool disk_take_away(void);

#endif /* DEVPUB_TESTS_DISK_H */
