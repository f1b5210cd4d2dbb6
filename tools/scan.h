/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Finds processes with memory on the devices. */
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
 * @started:	its start time
 * @uid:	its user
 * @name:	its name, with any bytes
 * @at:		address where an incomplete scan has stopped; 0 after a complete one
 * @on_devices:	number of pages on all devices
 * @in_system:	number of pages in system memory
 * @pages:	number of pages on each device
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

/* A set of tenants in any order. */
struct tenants {
	struct tenant *tenant;
	size_t n;
	size_t room;
};

/**
 * struct scan - the results of scans
 * @found:	processes with memory on a device, the largest first
 * @begun:	processes whose scan is incomplete
 * @last:	the process that was scanned last
 * @refreshed:	the known tenant that was scanned last
 * @devices:	numbers of the devices that the counts refer to
 * @nr_devices:	number of entries of @devices
 * @blind:	the caller may not read the locations of memory
 * @error:	the error because of which a process could not be scanned, or 0
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
 * Scan as many processes as possible within this number of milliseconds, in turn.  A long
 * scan of a process continues the next time.  With 0, scan all processes completely.
 */
void scan_round(struct scan *scan, const struct devices *devices,
		unsigned int milliseconds);
void scan_end(struct scan *scan);

#endif /* DEVPUB_TOOLS_SCAN_H */
