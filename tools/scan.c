// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "maps.h"
#include "scan.h"
#include "target.h"
#include "text.h"

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* All processes that have memory, in the order of their numbers. */
static pid_t *all_processes(size_t *n)
{
	pid_t *pids = NULL, *grown;
	struct dirent *entry;
	size_t room = 0;
	uint64_t pid;
	DIR *dir = opendir("/proc");

	*n = 0;
	if (!dir)
		return NULL;
	while ((entry = readdir(dir))) {
		if (!text_parse_number(entry->d_name, INT32_MAX, &pid))
			continue;
		if (*n == room) {
			grown = realloc(pids, (2 * room + 256) * sizeof(*pids));
			if (!grown)
				break;
			pids = grown;
			room = 2 * room + 256;
		}
		pids[(*n)++] = pid;
	}
	closedir(dir);
	if (*n)
		qsort(pids, *n, sizeof(*pids), compare_pids);
	return pids;
}

static void count(void *arg, unsigned int place, uint64_t pages)
{
	struct tenant *tenant = arg;

	if (place >= PLACE_DEVICE) {
		tenant->on_devices += pages;
		tenant->pages[place - PLACE_DEVICE] += pages;
	} else if (place == PLACE_SYSTEM) {
		tenant->in_system += pages;
	}
}

/* 0 or -errno; only what can live on a device is looked at. */
static int look(struct tenant *tenant, const struct devices *devices)
{
	struct pages *pages;
	struct maps maps;
	char path[32];
	struct stat owner;
	size_t i;
	int ret;

	ret = pages_open_by_frame(tenant->pid, devices, &pages);
	if (ret)
		return ret;
	ret = maps_read(tenant->pid, &maps);
	if (!ret) {
		for (i = 0; i < maps.n && !ret; i++)
			if (maps.mapping[i].kind == MAPPING_ANON ||
			    maps.mapping[i].kind == MAPPING_FILE)
				ret = pages_walk(pages, maps.mapping[i].start,
						 maps.mapping[i].end, count,
						 tenant);
		maps_free(&maps);
	}
	pages_close(pages);
	if (ret || !tenant->on_devices)
		return ret;
	snprintf(path, sizeof(path), "/proc/%d", tenant->pid);
	if (stat(path, &owner))
		return -ESRCH;
	tenant->uid = owner.st_uid;
	target_name(tenant->pid, tenant->name, sizeof(tenant->name));
	return 0;
}

static void keep(struct scan *scan, const struct tenant *tenant)
{
	struct tenant *grown;

	if (scan->n == scan->room) {
		grown = realloc(scan->tenant,
				(2 * scan->room + 16) * sizeof(*grown));
		if (!grown)
			return;
		scan->tenant = grown;
		scan->room = 2 * scan->room + 16;
	}
	scan->tenant[scan->n++] = *tenant;
}

static bool look_and_keep(struct scan *scan, pid_t pid,
			  const struct devices *devices)
{
	struct tenant tenant = { .pid = pid };
	int ret = look(&tenant, devices);

	if (!ret && tenant.on_devices)
		keep(scan, &tenant);
	return ret != -EPERM && ret != -EACCES;
}

/* The tenants that are known, anew. */
static void refresh(struct scan *scan, const struct devices *devices)
{
	struct tenant *known = scan->tenant;
	size_t i, n = scan->n;

	scan->tenant = NULL;
	scan->n = 0;
	scan->room = 0;
	for (i = 0; i < n; i++)
		look_and_keep(scan, known[i].pid, devices);
	free(known);
}

static bool known(const struct scan *scan, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (scan->tenant[i].pid == pid)
			return true;
	return false;
}

static int compare_tenants(const void *a, const void *b)
{
	const struct tenant *x = a, *y = b;

	if (x->on_devices != y->on_devices)
		return x->on_devices < y->on_devices ? 1 : -1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

void scan_round(struct scan *scan, const struct devices *devices,
		unsigned int milliseconds)
{
	const double begun = now_ms();
	size_t i, n, first, refreshed, seen = 0;
	pid_t *pids;

	refresh(scan, devices);
	refreshed = scan->n;
	pids = all_processes(&n);
	for (first = 0; first < n && pids[first] <= scan->last; first++)
		;
	for (i = 0; i < n; i++) {
		pid_t pid = pids[(first + i) % n];

		scan->last = pid;
		if (!known(scan, refreshed, pid))
			seen += look_and_keep(scan, pid, devices);
		if (milliseconds && now_ms() - begun > milliseconds)
			break;
	}
	scan->blind = n && !seen && !refreshed;
	free(pids);
	if (scan->n)
		qsort(scan->tenant, scan->n, sizeof(*scan->tenant),
		      compare_tenants);
}

void scan_end(struct scan *scan)
{
	free(scan->tenant);
	*scan = (struct scan) { 0 };
}
