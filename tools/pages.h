/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the pages of a process live.  By /proc/PID/pagemap, which tells of all
 * devices at once and touches nothing, where the caller may see frame numbers;
 * by the devices' word otherwise.
 */
#ifndef DEVPUB_TOOLS_PAGES_H
#define DEVPUB_TOOLS_PAGES_H

#include <stdint.h>
#include <devpub.h>

#include "devices.h"
#include "target.h"

/* An entry of pagemap: Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_SWAPPED	(1ULL << 62)
#define PAGEMAP_FRAME	((1ULL << 55) - 1)

enum place {
	PLACE_ABSENT,
	PLACE_SYSTEM,
	PLACE_SWAPPED,	/* told by pagemap only: else it counts as absent */
	PLACE_OTHER,	/* told by devices only */
	PLACE_DEVICE,	/* the first of the devices, in their order */
};

#define PLACES_MAX	(PLACE_DEVICE + DEVICES_MAX)

struct pages;

/*
 * 0 or -errno: -EPERM where the caller may learn it in neither way; -EOPNOTSUPP
 * where the module is too old for the second.  @devices must outlive it.
 */
int pages_open(const struct target *target, const struct devices *devices,
	       struct pages **pages);
void pages_close(struct pages *pages);

/* Only by pagemap: -EPERM where frame numbers can't be seen. */
int pages_open_by_frame(pid_t pid, const struct devices *devices,
			struct pages **pages);

/*
 * Calls @run for each run of pages that live in one place, from @start on.  0 or
 * -errno; -ESRCH for a process that has ended.
 */
int pages_walk(struct pages *pages, uint64_t start, uint64_t end,
	       void (*run)(void *arg, unsigned int place, uint64_t pages),
	       void *arg);

#endif /* DEVPUB_TOOLS_PAGES_H */
