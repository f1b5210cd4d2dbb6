// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "populated.h"

/* A piece is to take a few milliseconds; where nothing is, the kernel passes quickly. */
#define PIECE_MIN	(64ULL << 20)
#define PIECE_MAX	(1ULL << 46)
#define PIECE_SLOW_NS	5000000
#define PIECE_QUICK_NS	1000000

/* Of newer <linux/fs.h>: struct pm_scan_arg. */
struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN		_IOWR('f', 16, struct scan)
#define SCAN_PRESENT	(1 << 2)
#define SCAN_SWAPPED	(1 << 3)

bool populated_by_hand;

static int64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static bool kernel_scans(int pagemap)
{
	struct scan arg = { .size = sizeof(arg) };

	/* An empty range, of which there is nothing to say. */
	return pagemap >= 0 && !populated_by_hand && ioctl(pagemap, SCAN, &arg) >= 0;
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

/* Asks the kernel about a piece from @start on. */
static int scan(struct populated *populated, uint64_t start, uint64_t end)
{
	struct scan arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end - start > populated->piece ? start + populated->piece : end,
		.vec = (uintptr_t)populated->region,
		.vec_len = POPULATED_REGIONS,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
	};
	int64_t begun = now_ns(), took;
	int n;

	n = ioctl(populated->pagemap, SCAN, &arg);
	if (n < 0)
		return -errno;
	took = now_ns() - begun;
	if (took > PIECE_SLOW_NS && populated->piece > PIECE_MIN)
		populated->piece /= 4;
	else if (took < PIECE_QUICK_NS && populated->piece < PIECE_MAX)
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
		const struct populated_region *region = &populated->region[i];

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
