/* SPDX-License-Identifier: GPL-2.0 */
/* Tables for people and, with --json, for programs, by libsmartcols. */
#ifndef DEVPUB_TOOLS_TABLE_H
#define DEVPUB_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_SIZE,	/* "256M", in JSON bytes */
	COLUMN_BOOL,
};

/**
 * struct column - a column
 * @name:	its heading; in lower case, its name in JSON
 * @kind:	what it holds
 * @json_only:	programs get it, people don't
 * @cut:	long text is cut rather than the line wrapped
 * @width:	characters that it takes at least, for tables printed in pieces
 */
struct column {
	const char *name;
	enum column_kind kind;
	bool json_only;
	bool cut;
	unsigned int width;
};

struct table;

/* @name is the list's name in JSON.  Ends the program when memory is out. */
struct table *table_new(const char *name, const struct column *columns,
			size_t n);
void table_free(struct table *table);
/* No headings, no gaps to the right: for text that is no table to look at. */
void table_plain(struct table *table);

/* A new row; what is set is set there.  What is not set is null in JSON. */
void table_row(struct table *table);
/* Whatever is in @text: it is shown as printable() has it. */
void table_text(struct table *table, size_t column, const char *text);
/* A number, a size or a bool, as the column's kind says. */
void table_number(struct table *table, size_t column, uint64_t number);
/* May be negative. */
void table_signed(struct table *table, size_t column, int64_t number);

void table_print(struct table *table);
/* Likewise, to another stream. */
void table_print_to(struct table *table, FILE *to);

#endif /* DEVPUB_TOOLS_TABLE_H */
