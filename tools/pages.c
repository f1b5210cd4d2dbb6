// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"
#include "populated.h"

#define BATCH_PAGES	4096

struct pages {
	const struct devices *devices;
	const struct proc *proc;
	const struct devpub_process *process;
	uint64_t page_size;
	bool by_frame;		/* otherwise query the devices */
	struct populated populated;
	uint64_t zero_frame;	/* frame of the shared zero page, which counts as absent */
};

static uint64_t own_frame(const volatile char *addr, uint64_t page_size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry),
		  (uintptr_t)addr / page_size * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_PFN : 0;
}

/* Return the frame of the shared zero page, or 0 if the caller can't read frame numbers. */
static uint64_t zero_frame(uint64_t page_size)
{
	volatile char *page = mmap(NULL, page_size, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t frame;

	if (page == MAP_FAILED)
		return 0;
	(void)*page;
	frame = own_frame(page, page_size);
	munmap((void *)page, page_size);
	return frame;
}

static bool sees_frames(const struct devices *devices, uint64_t zero)
{
	size_t i;

	if (!zero)
		return false;
	for (i = 0; i < devices->n; i++)
		if (!devices->device[i].dev || !devices->device[i].info.phys_start)
			return false;
	return true;
}

static int new_pages(const struct proc *proc, const struct devices *devices,
		     struct pages **opened)
{
	struct pages *pages = malloc(sizeof(*pages));
	int ret;

	if (!pages)
		return -ENOMEM;
	*pages = (struct pages) {
		.devices = devices,
		.proc = proc,
		.page_size = sysconf(_SC_PAGESIZE),
	};
	ret = populated_open(&pages->populated, proc);
	if (ret) {
		free(pages);
		return ret;
	}
	pages->zero_frame = zero_frame(pages->page_size);
	pages->by_frame = pages->populated.pagemap >= 0 &&
			  sees_frames(devices, pages->zero_frame);
	*opened = pages;
	return 0;
}

int pages_open_by_frame(const struct proc *proc, const struct devices *devices,
			struct pages **pages)
{
	int ret = new_pages(proc, devices, pages);

	if (ret || (*pages)->by_frame)
		return ret;
	pages_close(*pages);
	return -EPERM;
}

/* Check if a device accepts queries for this process, by a query of its first page. */
static int ask(const struct pages *pages)
{
	const struct devpub_range range = { pages->page_size, pages->page_size };
	const struct devices *devices = pages->devices;
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (devices->device[i].dev)
			return devpub_query_v(devices->device[i].dev,
					      pages->process, &range, 1, NULL,
					      NULL);
	return -EPERM;
}

int pages_open(const struct proc *proc, const struct devpub_process *process,
	       const struct devices *devices, struct pages **pages)
{
	int ret = new_pages(proc, devices, pages);

	if (ret || (*pages)->by_frame)
		return ret;
	(*pages)->process = process;
	ret = ask(*pages);
	/* During exec, the address space of a process has size 0. */
	if (ret == -ESRCH || ret == -EFAULT)
		ret = proc_gone(proc);
	if (ret)
		pages_close(*pages);
	return ret;
}

void pages_close(struct pages *pages)
{
	populated_close(&pages->populated);
	free(pages);
}

int pages_maps(struct pages *pages, struct maps *maps)
{
	return populated_maps(&pages->populated, pages->proc, maps);
}

int pages_check(const struct pages *pages)
{
	const int gone = populated_gone(&pages->populated);

	return gone > 0 ? proc_gone(pages->proc) : gone;
}

static unsigned int location_of_frame(const struct pages *pages, uint64_t frame)
{
	const struct device *device = pages->devices->device;
	size_t i;

	if (frame == pages->zero_frame)
		return LOCATION_ABSENT;
	for (i = 0; i < pages->devices->n; i++) {
		uint64_t first = device[i].info.phys_start / pages->page_size;

		if (frame >= first &&
		    frame - first < device[i].info.capacity / pages->page_size)
			return LOCATION_DEVICE + i;
	}
	return LOCATION_SYSTEM;
}

static int look_by_frame(const struct pages *pages, uint64_t addr, size_t n,
			 unsigned short *locations)
{
	uint64_t entries[BATCH_PAGES];
	ssize_t got;
	size_t i;

	got = pread(pages->populated.pagemap, entries, n * sizeof(*entries),
		    addr / pages->page_size * sizeof(*entries));
	if (got < 0)
		return -errno;
	/* A short read means that the process's memory, or the process, has gone away. */
	if (got < (ssize_t)sizeof(*entries))
		return proc_gone(pages->proc);
	n = got / sizeof(*entries);
	for (i = 0; i < n; i++) {
		if (entries[i] & PAGEMAP_PRESENT)
			locations[i] = location_of_frame(pages, entries[i] & PAGEMAP_PFN);
		else if (entries[i] & PAGEMAP_SWAPPED)
			locations[i] = LOCATION_SWAPPED;
		else
			locations[i] = LOCATION_ABSENT;
	}
	return n;
}

/* Combine the answers: only the device itself reports its pages as its own. */
static int look_by_device(const struct pages *pages, uint64_t addr, size_t n,
			  unsigned short *locations)
{
	const struct devpub_range range = { addr, n * pages->page_size };
	struct devpub_locations counts;
	unsigned char told[BATCH_PAGES];
	size_t i, j, done = n;
	int ret;

	for (i = 0; i < n; i++)
		locations[i] = LOCATION_OTHER;
	for (i = 0; i < pages->devices->n; i++) {
		if (!pages->devices->device[i].dev)
			continue;
		ret = devpub_query_v(pages->devices->device[i].dev,
				     pages->process, &range, 1, told,
				     &counts);
		if (ret == -ESRCH || ret == -EFAULT)
			return proc_gone(pages->proc);
		if (ret && ret != -EINTR)
			return ret;
		if (counts.done / pages->page_size < done)
			done = counts.done / pages->page_size;
		for (j = 0; j < done; j++) {
			if (told[j] == DEVPUB_LOCATION_DEVICE)
				locations[j] = LOCATION_DEVICE + i;
			else if (told[j] == DEVPUB_LOCATION_SYSTEM)
				locations[j] = LOCATION_SYSTEM;
			else if (told[j] == DEVPUB_LOCATION_ABSENT)
				locations[j] = LOCATION_ABSENT;
		}
	}
	return done;
}

/* Pass runs of pages with the same location to the callback. */
struct stretch {
	unsigned int location;
	uint64_t pages;
	void (*run)(void *arg, unsigned int location, uint64_t pages);
	void *arg;
};

static void put(struct stretch *stretch, unsigned int location, uint64_t pages)
{
	if (location != stretch->location && stretch->pages) {
		stretch->run(stretch->arg, stretch->location, stretch->pages);
		stretch->pages = 0;
	}
	stretch->location = location;
	stretch->pages += pages;
}

/* Look up pages from @at to @to, as many as the array holds.  Return their number or -errno. */
static int look_at_batch(struct pages *pages, uint64_t at, uint64_t to,
			 struct stretch *stretch)
{
	unsigned short locations[BATCH_PAGES] = { 0 };
	size_t n = BATCH_PAGES;
	int got, i;

	if ((to - at) / pages->page_size < n)
		n = (to - at) / pages->page_size;
	if (pages->by_frame)
		got = look_by_frame(pages, at, n, locations);
	else
		got = look_by_device(pages, at, n, locations);
	for (i = 0; i < got; i++)
		put(stretch, locations[i], 1);
	return got;
}

int pages_look(struct pages *pages, const struct mapping *mapping, uint64_t *at,
	       void (*run)(void *arg, unsigned int location, uint64_t pages),
	       void *arg)
{
	struct stretch stretch = { .run = run, .arg = arg };
	const uint64_t from = *at;
	uint64_t to;
	int ret;

	if (mapping->untouched) {
		*at = mapping->end;
		ret = 0;
	} else {
		ret = populated_next(&pages->populated, at, mapping->end, &to);
	}
	if (ret < 0)
		return ret == -ESRCH ? proc_gone(pages->proc) : ret;
	if (*at > from)
		put(&stretch, LOCATION_ABSENT, (*at - from) / pages->page_size);
	if (ret) {
		ret = look_at_batch(pages, *at, to, &stretch);
		if (ret > 0)
			*at += ret * pages->page_size;
	}
	if (stretch.pages)
		run(arg, stretch.location, stretch.pages);
	return ret < 0 ? ret : 0;
}
