// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "clock.h"
#include "maps.h"
#include "proc.h"
#include "scan.h"
#include "text.h"

/* One process gets one of this many parts of a round.  Known tenants get half of a round. */
#define TURNS	8

/* Number of scans of a process that executes other programs. */
#define TRIES	5

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* List all processes in the order of their numbers. */
static int all_processes(pid_t **pids, size_t *n)
{
	struct dirent *entry;
	size_t room = 0;
	pid_t *grown;
	uint64_t pid;
	DIR *dir = opendir("/proc");

	*pids = NULL;
	*n = 0;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!text_parse_number(entry->d_name, INT32_MAX, &pid))
			continue;
		grown = array_grow(*pids, &room, *n, sizeof(*grown));
		if (!grown)
			break;
		*pids = grown;
		(*pids)[(*n)++] = pid;
	}
	closedir(dir);
	if (*n)
		qsort(*pids, *n, sizeof(**pids), compare_pids);
	return entry ? -ENOMEM : 0;
}

static void count(void *arg, unsigned int location, uint64_t pages)
{
	struct tenant *tenant = arg;

	if (location >= LOCATION_DEVICE) {
		tenant->on_devices += pages;
		tenant->pages[location - LOCATION_DEVICE] += pages;
	} else if (location == LOCATION_SYSTEM) {
		tenant->in_system += pages;
	}
}

/* Stop at @deadline unless it is 0; @at is the address where the scan has stopped then. */
static int look_at_maps(struct tenant *tenant, struct pages *pages,
			const struct maps *maps, double deadline)
{
	uint64_t at;
	size_t i;
	int ret = 0;

	for (i = 0; i < maps->n && !ret; i++) {
		const struct mapping *mapping = &maps->mapping[i];

		/* Only anonymous memory can be on a device. */
		if (mapping->kind != MAPPING_ANON && mapping->kind != MAPPING_FILE)
			continue;
		at = mapping->start > tenant->at ? mapping->start : tenant->at;
		while (at < mapping->end && !ret) {
			if (deadline && clock_now() > deadline) {
				tenant->at = at;
				return 0;
			}
			ret = pages_look(pages, mapping, &at, count, tenant);
		}
	}
	tenant->at = 0;
	return ret ? ret : pages_check(pages);
}

static int look_at_memory(struct tenant *tenant, const struct proc *proc,
			  const struct devices *devices, double deadline)
{
	struct pages *pages;
	struct maps maps;
	int ret;

	ret = pages_open_by_frame(proc, devices, &pages);
	if (ret)
		return ret;
	ret = pages_maps(pages, &maps);
	if (!ret) {
		ret = look_at_maps(tenant, pages, &maps, deadline);
		maps_free(&maps);
	}
	pages_close(pages);
	return ret;
}

static int identify(struct tenant *tenant, const struct proc *proc)
{
	struct proc_stat stat;
	struct stat owner;
	int ret;

	ret = proc_stat(proc, &stat);
	if (ret)
		return ret;
	if (proc_is_kernel_thread(&stat))
		return -ESRCH;
	/* Another process has this number: start again. */
	if (stat.started != tenant->started)
		*tenant = (struct tenant) { .pid = proc->pid };
	if (fstat(proc->dir, &owner))
		return -errno;
	tenant->started = stat.started;
	tenant->uid = owner.st_uid;
	snprintf(tenant->name, sizeof(tenant->name), "%s", *stat.name ? stat.name : "?");
	return 0;
}

/* Return 0 or -errno; -ESRCH if the process has no memory. */
static int look(struct tenant *tenant, const struct devices *devices, double deadline)
{
	struct proc proc;
	int try, ret;

	for (try = 0; try < TRIES; try++) {
		ret = proc_open(tenant->pid, &proc);
		if (!ret) {
			ret = identify(tenant, &proc);
			if (!ret)
				ret = look_at_memory(tenant, &proc, devices, deadline);
			proc_close(&proc);
		}
		if (ret != -EAGAIN)
			return ret;
		*tenant = (struct tenant) { .pid = tenant->pid };
	}
	return ret;
}

static struct tenant *find(const struct tenants *tenants, pid_t pid)
{
	size_t i;

	for (i = 0; tenants->tenant && i < tenants->n; i++)
		if (tenants->tenant[i].pid == pid)
			return &tenants->tenant[i];
	return NULL;
}

static void forget(struct tenants *tenants, pid_t pid)
{
	struct tenant *tenant = find(tenants, pid);

	if (!tenant)
		return;
	tenants->n--;
	memmove(tenant, tenant + 1,
		(char *)&tenants->tenant[tenants->n] - (char *)tenant);
}

static void forget_all(struct tenants *tenants)
{
	free(tenants->tenant);
	tenants->tenant = NULL;
	tenants->n = 0;
	tenants->room = 0;
}

static int keep(struct tenants *tenants, const struct tenant *tenant)
{
	struct tenant *grown;

	grown = array_grow(tenants->tenant, &tenants->room, tenants->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tenants->tenant = grown;
	tenants->tenant[tenants->n++] = *tenant;
	return 0;
}

/* Return 0 or -errno, as look(). */
static int look_and_keep(struct scan *scan, pid_t pid,
			  const struct devices *devices, double deadline)
{
	const struct tenant *begun = find(&scan->begun, pid);
	struct tenant tenant = { .pid = pid };
	int ret;

	if (begun)
		tenant = *begun;
	ret = look(&tenant, devices, deadline);
	if (ret == -EPERM || ret == -EACCES)
		return ret;
	forget(&scan->begun, pid);
	if (!ret && tenant.at) {
		/* Keep the previous result until this scan is complete. */
		ret = keep(&scan->begun, &tenant);
	} else {
		forget(&scan->found, pid);
		if (!ret && tenant.on_devices)
			ret = keep(&scan->found, &tenant);
	}
	/* A process that ends, or executes programs in quick succession, has no memory there. */
	if (ret && ret != -ESRCH && ret != -EAGAIN)
		scan->error = ret;
	return ret;
}

/* Counts are by position of the device, so discard them if the devices have changed. */
static void follow_devices(struct scan *scan, const struct devices *devices)
{
	size_t i;

	for (i = 0; i < devices->n && i < scan->nr_devices; i++)
		if (scan->devices[i] != devices->device[i].index)
			break;
	if (i < devices->n || i < scan->nr_devices)
		scan_end(scan);
	scan->nr_devices = devices->n;
	for (i = 0; i < devices->n; i++)
		scan->devices[i] = devices->device[i].index;
}

static int compare_tenants(const void *a, const void *b)
{
	const struct tenant *x = a, *y = b;

	if (x->on_devices != y->on_devices)
		return x->on_devices < y->on_devices ? 1 : -1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Copy the numbers of the known tenants, because the list changes during the scan. */
static pid_t *known_processes(const struct scan *scan, size_t *n)
{
	pid_t *pids = malloc((scan->found.n + 1) * sizeof(*pids));
	size_t i;

	*n = pids ? scan->found.n : 0;
	for (i = 0; i < *n; i++)
		pids[i] = scan->found.tenant[i].pid;
	if (*n)
		qsort(pids, *n, sizeof(*pids), compare_pids);
	return pids;
}

/**
 * struct round - a scan of some processes
 * @pids:	their numbers in order
 * @n:		number of entries of @pids
 * @last:	the process that was scanned last; the scan starts after it
 * @until:	end of the time, or 0
 * @turn:	maximum time for one process in seconds
 * @seen:	number of processes whose memory could be read
 * @hidden:	number of processes whose memory the caller may not read
 */
struct round {
	pid_t *pids;
	size_t n;
	pid_t last;
	double until;
	double turn;
	size_t seen;
	size_t hidden;
};

static void go_round(struct scan *scan, const struct devices *devices,
		       struct round *round)
{
	size_t i, first;
	int ret;

	for (first = 0; first < round->n && round->pids[first] <= round->last; first++)
		;
	for (i = 0; i < round->n; i++) {
		round->last = round->pids[(first + i) % round->n];
		ret = look_and_keep(scan, round->last, devices,
				    round->until ? clock_now() + round->turn : 0);
		round->seen += !ret;
		round->hidden += ret == -EPERM || ret == -EACCES;
		if (round->until && clock_now() > round->until)
			break;
	}
}

void scan_round(struct scan *scan, const struct devices *devices,
		unsigned int milliseconds)
{
	const double begun = clock_now(), turn = milliseconds / 1e3 / TURNS;
	struct round known = { .turn = turn }, all = { .turn = turn };
	int ret;

	follow_devices(scan, devices);
	if (milliseconds) {
		known.until = begun + milliseconds / 2e3;
		all.until = begun + milliseconds / 1e3;
		known.pids = known_processes(scan, &known.n);
		known.last = scan->refreshed;
	}
	go_round(scan, devices, &known);
	scan->refreshed = known.last;
	ret = all_processes(&all.pids, &all.n);
	if (ret)
		scan->error = ret;
	all.last = scan->last;
	go_round(scan, devices, &all);
	scan->last = all.last;
	scan->blind = all.hidden && !known.seen && !all.seen;
	free(known.pids);
	free(all.pids);
	if (scan->found.n)
		qsort(scan->found.tenant, scan->found.n, sizeof(*scan->found.tenant),
		      compare_tenants);
}

void scan_end(struct scan *scan)
{
	forget_all(&scan->found);
	forget_all(&scan->begun);
	scan->nr_devices = 0;
}
