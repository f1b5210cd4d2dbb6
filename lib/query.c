// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reads the locations of pages. */
#include "internal.h"

#include <errno.h>
#include <string.h>

static int query_range(const struct devpub *dev,
		       const struct devpub_process *process,
		       const struct devpub_range *range, unsigned char *locations,
		       struct devpub_locations *counts)
{
	struct devpub_query arg = {
		.addr = range->addr,
		.length = range->length,
		.locations = (uintptr_t)locations,
	};
	int ret;

	if (process) {
		arg.flags = DEVPUB_QUERY_PID;
		arg.pid = process->pid;
	}
	ret = devpub_process_call(dev, process, DEVPUB_IOC_QUERY, &arg);
	if (ret == -ESRCH) {
		if (locations)
			memset(locations, DEVPUB_LOCATION_UNSEEN,
			       range->length / dev->page_size);
	} else if (counts) {
		counts->done += arg.done;
		counts->absent += arg.absent;
		counts->system += arg.system;
		counts->device += arg.device;
		counts->other_device += arg.other_device;
		counts->other += arg.other;
	}
	return ret;
}

EXPORT
int devpub_query_v(const struct devpub *dev,
		   const struct devpub_process *process,
		   const struct devpub_range *ranges, size_t n,
		   unsigned char *locations, struct devpub_locations *counts)
{
	uint64_t pages;
	size_t i;
	int ret;

	if (counts)
		memset(counts, 0, sizeof(*counts));
	ret = devpub_check_ranges(dev, ranges, n, locations, &pages);
	if (ret)
		return ret;
	if (locations)
		memset(locations, DEVPUB_LOCATION_UNSEEN, pages);

	for (i = 0; i < n && !ret; i++) {
		ret = query_range(dev, process, &ranges[i], locations, counts);
		if (locations)
			locations += ranges[i].length / dev->page_size;
	}
	return ret;
}

EXPORT
int devpub_query(const struct devpub *dev, const void *addr, size_t length,
		 unsigned char *locations, struct devpub_locations *counts)
{
	const struct devpub_range range = { (uintptr_t)addr, length };

	return devpub_query_v(dev, NULL, &range, 1, locations, counts);
}
