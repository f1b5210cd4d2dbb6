// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "pagemap.h"
#include "uffd.h"

static void read_entries(const char *path, uint64_t first, size_t count,
			 uint64_t *entries)
{
	const ssize_t size = count * sizeof(*entries);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		FAIL("%s: %s", path, strerror(errno));
	if (pread(fd, entries, size, first * sizeof(*entries)) != size)
		FAIL("%s: no entry %#llx", path, (unsigned long long)first);
	close(fd);
}

void pagemap_read_of(int pid, const void *addr, size_t pages,
		     uint64_t *entries)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	read_entries(path, address(addr) / PAGE, pages, entries);
}

void pagemap_read(const void *addr, size_t pages, uint64_t *entries)
{
	pagemap_read_of(getpid(), addr, pages, entries);
}

uint64_t pagemap_kpagecount(const void *addr)
{
	uint64_t count;

	read_entries("/proc/kpagecount", mem_pfn(addr), 1, &count);
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
	/* UFFD_FEATURE_WP_UNPOPULATED, UFFD_FEATURE_WP_ASYNC */
	uffd_register(uffd_open(1 << 13 | 1 << 15), addr, pages,
		      UFFDIO_REGISTER_MODE_WP);
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
