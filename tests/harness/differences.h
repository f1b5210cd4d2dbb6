/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Cases that are expected to fail on some kernels.  The file "differences" in the program's
 * folder, if it exists, has one row for each:
 *
 *	KERNELS		PROGRAM/CASE[:CHECK]	REASON
 *
 * KERNELS is a list without blanks of versions (6.1 means the whole branch) and ranges with one
 * or both ends (6.2-6.11, 6.12-, -6.6), or "*".  CASE may contain wildcards.  CHECK, which may
 * contain wildcards as well, is the text of the first failed check; other failures are not
 * excused.  The reason extends to the end of the line.
 */
#ifndef DEVPUB_TESTS_DIFFERENCES_H
#define DEVPUB_TESTS_DIFFERENCES_H

#include <stdbool.h>

struct test_case;

struct difference {
	bool here;		/* on the running kernel */
	char pattern[80];	/* of cases */
	char check[80];
	char reason[256];
};

/*
 * Read the rows of this program.  Exit if a row is invalid, or names no case of this
 * program.
 */
void differences_read(const struct test_case *cases);

/* Return the row of a case that is expected to fail on the running kernel, or NULL. */
const struct difference *difference_of(const char *name);
/* Return true if this failure is the expected one. */
bool difference_covers(const struct difference *difference, const char *failure);

#endif /* DEVPUB_TESTS_DIFFERENCES_H */
