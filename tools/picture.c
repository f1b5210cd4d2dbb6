// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "pages.h"
#include "picture.h"
#include "text.h"

/* Minimum number of empty cells that are drawn as a size instead. */
#define GAP_CELLS	12

enum glyph {
	GLYPH_ABSENT, GLYPH_SYSTEM, GLYPH_SWAPPED, GLYPH_SOME, GLYPH_MOST,
	GLYPH_DEVICE
};

static const struct {
	const char *unicode;
	const char *ascii;
	const char *color;
	const char *means;
} glyphs[] = {
	[GLYPH_ABSENT] = { "·", ".", "\033[2m", "no pages" },
	[GLYPH_SYSTEM] = { "░", "-", "\033[34m", "in system memory" },
	[GLYPH_SWAPPED] = { "≈", "~", "\033[33m", "swapped out" },
	[GLYPH_SOME] = { "▒", "+", "\033[32m", "some on a device" },
	[GLYPH_MOST] = { "▓", "*", "\033[32m", "most on a device" },
	[GLYPH_DEVICE] = { "█", "#", "\033[32m", "all on a device" },
};

bool runs_add(struct runs *runs, unsigned int location, uint64_t pages)
{
	struct run *grown;

	if (runs->n && runs->run[runs->n - 1].location == location) {
		runs->run[runs->n - 1].pages += pages;
		return true;
	}
	grown = array_grow(runs->run, &runs->room, runs->n, sizeof(*grown));
	if (!grown)
		return false;
	runs->run = grown;
	runs->run[runs->n++] = (struct run) { pages, location };
	return true;
}

void runs_free(struct runs *runs)
{
	free(runs->run);
	*runs = (struct runs) { 0 };
}

bool runs_any(const struct runs *runs)
{
	size_t i;

	for (i = 0; i < runs->n; i++)
		if (runs->run[i].location != LOCATION_ABSENT)
			return true;
	return false;
}

/* The position of the drawing: the run, and the pages of it that are drawn. */
struct cursor {
	const struct runs *runs;
	size_t run;
	uint64_t used;
};

/* Count the locations of the pages of the next cell.  Return false at the end. */
static bool next_cell(struct cursor *at, uint64_t scale, enum glyph *glyph)
{
	uint64_t left = scale, device = 0, swapped = 0, present = 0, n;

	if (at->run == at->runs->n)
		return false;
	while (left && at->run < at->runs->n) {
		const struct run *run = &at->runs->run[at->run];

		n = run->pages - at->used < left ? run->pages - at->used : left;
		if (run->location >= LOCATION_DEVICE)
			device += n;
		else if (run->location == LOCATION_SWAPPED)
			swapped += n;
		if (run->location != LOCATION_ABSENT && run->location != LOCATION_SWAPPED)
			present += n;
		at->used += n;
		left -= n;
		if (at->used == run->pages) {
			at->run++;
			at->used = 0;
		}
	}
	if (device && device == present)
		*glyph = GLYPH_DEVICE;
	else if (device)
		*glyph = 2 * device >= present ? GLYPH_MOST : GLYPH_SOME;
	else if (present)
		*glyph = GLYPH_SYSTEM;
	else
		*glyph = swapped ? GLYPH_SWAPPED : GLYPH_ABSENT;
	return true;
}

/* Skip a long empty part in whole cells.  Return the number of cells, or 0 if it is short. */
static uint64_t take_gap(struct cursor *at, uint64_t scale)
{
	const struct run *run = &at->runs->run[at->run];
	uint64_t cells;

	if (at->run == at->runs->n || run->location != LOCATION_ABSENT)
		return 0;
	cells = (run->pages - at->used) / scale;
	if (cells < GAP_CELLS)
		return 0;
	at->used += cells * scale;
	if (at->used == run->pages) {
		at->run++;
		at->used = 0;
	}
	return cells;
}

struct pen {
	FILE *to;
	const struct style *style;
	const char *margin;
	unsigned int column;
	unsigned int rows;
	int glyph;	/* glyph whose color is active; -1 for none */
};

static void color(struct pen *pen, int glyph)
{
	if (!pen->to || !pen->style->color || glyph == pen->glyph)
		return;
	if (pen->glyph >= 0)
		fputs("\033[0m", pen->to);
	if (glyph >= 0)
		fputs(glyphs[glyph].color, pen->to);
	pen->glyph = glyph;
}

/* Start a new row if this row has no room for @cells cells. */
static void room(struct pen *pen, unsigned int cells)
{
	if (!pen->rows) {
		pen->rows = 1;
	} else if (pen->column + cells > pen->style->columns) {
		color(pen, -1);
		if (pen->to)
			fprintf(pen->to, "\n%s", pen->margin);
		pen->rows++;
		pen->column = 0;
	}
	pen->column += cells;
}

static void draw_cell(struct pen *pen, enum glyph glyph)
{
	room(pen, 1);
	color(pen, glyph);
	if (pen->to)
		fputs(pen->style->unicode ? glyphs[glyph].unicode :
		      glyphs[glyph].ascii, pen->to);
}

static void draw_gap(struct pen *pen, uint64_t cells)
{
	const char *dot = pen->style->unicode ? glyphs[GLYPH_ABSENT].unicode :
			  glyphs[GLYPH_ABSENT].ascii;
	char size[TEXT_SIZE];

	text_size(size, cells * pen->style->scale * pen->style->page_size);
	room(pen, strlen(size) + 4);
	color(pen, GLYPH_ABSENT);
	if (pen->to)
		fprintf(pen->to, "%s%s%s%s%s", dot, dot, size, dot, dot);
}

unsigned int picture_draw(FILE *to, const struct runs *runs,
			  const struct style *style, const char *margin)
{
	struct pen pen = {
		.to = to, .style = style, .margin = margin, .glyph = -1,
	};
	struct cursor at = { .runs = runs };
	enum glyph glyph;
	uint64_t gap;

	for (;;) {
		gap = at.run < runs->n ? take_gap(&at, style->scale) : 0;
		if (gap)
			draw_gap(&pen, gap);
		else if (next_cell(&at, style->scale, &glyph))
			draw_cell(&pen, glyph);
		else
			break;
	}
	color(&pen, -1);
	if (to)
		fputc('\n', to);
	return pen.rows;
}

void picture_legend(FILE *to, const struct style *style)
{
	char size[TEXT_SIZE];
	int i;

	fprintf(to, "one cell is %s: ",
		text_size(size, style->scale * style->page_size));
	for (i = GLYPH_DEVICE; i >= GLYPH_ABSENT; i--)
		fprintf(to, "%s%s%s %s%s", style->color ? glyphs[i].color : "",
			style->unicode ? glyphs[i].unicode : glyphs[i].ascii,
			style->color ? "\033[0m" : "", glyphs[i].means,
			i ? "  " : "\n");
}
