/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Prints tables for people, or JSON with --json, by libsmartcols. */
#ifndef DEVPUB_TOOLS_TABLE_H
#define DEVPUB_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_SIZE,	/* "256M"; in JSON, bytes */
	COLUMN_BOOL,
};

/**
 * struct column - a column
 * @name:	its heading; in lower case, its name in JSON
 * @kind:	kind of its values
 * @json_only:	print it only as JSON
 * @cut:	truncate long text instead of wrapping the line
 * @width:	minimum width in characters, for tables that are printed in pieces
 */
struct column {
	const char *name;
	enum column_kind kind;
	bool json_only;
	bool cut;
	unsigned int width;
};

struct table;

/* Create a table; @name is its name in JSON.  Exit the program without memory. */
struct table *table_new(const char *name, const struct column *columns,
			size_t n);
void table_free(struct table *table);
/* Print no headings and no trailing blanks, for text that does not look like a table. */
void table_plain(struct table *table);

/* Start a new row, which the functions below fill.  A value that is not set is null in JSON. */
void table_row(struct table *table);
/* Set a text, which may contain any bytes; printable() converts it. */
void table_text(struct table *table, size_t column, const char *text);
/* Set a number, a size or a bool, according to the column's kind. */
void table_number(struct table *table, size_t column, uint64_t number);
/* Set a number that may be negative. */
void table_signed(struct table *table, size_t column, int64_t number);

void table_print(struct table *table);
/* The same, to another stream. */
void table_print_to(struct table *table, FILE *to);

#endif /* DEVPUB_TOOLS_TABLE_H */
