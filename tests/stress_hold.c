// SPDX-License-Identifier: GPL-2.0
/* Operations of the stress that hold pages, or guard them, while others move them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stress.h"

/* Only for its registered buffers: nothing is ever submitted to it. */
int stress_ring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 1, &params);
}

#define PRESENT		(1ULL << 63)
#define PROTECTED	(1ULL << 57)
#define FRAME		((1ULL << 55) - 1)

static uint64_t pagemap_entry(const void *addr)
{
	const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	pread(file, &entry, sizeof(entry), address(addr) / PAGE * sizeof(entry));
	close(file);
	return entry;
}

/* Registered pages are pinned in system memory, whatever others try. */
void stress_register(struct stress_thread *thread, const struct stress_op *op)
{
	char *addr = thread->slice + op->first * PAGE;
	struct iovec range = { addr, op->count * PAGE };
	uint64_t before, after;

	stress_unguard(thread, op->first, op->count);
	/* It may meet a page that moves: Documentation/kernel-bugs.md. */
	if (thread->ring < 0 ||
	    syscall(SYS_io_uring_register, thread->ring,
		    IORING_REGISTER_BUFFERS, &range, 1)) {
		thread->result->failed[op->kind]++;
		return;
	}
	before = pagemap_entry(addr);
	if (thread->fd >= 0)
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, op->count, 0);
	stress_verify(thread, op->first, op->count);
	after = pagemap_entry(addr);
	/* For a moment it is not present, when somebody tries to move it. */
	if (before & after & PRESENT && (before ^ after) & FRAME)
		stress_wrong(thread, "a registered page went from frame %#llx to %#llx",
			     (unsigned long long)(before & FRAME),
			     (unsigned long long)(after & FRAME));
	if (syscall(SYS_io_uring_register, thread->ring,
		    IORING_UNREGISTER_BUFFERS, NULL, 0))
		stress_wrong(thread, "unregister: %s", strerror(errno));
}

static int protect(int uffd, const struct uffdio_register *reg, uint64_t mode)
{
	struct uffdio_writeprotect arg = { .range = reg->range, .mode = mode };

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg);
}

/* Who writes to the pages meanwhile waits until they may be written to again. */
void stress_uffd(struct stress_thread *thread, const struct stress_op *op)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	char *addr = thread->slice + op->first * PAGE;
	struct uffdio_register reg = {
		.range = { .start = address(addr), .len = op->count * PAGE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const struct stress_page *page = &thread->pages[op->first];
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	uint64_t entry;

	stress_unguard(thread, op->first, op->count);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg) ||
	    protect(uffd, &reg, UFFDIO_WRITEPROTECT_MODE_WP)) {
		thread->result->failed[op->kind]++;
	} else {
		if (thread->fd >= 0)
			stress_migrate(thread, op->flags & 1 ?
				       DEVPUB_IOC_MIGRATE_TO :
				       DEVPUB_IOC_MIGRATE_FROM,
				       addr, op->count, 0);
		stress_verify(thread, op->first, op->count);
		entry = pagemap_entry(addr);
		/* What may have been a hole could not be protected. */
		if (page->generation && !page->free && entry & PRESENT &&
		    !(entry & PROTECTED))
			stress_wrong(thread, "a page is free of its protection");
		/* At times by hand, and else by closing it. */
		if (op->flags & 2 && protect(uffd, &reg, 0))
			stress_wrong(thread, "unprotect: %s", strerror(errno));
	}
	if (uffd >= 0)
		close(uffd);
}
