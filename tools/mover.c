// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "mover.h"
#include "pages.h"
#include "progress.h"
#include "table.h"

#define CHUNK_PAGES	16384UL
#define BUSY_PAUSE_US	20000

unsigned char mover_merge(unsigned char reason, unsigned char next)
{
	if (reason == DEVPUB_REASON_UNSEEN)
		return next;
	if (next == DEVPUB_REASON_UNSEEN || reason == DEVPUB_REASON_MOVED ||
	    reason == DEVPUB_REASON_POPULATED)
		return reason;
	if (next == DEVPUB_REASON_OTHER_DEVICE)
		return reason;
	return next;
}

/* One call, resumed after signals. */
static int call(const struct mover *mover, const struct devpub *dev,
		struct devpub_range range, unsigned char *reasons)
{
	struct devpub_outcome outcome;
	int ret;

	for (;;) {
		if (mover->to)
			ret = devpub_migrate_to_v(dev, mover->process, &range,
						  1, 0, reasons, &outcome);
		else
			ret = devpub_migrate_from_v(dev, mover->process,
						    &range, 1, 0, reasons,
						    &outcome);
		if (ret != -EINTR || outcome.done == range.length)
			return ret == -EINTR ? 0 : ret;
		range.addr += outcome.done;
		range.length -= outcome.done;
		reasons += outcome.done / mover->page_size;
	}
}

static int move_chunk(struct mover *mover, struct devpub_range range,
		      unsigned char *reasons, unsigned char *next)
{
	const size_t pages = range.length / mover->page_size;
	unsigned int try = 0;
	size_t i, j;
	int ret = 0;

	memset(reasons, DEVPUB_REASON_UNSEEN, pages);
	for (;;) {
		for (i = 0; i < mover->n && !ret; i++) {
			memset(next, DEVPUB_REASON_UNSEEN, pages);
			ret = call(mover, mover->dev[i], range, next);
			for (j = 0; j < pages; j++)
				reasons[j] = mover_merge(reasons[j], next[j]);
		}
		if (ret || ++try >= mover->tries ||
		    !memchr(reasons, DEVPUB_REASON_BUSY, pages))
			break;
		usleep(BUSY_PAUSE_US);
	}
	for (j = 0; j < pages; j++)
		if (reasons[j] != DEVPUB_REASON_UNSEEN &&
		    reasons[j] < DEVPUB_REASONS_MAX)
			mover->reason[reasons[j]]++;
	return ret;
}

void mover_open(struct mover *mover, pid_t pid,
		const struct devpub_process *process)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	mover->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	mover->page_size = sysconf(_SC_PAGESIZE);
	mover->process = process;
}

void mover_close(struct mover *mover)
{
	if (mover->pagemap >= 0)
		close(mover->pagemap);
}

/* Programs reserve far more than they use: terabytes, some. */
static bool all_absent(const struct mover *mover, struct devpub_range range)
{
	const size_t n = range.length / mover->page_size;
	uint64_t entries[CHUNK_PAGES];
	size_t i;

	if (mover->pagemap < 0 ||
	    pread(mover->pagemap, entries, n * sizeof(*entries),
		  range.addr / mover->page_size * sizeof(*entries)) !=
	    (ssize_t)(n * sizeof(*entries)))
		return false;
	for (i = 0; i < n; i++)
		if (entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED))
			return false;
	return true;
}

int mover_move(struct mover *mover, uint64_t start, uint64_t end)
{
	unsigned char reasons[CHUNK_PAGES], next[CHUNK_PAGES];
	struct devpub_range range = { .addr = start };
	int ret = 0;

	while (range.addr < end && !ret) {
		range.length = end - range.addr;
		if (range.length > CHUNK_PAGES * mover->page_size)
			range.length = CHUNK_PAGES * mover->page_size;
		if (all_absent(mover, range))
			mover->reason[DEVPUB_REASON_ABSENT] +=
				range.length / mover->page_size;
		else
			ret = move_chunk(mover, range, reasons, next);
		range.addr += range.length;
		progress_add(range.length);
	}
	return ret;
}

uint64_t mover_refused(const struct mover *mover)
{
	uint64_t refused = 0;
	unsigned int i;

	for (i = DEVPUB_REASON_UNMAPPED; i < DEVPUB_REASONS_MAX; i++)
		refused += mover->reason[i];
	return refused;
}

void mover_print(const struct mover *mover, const char *name)
{
	static const struct column columns[] = {
		{ "OUTCOME", COLUMN_TEXT, false, false, 0 },
		{ "PAGES", COLUMN_NUMBER, false, false, 0 },
		{ "SIZE", COLUMN_SIZE, false, false, 0 },
		{ "REFUSED", COLUMN_BOOL, true, false, 0 },
		{ "MEANING", COLUMN_TEXT, false, false, 0 },
	};
	struct table *table = table_new(name, columns, ARRAY_SIZE(columns));
	unsigned int i;

	for (i = DEVPUB_REASON_MOVED; i < DEVPUB_REASONS_MAX; i++) {
		const bool refused = i >= DEVPUB_REASON_UNMAPPED;

		if (!mover->reason[i] && i != DEVPUB_REASON_MOVED)
			continue;
		table_row(table);
		table_text(table, 0, devpub_reason_name(i));
		table_number(table, 1, mover->reason[i]);
		table_number(table, 2, mover->reason[i] * mover->page_size);
		table_number(table, 3, refused);
		table_text(table, 4, devpub_reason_string(i));
	}
	table_print(table);
	table_free(table);
}
