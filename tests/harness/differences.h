/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ: cases that are expected to fail on some.  The file
 * "differences" beside the program, if there is one, has a row for each:
 *
 *	KERNELS		PROGRAM/CASE[:CHECK]	REASON
 *
 * KERNELS is a list, without blanks, of versions (6.1: all of that branch) and of
 * ranges with both ends or one (6.2-6.11, 6.12-, -6.6), or "*"; the case may have
 * wildcards, and so may CHECK: what the first check to fail says, and no other is
 * excused; the reason goes on to the end of the line.
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
 * Read the rows of this program.  A row that makes no sense, or names no case of
 * this program, ends it.
 */
void differences_read(const struct test_case *cases);

/* Of a case that is expected to fail on the running kernel, or NULL. */
const struct difference *difference_of(const char *name);
/* Whether that is the failure which is expected. */
bool difference_covers(const struct difference *difference, const char *failure);

#endif /* DEVPUB_TESTS_DIFFERENCES_H */
