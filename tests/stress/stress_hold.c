// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Operations of the stress that pin or write-protect pages while they are moved. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pagemap.h"
#include "stress.h"
#include "uffd.h"

/* The ring is used for registered buffers only; nothing is submitted to it. */
int stress_ring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 1, &params);
}

/* If pagemap can't be read, all entries are 0, which means not present. */
static void read_pagemap(const void *addr, size_t pages, uint64_t *entries)
{
	const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	memset(entries, 0, pages * sizeof(*entries));
	pread(file, entries, pages * sizeof(*entries),
	      address(addr) / PAGE * sizeof(*entries));
	close(file);
}

/* Registered pages are pinned in system memory.  No call may move them. */
void stress_register(struct stress_thread *thread, const struct stress_op *op)
{
	char *addr = thread->slice + op->first * PAGE;
	struct iovec range = { addr, op->count * PAGE };
	uint64_t before[STRESS_HELD_PAGES], after[STRESS_HELD_PAGES];

	stress_unguard(thread, op->first, op->count);
	/* The call fails if a page moves just then (Documentation/kernel-bugs.md). */
	if (thread->ring < 0 ||
	    syscall(SYS_io_uring_register, thread->ring,
		    IORING_REGISTER_BUFFERS, &range, 1)) {
		thread->result->failed[op->kind]++;
		return;
	}
	read_pagemap(addr, op->count, before);
	if (thread->fd >= 0)
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, op->count, 0);
	stress_verify(thread, op->first, op->count);
	read_pagemap(addr, op->count, after);
	for (size_t i = 0; i < op->count; i++) {
		/* During an attempt to move it, the page is not present. */
		if (before[i] & after[i] & PAGEMAP_PRESENT &&
		    (before[i] ^ after[i]) & PAGEMAP_PFN)
			stress_wrong(thread, "a registered page moved from pfn %#llx to %#llx",
				     (unsigned long long)(before[i] & PAGEMAP_PFN),
				     (unsigned long long)(after[i] & PAGEMAP_PFN));
	}
	if (syscall(SYS_io_uring_register, thread->ring,
		    IORING_UNREGISTER_BUFFERS, NULL, 0))
		stress_wrong(thread, "unregister: %s", strerror(errno));
}

/* A thread that writes to these pages waits until the protection is removed. */
void stress_uffd(struct stress_thread *thread, const struct stress_op *op)
{
	char *addr = thread->slice + op->first * PAGE;
	struct uffdio_range range = { address(addr), op->count * PAGE };
	const struct stress_page *page = &thread->pages[op->first];
	int uffd = uffd_try_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	uint64_t entry;

	stress_unguard(thread, op->first, op->count);
	if (uffd < 0 ||
	    uffd_try_register(uffd, addr, op->count, UFFDIO_REGISTER_MODE_WP) ||
	    uffd_try_protect(uffd, addr, op->count, true)) {
		thread->result->failed[op->kind]++;
	} else {
		if (thread->fd >= 0)
			stress_migrate(thread, op->flags & 1 ?
				       DEVPUB_IOC_MIGRATE_TO :
				       DEVPUB_IOC_MIGRATE_FROM,
				       addr, op->count, 0);
		stress_verify(thread, op->first, op->count);
		read_pagemap(addr, 1, &entry);
		/* A hole can't be protected, and the page may have been one. */
		if (page->generation && !page->free &&
		    entry & PAGEMAP_PRESENT && !(entry & PAGEMAP_UFFD_WP))
			stress_wrong(thread, "a page lost its write protection");
	}
	if (uffd < 0)
		return;
	/* The child of another thread may have inherited the file, so close() is not enough. */
	ioctl(uffd, UFFDIO_UNREGISTER, &range);
	ioctl(uffd, UFFDIO_WAKE, &range);
	close(uffd);
}
