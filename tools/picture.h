/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Draws memory as rows of cells.  Each cell represents several pages. */
#ifndef DEVPUB_TOOLS_PICTURE_H
#define DEVPUB_TOOLS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Consecutive pages with the same location, an enum location. */
struct run {
	uint64_t pages;
	unsigned int location;
};

struct runs {
	struct run *run;
	size_t n;
	size_t room;
};

/* Add pages.  Return false if there is not enough memory. */
bool runs_add(struct runs *runs, unsigned int location, uint64_t pages);
void runs_free(struct runs *runs);
/* Return true if the runs contain a page. */
bool runs_any(const struct runs *runs);

/**
 * struct style - the appearance of a picture
 * @columns:	number of cells per row
 * @scale:	number of pages per cell
 * @page_size:	size of a page in bytes
 * @unicode:	use block characters instead of ASCII
 * @color:	use colors, by escape sequences
 */
struct style {
	unsigned int columns;
	uint64_t scale;
	uint64_t page_size;
	bool unicode;
	bool color;
};

/*
 * Draw runs in as many rows as needed.  Long absent parts are drawn as their size.
 * @margin is printed before each row except the first.  Return the number of rows.  With
 * @to NULL, only count them.
 */
unsigned int picture_draw(FILE *to, const struct runs *runs,
			  const struct style *style, const char *margin);

/* Print the legend of the cells. */
void picture_legend(FILE *to, const struct style *style);

#endif /* DEVPUB_TOOLS_PICTURE_H */
