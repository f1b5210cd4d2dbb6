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

struct tenant {
	pid_t pid;
	uid_t uid;
	char name[32];
	uint64_t on_devices;		/* pages in all */
	uint64_t in_system;
	uint64_t pages[DEVICES_MAX];	/* of each device */
};

/**
 * struct scan - what a scan has found
 * @tenant:	processes with memory on a device, the largest first
 * @n:		their number
 * @room:	of @tenant
 * @last:	the process that was looked at last
 * @blind:	the caller may not see where memory lives
 */
struct scan {
	struct tenant *tenant;
	size_t n;
	size_t room;
	pid_t last;
	bool blind;
};

/*
 * Looks at the processes that are known, and at as many others as fit into so many
 * milliseconds, in turn; 0 for all.
 */
void scan_round(struct scan *scan, const struct devices *devices,
		unsigned int milliseconds);
void scan_end(struct scan *scan);

#endif /* DEVPUB_TOOLS_SCAN_H */
