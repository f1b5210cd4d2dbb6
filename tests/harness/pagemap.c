// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "pagemap.h"
#include "uffd.h"

void pagemap_entries(const char *path, uint64_t first, size_t count,
		     uint64_t *entries)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		FAIL("%s: %s", path, strerror(errno));
	while (done < count) {
		ssize_t ret = pread(fd, entries + done,
				    (count - done) * sizeof(*entries),
				    (first + done) * sizeof(*entries));

		if (ret <= 0)
			FAIL("%s: no entry %#llx", path,
			     (unsigned long long)(first + done));
		done += ret / sizeof(*entries);
	}
	close(fd);
}

void pagemap_read_of(int pid, const void *addr, size_t pages,
		     uint64_t *entries)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap_entries(path, address(addr) / PAGE, pages, entries);
}

void pagemap_read(const void *addr, size_t pages, uint64_t *entries)
{
	pagemap_entries("/proc/self/pagemap", address(addr) / PAGE, pages,
			entries);
}

uint64_t pagemap_kpagecount(const void *addr)
{
	uint64_t count;

	pagemap_entries("/proc/kpagecount", mem_pfn(addr), 1, &count);
	return count;
}

size_t pagemap_scan(const void *addr, size_t pages, uint64_t flags,
		    uint64_t mask, struct page_region *found, size_t count)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = address(addr),
		.end = address(addr) + pages * PAGE,
		.vec = address(found),
		.vec_len = count,
		.category_mask = mask,
		.return_mask = mask,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int ret;

	CHECK_CALL(fd);
	ret = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (ret < 0 && errno == ENOTTY)
		SKIP("this kernel has no PAGEMAP_SCAN");
	CHECK_CALL(ret);
	close(fd);
	return ret;
}

void pagemap_track_writes(void *addr, size_t pages)
{
	uffd_register(uffd_open(UFFD_FEATURE_WP_UNPOPULATED |
				UFFD_FEATURE_WP_ASYNC),
		      addr, pages, UFFDIO_REGISTER_MODE_WP);
}

size_t pagemap_written(const void *addr, size_t pages, bool again)
{
	struct page_region found[pages];
	size_t ranges, count = 0;

	ranges = pagemap_scan(addr, pages, again ? PM_SCAN_WP_MATCHING : 0,
			      PAGE_IS_WRITTEN, found, pages);
	for (size_t i = 0; i < ranges; i++)
		count += (found[i].end - found[i].start) / PAGE;
	return count;
}
