/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * The locations of the pages of a process.  If the caller may read frame numbers, they come
 * from /proc/PID/pagemap, which covers all devices and has no side effects.  Otherwise they
 * come from queries of the devices.
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
	LOCATION_SWAPPED,	/* only from pagemap; otherwise counted as absent */
	LOCATION_OTHER,		/* only from queries of the devices */
	LOCATION_DEVICE,	/* the first device; the others follow in order */
};

#define LOCATIONS_MAX	(LOCATION_DEVICE + DEVICES_MAX)

struct pages;

/*
 * Start lookups.  Return 0 or -errno: -EPERM if the caller is permitted neither way;
 * -EOPNOTSUPP if the module is too old for queries.  The arguments must stay valid until
 * pages_close().
 */
int pages_open(const struct proc *proc, const struct devpub_process *process,
	       const struct devices *devices, struct pages **pages);
void pages_close(struct pages *pages);

/* The same, but only with pagemap.  Return -EPERM if the caller can't read frame numbers. */
int pages_open_by_frame(const struct proc *proc, const struct devices *devices,
			struct pages **pages);

/* Read the mappings, and mark large ones without pages if lookups take long. */
int pages_maps(struct pages *pages, struct maps *maps);

/*
 * Look up a piece of a mapping from *@at on, and advance *@at.  Call @run for each run of
 * pages with the same location.  Return 0 or -errno: -ESRCH if the process has ended,
 * -EAGAIN if it executes another program.
 */
int pages_look(struct pages *pages, const struct mapping *mapping, uint64_t *at,
	       void (*run)(void *arg, unsigned int location, uint64_t pages),
	       void *arg);

/* Check that the process still has the same memory.  Return as pages_look(). */
int pages_check(const struct pages *pages);

#endif /* DEVPUB_TOOLS_PAGES_H */
