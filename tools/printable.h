/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What came from others - names of processes, files, mappings and users, arguments,
 * answers of other programs - as it may be shown.  All of it passes through here.
 *
 * What is no valid UTF-8, or no character that a terminal prints and leaves in its place
 * (control characters, marks of direction, unassigned or private numbers), is written as
 * an escape: \xff for a byte, \u202e for a character.
 */
#ifndef DEVPUB_TOOLS_PRINTABLE_H
#define DEVPUB_TOOLS_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum printable_for {
	PRINTABLE_TERMINAL,	/* only ASCII, where the locale's charset is not UTF-8 */
	PRINTABLE_JSON,		/* UTF-8, always */
};

/* Enough for a character. */
#define PRINTABLE_MAX	10

/* As much of @text as fits, in whole characters.  Returns @to. */
char *printable(char *to, size_t size, const char *text, enum printable_for use);

/* All of it, for free(); NULL when memory is out. */
char *printable_new(const char *text, enum printable_for use);

/* In a field of a terminal's line: cut or filled to so many columns. */
void printable_field(FILE *to, const char *text, unsigned int columns);

/* The last columns of it, with "~" before them if that is not all of it. */
void printable_end(FILE *to, const char *text, unsigned int columns);

#endif /* DEVPUB_TOOLS_PRINTABLE_H */
