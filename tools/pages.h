/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The locations of the pages of a process.  By /proc/PID/pagemap, which tells of all
 * devices at once and touches nothing, where the caller may see frame numbers;
 * by the devices' word otherwise.
 */
#ifndef DEVPUB_TOOLS_PAGES_H
#define DEVPUB_TOOLS_PAGES_H

#include <stdint.h>
#include <devpub.h>

#include "devices.h"
#include "maps.h"
#include "proc.h"

enum location {
	LOCATION_ABSENT,
	LOCATION_SYSTEM,
	LOCATION_SWAPPED,	/* told by pagemap only: else it counts as absent */
	LOCATION_OTHER,		/* told by devices only */
	LOCATION_DEVICE,	/* the first of the devices, in their order */
};

#define LOCATIONS_MAX	(LOCATION_DEVICE + DEVICES_MAX)

struct pages;

/*
 * 0 or -errno: -EPERM where the caller may learn it in neither way; -EOPNOTSUPP
 * where the module is too old for the second.  What is given must outlive it.
 */
int pages_open(const struct proc *proc, const struct devpub_process *process,
	       const struct devices *devices, struct pages **pages);
void pages_close(struct pages *pages);

/* Only by pagemap: -EPERM where frame numbers can't be seen. */
int pages_open_by_frame(const struct proc *proc, const struct devices *devices,
			struct pages **pages);

/* The mappings, with those known that nothing is in, where looking would take long. */
int pages_maps(struct pages *pages, struct maps *maps);

/*
 * Looks at a mapping from *@at on, by a piece, which *@at moves on by, and calls @run for
 * each run of pages of one location.  0 or -errno: -ESRCH for a process that has
 * ended, -EAGAIN for one that runs another program.
 */
int pages_look(struct pages *pages, const struct mapping *mapping, uint64_t *at,
	       void (*run)(void *arg, unsigned int location, uint64_t pages),
	       void *arg);

/* Was all that of memory that is there still?  0 or -errno, as pages_look(). */
int pages_check(const struct pages *pages);

#endif /* DEVPUB_TOOLS_PAGES_H */
