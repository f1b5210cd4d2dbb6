// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"

#define BATCH_PAGES	4096

struct pages {
	const struct devices *devices;
	const struct devpub_process *process;
	uint64_t page_size;
	int pagemap;		/* -1: ask the devices */
	uint64_t zero_frame;	/* stands in for pages that are not there */
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
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_FRAME : 0;
}

/* The frame behind a page that is only read; 0 if frames can't be seen. */
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

static struct pages *new_pages(const struct devices *devices)
{
	struct pages *pages = malloc(sizeof(*pages));

	if (!pages)
		return NULL;
	*pages = (struct pages) {
		.devices = devices,
		.page_size = sysconf(_SC_PAGESIZE),
		.pagemap = -1,
	};
	pages->zero_frame = zero_frame(pages->page_size);
	return pages;
}

int pages_open_by_frame(pid_t pid, const struct devices *devices,
			struct pages **opened)
{
	struct pages *pages = new_pages(devices);
	char path[32];
	int ret = 0;

	if (!pages)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	if (!sees_frames(devices, pages->zero_frame)) {
		ret = -EPERM;
	} else {
		pages->pagemap = open(path, O_RDONLY | O_CLOEXEC);
		if (pages->pagemap < 0)
			ret = errno == ENOENT ? -ESRCH : -errno;
	}
	if (ret) {
		pages_close(pages);
		return ret;
	}
	*opened = pages;
	return 0;
}

/* Does a device tell of this process?  Its first page will do, mapped or not. */
static int ask(const struct devices *devices, const struct target *target,
	       uint64_t page_size)
{
	const struct devpub_range range = { page_size, page_size };
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (devices->device[i].dev)
			return devpub_query_v(devices->device[i].dev,
					      target->process, &range, 1, NULL,
					      NULL);
	return -EPERM;
}

int pages_open(const struct target *target, const struct devices *devices,
	       struct pages **opened)
{
	struct pages *pages;
	int ret;

	ret = pages_open_by_frame(target->pid, devices, opened);
	if (ret != -EPERM && ret != -EACCES)
		return ret;
	pages = new_pages(devices);
	if (!pages)
		return -ENOMEM;
	pages->process = target->process;
	ret = ask(devices, target, pages->page_size);
	if (ret) {
		pages_close(pages);
		return ret;
	}
	*opened = pages;
	return 0;
}

void pages_close(struct pages *pages)
{
	if (!pages)
		return;
	if (pages->pagemap >= 0)
		close(pages->pagemap);
	free(pages);
}

static unsigned int place_of_frame(const struct pages *pages, uint64_t frame)
{
	const struct device *device = pages->devices->device;
	size_t i;

	if (frame == pages->zero_frame)
		return PLACE_ABSENT;
	for (i = 0; i < pages->devices->n; i++) {
		uint64_t first = device[i].info.phys_start / pages->page_size;

		if (frame >= first &&
		    frame - first < device[i].info.capacity / pages->page_size)
			return PLACE_DEVICE + i;
	}
	return PLACE_SYSTEM;
}

static int look_by_frame(const struct pages *pages, uint64_t addr, size_t n,
			 unsigned short *places)
{
	uint64_t entries[BATCH_PAGES];
	ssize_t got;
	size_t i;

	got = pread(pages->pagemap, entries, n * sizeof(*entries),
		    addr / pages->page_size * sizeof(*entries));
	if (got < 0)
		return -errno;
	/* The end of a process's memory, or of the process. */
	if (!got)
		return -ESRCH;
	n = got / sizeof(*entries);
	for (i = 0; i < n; i++) {
		if (entries[i] & PAGEMAP_PRESENT)
			places[i] = place_of_frame(pages, entries[i] & PAGEMAP_FRAME);
		else if (entries[i] & PAGEMAP_SWAPPED)
			places[i] = PLACE_SWAPPED;
		else
			places[i] = PLACE_ABSENT;
	}
	return n;
}

/* Each device knows of its own pages, and all know the rest. */
static int look_by_device(const struct pages *pages, uint64_t addr, size_t n,
			  unsigned short *places)
{
	const struct devpub_range range = { addr, n * pages->page_size };
	struct devpub_residency residency;
	unsigned char where[BATCH_PAGES];
	size_t i, j, done = n;
	int ret;

	for (i = 0; i < n; i++)
		places[i] = PLACE_OTHER;
	for (i = 0; i < pages->devices->n; i++) {
		if (!pages->devices->device[i].dev)
			continue;
		ret = devpub_query_v(pages->devices->device[i].dev,
				     pages->process, &range, 1, where,
				     &residency);
		if (ret && ret != -EINTR)
			return ret;
		if (residency.done / pages->page_size < done)
			done = residency.done / pages->page_size;
		for (j = 0; j < done; j++) {
			if (where[j] == DEVPUB_WHERE_DEVICE)
				places[j] = PLACE_DEVICE + i;
			else if (where[j] == DEVPUB_WHERE_SYSTEM)
				places[j] = PLACE_SYSTEM;
			else if (where[j] == DEVPUB_WHERE_ABSENT)
				places[j] = PLACE_ABSENT;
		}
	}
	return done;
}

int pages_walk(struct pages *pages, uint64_t start, uint64_t end,
	       void (*run)(void *arg, unsigned int place, uint64_t pages),
	       void *arg)
{
	unsigned short places[BATCH_PAGES] = { 0 };
	unsigned int place = PLACE_ABSENT;
	uint64_t length = 0;
	size_t n;
	int got, i;

	while (start < end) {
		n = (end - start) / pages->page_size;
		if (n > BATCH_PAGES)
			n = BATCH_PAGES;
		if (pages->pagemap >= 0)
			got = look_by_frame(pages, start, n, places);
		else
			got = look_by_device(pages, start, n, places);
		if (got < 0)
			return got;
		for (i = 0; i < got; i++) {
			if (places[i] != place && length) {
				run(arg, place, length);
				length = 0;
			}
			place = places[i];
			length++;
		}
		start += got * pages->page_size;
	}
	if (length)
		run(arg, place, length);
	return 0;
}
