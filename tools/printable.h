/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Makes text from untrusted sources printable: names of processes, files, mappings and users,
 * arguments, and output of other programs.  All such text must pass through these functions.
 *
 * Invalid UTF-8, and characters without a visible form (control characters, direction marks,
 * unassigned or private code points), become escapes: \xff for a byte, \u202e for a
 * character.
 */
#ifndef DEVPUB_TOOLS_PRINTABLE_H
#define DEVPUB_TOOLS_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum printable_for {
	PRINTABLE_TERMINAL,	/* UTF-8, or only ASCII if the locale's charset is not UTF-8 */
	PRINTABLE_JSON,		/* always UTF-8 */
};

/* Size of a buffer for one character or its escape. */
#define PRINTABLE_MAX	10

/* Convert as much of @text as fits, in whole characters.  Return @to. */
char *printable(char *to, size_t size, const char *text, enum printable_for use);

/* Convert all of it.  Free the result with free().  Return NULL without memory. */
char *printable_new(const char *text, enum printable_for use);

/* Print text to a terminal, truncated or padded to this number of columns. */
void printable_field(FILE *to, const char *text, unsigned int columns);

/* Print the last columns of text, after "~" if it is truncated. */
void printable_end(FILE *to, const char *text, unsigned int columns);

#endif /* DEVPUB_TOOLS_PRINTABLE_H */
