// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "mover.h"
#include "progress.h"
#include "table.h"

#define CHUNK_PAGES	16384UL
#define BUSY_PAUSE_US	20000

/* During exec, a process has no memory for a moment. */
#define EXEC_TRIES	20
#define EXEC_PAUSE_US	5000

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

/* Make one call, and resume it after signals. */
static int call(const struct mover *mover, const struct devpub *dev,
		struct devpub_range range, unsigned char *reasons)
{
	struct devpub_outcome outcome;
	unsigned int try = 0;
	int ret;

	for (;;) {
		if (mover->to)
			ret = devpub_migrate_to_v(dev, mover->process, &range,
						  1, 0, reasons, &outcome);
		else
			ret = devpub_migrate_from_v(dev, mover->process,
						    &range, 1, 0, reasons,
						    &outcome);
		if (ret == -EAGAIN && ++try < EXEC_TRIES)
			usleep(EXEC_PAUSE_US);
		else if (ret != -EINTR)
			return ret;
		if (outcome.done == range.length)
			return 0;
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

int mover_open(struct mover *mover, const struct proc *proc,
	       const struct devpub_process *process)
{
	int ret = populated_open(&mover->populated, proc);

	if (ret)
		return ret;
	mover->page_size = sysconf(_SC_PAGESIZE);
	mover->process = process;
	mover->proc = proc;
	return 0;
}

void mover_close(struct mover *mover)
{
	populated_close(&mover->populated);
}

/* Check by reading the pagemap, if the kernel has no PAGEMAP_SCAN. */
static bool all_absent(const struct mover *mover, struct devpub_range range)
{
	const size_t n = range.length / mover->page_size;
	uint64_t entries[CHUNK_PAGES];
	size_t i;

	if (mover->populated.pagemap < 0 || mover->populated.scans ||
	    pread(mover->populated.pagemap, entries, n * sizeof(*entries),
		  range.addr / mover->page_size * sizeof(*entries)) !=
	    (ssize_t)(n * sizeof(*entries)))
		return false;
	for (i = 0; i < n; i++)
		if (entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED))
			return false;
	return true;
}

static bool must_stop(const struct mover *mover)
{
	struct pollfd until = { .fd = mover->until, .events = POLLIN };

	if (mover->until >= 0 && poll(&until, 1, 0) > 0)
		return true;
	return mover->deadline && clock_now() > mover->deadline;
}

/* Find out if the range is wrong, or if the process no longer has this memory. */
static int explain(const struct mover *mover, int error)
{
	const int gone = populated_gone(&mover->populated);

	/* During exec, the address space has size 0.  The vsyscall page is always outside of it. */
	if (error == -ESRCH || (error == -EFAULT && !(mover->at >> 63)) || gone > 0)
		return proc_gone(mover->proc);
	return error;
}

int mover_maps(const struct mover *mover, struct maps *maps)
{
	return populated_maps(&mover->populated, mover->proc, maps);
}

static void pass_over(struct mover *mover, uint64_t bytes)
{
	mover->reason[DEVPUB_REASON_ABSENT] += bytes / mover->page_size;
	progress_add(bytes);
}

/* Find the next piece with pages, at most as large as the arrays. */
static int move_some(struct mover *mover, uint64_t end, unsigned char *reasons,
		     unsigned char *next)
{
	struct devpub_range range = { mover->at, end - mover->at };
	int ret = 0;

	if (range.length > CHUNK_PAGES * mover->page_size)
		range.length = CHUNK_PAGES * mover->page_size;
	if (all_absent(mover, range)) {
		pass_over(mover, range.length);
	} else {
		ret = move_chunk(mover, range, reasons, next);
		progress_add(range.length);
	}
	mover->at += range.length;
	return ret;
}

int mover_move(struct mover *mover, const struct mapping *mapping, uint64_t from)
{
	unsigned char reasons[CHUNK_PAGES], next[CHUNK_PAGES];
	const uint64_t end = mapping->end;
	uint64_t to;
	int ret;

	mover->at = from > mapping->start ? from : mapping->start;
	if (mapping->untouched && mover->at < end) {
		pass_over(mover, end - mover->at);
		return 0;
	}
	while (mover->at < end) {
		if (must_stop(mover))
			return MOVER_STOPPED;
		from = mover->at;
		ret = populated_next(&mover->populated, &mover->at, end, &to);
		pass_over(mover, mover->at - from);
		/* Small populated pieces are often close together, so this moves up to @end. */
		if (ret > 0)
			ret = move_some(mover, end, reasons, next);
		if (ret < 0)
			return explain(mover, ret);
	}
	return 0;
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
