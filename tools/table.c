// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "printable.h"
#include "table.h"
#include "text.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	const struct column *columns;
	/* The column of libsmartcols, or NULL if the column is not printed. */
	struct libscols_column **shown;
};

/* libsmartcols returns errors only if there is not enough memory. */
static void *some(void *memory)
{
	if (!memory)
		exit(ctl_fail(CTL_FAILED, "not enough memory"));
	return memory;
}

static void done(int error)
{
	if (error)
		some(NULL);
}

static int json_type(enum column_kind kind)
{
	if (kind == COLUMN_TEXT)
		return SCOLS_JSON_STRING;
	return kind == COLUMN_BOOL ? SCOLS_JSON_BOOLEAN : SCOLS_JSON_NUMBER;
}

struct table *table_new(const char *name, const struct column *columns,
			size_t n)
{
	struct table *table = some(malloc(sizeof(*table)));
	struct libscols_column *column;
	size_t i;

	*table = (struct table) {
		.scols = some(scols_new_table()),
		.columns = columns,
		.shown = some(calloc(n, sizeof(*table->shown))),
	};
	done(scols_table_set_name(table->scols, name));
	scols_table_enable_json(table->scols, ctl_json);
	/* table_text() has made the text printable; do not encode it again. */
	done(scols_table_enable_noencoding(table->scols, 1));
	for (i = 0; i < n; i++) {
		int flags = 0;

		if (columns[i].json_only && !ctl_json)
			continue;
		if (columns[i].kind != COLUMN_TEXT)
			flags |= SCOLS_FL_RIGHT;
		if (columns[i].cut)
			flags |= SCOLS_FL_TRUNC;
		if (columns[i].width)
			flags |= SCOLS_FL_STRICTWIDTH;
		column = some(scols_table_new_column(table->scols,
						     columns[i].name,
						     columns[i].width, flags));
		scols_column_set_json_type(column, json_type(columns[i].kind));
		table->shown[i] = column;
	}
	return table;
}

void table_free(struct table *table)
{
	scols_unref_table(table->scols);
	free(table->shown);
	free(table);
}

void table_plain(struct table *table)
{
	scols_table_enable_noheadings(table->scols, 1);
}

void table_row(struct table *table)
{
	table->line = some(scols_table_new_line(table->scols, NULL));
}

void table_text(struct table *table, size_t column, const char *text)
{
	char *shown;

	if (!table->shown[column])
		return;
	shown = some(printable_new(text, ctl_json ? PRINTABLE_JSON :
				   PRINTABLE_TERMINAL));
	/* The line takes over the string. */
	done(scols_line_refer_column_data(table->line, table->shown[column],
					  shown));
}

void table_number(struct table *table, size_t column, uint64_t number)
{
	char text[TEXT_SIZE];

	if (table->columns[column].kind == COLUMN_SIZE && !ctl_json)
		text_size(text, number);
	else
		snprintf(text, sizeof(text), "%" PRIu64, number);
	table_text(table, column, text);
}

void table_signed(struct table *table, size_t column, int64_t number)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%" PRId64, number);
	table_text(table, column, text);
}

void table_print_to(struct table *table, FILE *to)
{
	scols_table_set_stream(table->scols, to);
	scols_print_table(table->scols);
}

void table_print(struct table *table)
{
	table_print_to(table, stdout);
}
