// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "populated.h"

/*
 * Limits of the size of a piece in bytes, and the durations in seconds above and below which
 * the size changes.  The kernel skips ranges without pages quickly.
 */
#define PIECE_MIN	(64ULL << 20)
#define PIECE_MAX	(1ULL << 46)
#define PIECE_SLOW	5e-3
#define PIECE_QUICK	1e-3

bool populated_by_hand;

static bool kernel_scans(int pagemap)
{
	struct pm_scan_arg arg = { .size = sizeof(arg) };

	/* A scan of an empty range succeeds if the kernel has PAGEMAP_SCAN. */
	return pagemap >= 0 && !populated_by_hand && ioctl(pagemap, PAGEMAP_SCAN, &arg) >= 0;
}

void populated_init(struct populated *populated, int pagemap)
{
	*populated = (struct populated) {
		.pagemap = pagemap,
		.page_size = sysconf(_SC_PAGESIZE),
		.scans = kernel_scans(pagemap),
		.piece = PIECE_MIN,
	};
}

int populated_open(struct populated *populated, const struct proc *proc)
{
	const int pagemap = proc_file(proc, "pagemap");

	/* Without permission to read the pagemap, do without it. */
	if (pagemap < 0 && pagemap != -EACCES && pagemap != -EPERM && pagemap != -ENOENT)
		return pagemap;
	populated_init(populated, pagemap < 0 ? -1 : pagemap);
	return 0;
}

void populated_close(struct populated *populated)
{
	if (populated->pagemap >= 0)
		close(populated->pagemap);
	populated->pagemap = -1;
}

int populated_maps(const struct populated *populated, const struct proc *proc,
		   struct maps *maps)
{
	int ret = maps_read(proc, maps);

	if (ret || populated->scans)
		return ret;
	ret = maps_find_untouched(proc, maps);
	if (ret)
		maps_free(maps);
	return ret;
}

/* Scan a piece from @start on. */
static int scan(struct populated *populated, uint64_t start, uint64_t end)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end - start > populated->piece ? start + populated->piece : end,
		.vec = (uintptr_t)populated->region,
		.vec_len = POPULATED_REGIONS,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
	};
	double begun = clock_now(), took;
	int n;

	n = ioctl(populated->pagemap, PAGEMAP_SCAN, &arg);
	if (n < 0)
		return -errno;
	took = clock_now() - begun;
	if (took > PIECE_SLOW && populated->piece > PIECE_MIN)
		populated->piece /= 4;
	else if (took < PIECE_QUICK && populated->piece < PIECE_MAX)
		populated->piece *= 4;
	populated->n = n;
	populated->known_from = start;
	populated->known_to = arg.walk_end > start ? arg.walk_end : arg.end;
	return 0;
}

int populated_next(struct populated *populated, uint64_t *at, uint64_t end,
		   uint64_t *to)
{
	size_t i;
	int ret;

	if (!populated->scans) {
		*to = end;
		return 1;
	}
	if (*at < populated->known_from || *at >= populated->known_to) {
		ret = scan(populated, *at, end);
		if (ret)
			return ret;
	}
	for (i = 0; i < populated->n; i++) {
		const struct page_region *region = &populated->region[i];

		if (region->end <= *at)
			continue;
		if (region->start <= *at) {
			*to = region->end < end ? region->end : end;
			return 1;
		}
		*at = region->start < end ? region->start : end;
		return 0;
	}
	*at = populated->known_to < end ? populated->known_to : end;
	return 0;
}

int populated_gone(const struct populated *populated)
{
	uint64_t entry;
	ssize_t n;

	if (populated->pagemap < 0)
		return 0;
	n = pread(populated->pagemap, &entry, sizeof(entry), sizeof(entry));
	return n < 0 ? -errno : !n;
}
