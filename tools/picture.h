/* SPDX-License-Identifier: GPL-2.0 */
/* Memory drawn as rows of cells, each of which stands for some pages.  Pure. */
#ifndef DEVPUB_TOOLS_PICTURE_H
#define DEVPUB_TOOLS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* So many pages one after the other of one location, an enum location. */
struct run {
	uint64_t pages;
	unsigned int location;
};

struct runs {
	struct run *run;
	size_t n;
	size_t room;
};

/* False when memory is out. */
bool runs_add(struct runs *runs, unsigned int location, uint64_t pages);
void runs_free(struct runs *runs);
/* Does anything live there? */
bool runs_any(const struct runs *runs);

/**
 * struct style - how a picture looks
 * @columns:	cells of a row
 * @scale:	pages of a cell
 * @page_size:	bytes
 * @unicode:	blocks, or ASCII
 * @color:	with colors, by escape sequences
 */
struct style {
	unsigned int columns;
	uint64_t scale;
	uint64_t page_size;
	bool unicode;
	bool color;
};

/*
 * Draws runs in as many rows as it takes.  What is absent for long is written as
 * its size instead.  @margin is printed before each row but the first.  Returns
 * the number of rows; with @to NULL, it only counts.
 */
unsigned int picture_draw(FILE *to, const struct runs *runs,
			  const struct style *style, const char *margin);

/* What the cells mean. */
void picture_legend(FILE *to, const struct style *style);

#endif /* DEVPUB_TOOLS_PICTURE_H */
