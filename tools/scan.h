/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes have memory on the devices. */
#ifndef DEVPUB_TOOLS_SCAN_H
#define DEVPUB_TOOLS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "devices.h"
#include "pages.h"

/**
 * struct tenant - a process with memory on a device
 * @pid:	its number
 * @started:	when it began
 * @uid:	its user
 * @name:	its name, with whatever is in it
 * @at:		where looking at it has stopped; 0 for a tenant that is known whole
 * @on_devices:	pages in all
 * @in_system:	pages in system memory
 * @pages:	pages on each device
 */
struct tenant {
	pid_t pid;
	uint64_t started;
	uid_t uid;
	char name[64];
	uint64_t at;
	uint64_t on_devices;
	uint64_t in_system;
	uint64_t pages[DEVICES_MAX];
};

/* Tenants in any order; a process once. */
struct tenants {
	struct tenant *tenant;
	size_t n;
	size_t room;
};

/**
 * struct scan - what a scan has found
 * @found:	processes with memory on a device, the largest first
 * @begun:	processes that take longer to look at than their turn
 * @last:	the process that was looked at last
 * @refreshed:	likewise, of those that were known
 * @devices:	the numbers of the devices that the others are about
 * @nr_devices:	the number of these
 * @blind:	the caller may not see the locations of memory
 * @error:	why a process could not be looked at, or 0
 */
struct scan {
	struct tenants found;
	struct tenants begun;
	pid_t last;
	pid_t refreshed;
	unsigned int devices[DEVICES_MAX];
	size_t nr_devices;
	bool blind;
	int error;
};

/*
 * Looks at as many processes as fit into so many milliseconds, in turn, and at each again
 * the next time if it takes long; 0 for all, to the end.
 */
void scan_round(struct scan *scan, const struct devices *devices,
		unsigned int milliseconds);
void scan_end(struct scan *scan);

#endif /* DEVPUB_TOOLS_SCAN_H */
