// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The operations of the stress.  Operations that change data act on the thread's own slice,
 * so the thread always knows the contents of its pages.  Operations that must not change
 * data act on all memory of the process, while other threads use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

/* Map new memory. */
void stress_map(struct stress_thread *thread, size_t first, size_t count,
		int flags)
{
	char *addr = thread->slice + first * PAGE;

	if (mmap(addr, count * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0) != addr)
		stress_wrong(thread, "mmap: %s", strerror(errno));
	memset(thread->pages + first, 0, count * sizeof(*thread->pages));
}

/* Return the location of the page, for the report. */
static const char *location(const struct stress_thread *thread,
			       const void *addr)
{
	struct devpub_query arg = {
		.addr = address(addr), .length = PAGE,
	};

	if (ioctl(thread->fd, DEVPUB_IOC_QUERY, &arg))
		return "its location is unknown";
	return arg.device ? "on the device" :
	       arg.system ? "in system memory" : "absent";
}

void stress_check_copy(struct stress_thread *thread, size_t first, size_t count,
		       const void *copy)
{
	for (size_t i = 0; i < count; i++) {
		const struct stress_page *page = &thread->pages[first + i];
		const char *data = (const char *)copy + i * PAGE;
		long wrong = stress_page_check(page, data);

		if (wrong >= 0) {
			stress_wrong(thread, "page %zu of the slice, byte %ld: %#llx, generation %u%s, %s",
				     first + i, wrong,
				     *(unsigned long long *)(data + wrong),
				     page->generation,
				     page->free ? " or zeros" : "",
				     location(thread, thread->slice +
						 (first + i) * PAGE));
			return;
		}
	}
	thread->result->checked += count;
}

void stress_unguard(struct stress_thread *thread, size_t first, size_t count)
{
	bool guarded = false;

	for (size_t i = first; i < first + count; i++) {
		/* getrandom() fails if it can't write to the page. */
		if (thread->pages[i].guarded &&
		    getrandom(thread->slice + i * PAGE, 1, GRND_NONBLOCK) >= 0)
			stress_wrong(thread, "page %zu of the slice was written to in spite of mprotect()", i);
		guarded |= thread->pages[i].guarded;
		thread->pages[i].guarded = false;
	}
	if (guarded && mprotect(thread->slice + first * PAGE, count * PAGE,
				PROT_READ | PROT_WRITE))
		stress_wrong(thread, "mprotect: %s", strerror(errno));
}

void stress_verify(struct stress_thread *thread, size_t first, size_t count)
{
	stress_unguard(thread, first, count);
	stress_check_copy(thread, first, count, thread->slice + first * PAGE);
}

static void write_pages(struct stress_thread *thread, size_t first, size_t count)
{
	stress_unguard(thread, first, count);
	thread->generation++;
	for (size_t i = first; i < first + count; i++)
		stress_page_fill(thread, &thread->pages[i],
				 thread->slice + i * PAGE);
}

static void fork_child(struct stress_thread *thread, const struct stress_op *op)
{
	size_t half = (op->count + 1) / 2;
	char *addr = thread->slice + op->first * PAGE;
	bool device = thread->fd >= 0;

	stress_verify(thread, op->first, op->count);
	if (device && op->flags & 1)
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, op->count, 0);
	write_pages(thread, op->first, half);
	if (device && op->flags & 2)
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_FROM, addr, op->count,
			       0);
	stress_verify(thread, op->first, op->count);
}

/*
 * Fork a child that reads, writes and moves its copies.  The pages of the parent must stay as
 * they are.  The child of a vfork() writes to the memory of its parent.
 */
static void run_fork(struct stress_thread *thread, const struct stress_op *op)
{
	pid_t pid = op->kind == STRESS_VFORK ? vfork() : fork();
	int status;

	if (pid == 0) {
		if (op->kind == STRESS_VFORK)
			write_pages(thread, op->first, op->count);
		else
			fork_child(thread, op);
		_exit(0);
	}
	if (pid < 0)
		thread->result->failed[op->kind]++;
	else if (waitpid(pid, &status, 0) != pid || status)
		stress_wrong(thread, "the child ended with status %#x", status);
	else
		stress_verify(thread, op->first, op->count);
}

static void run_map(struct stress_thread *thread, const struct stress_op *op)
{
	if (munmap(thread->slice + op->first * PAGE, op->count * PAGE))
		stress_wrong(thread, "munmap: %s", strerror(errno));
	stress_map(thread, op->first, op->count, MAP_FIXED_NOREPLACE);
}

/* Move pages within the slice, and leave zeros at the old addresses. */
static void run_mremap(struct stress_thread *thread, const struct stress_op *op)
{
	size_t to = (op->first + op->distance) % thread->options->pages;
	bool keep = op->flags & 1;
	void *new_addr;

	/* If the destination exceeds the slice, use its start. */
	if (to + op->count > thread->options->pages)
		to = 0;
	if (to < op->first + op->count && op->first < to + op->count)
		return;
	new_addr = mremap(thread->slice + op->first * PAGE, op->count * PAGE,
			  op->count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED |
			  (keep ? MREMAP_DONTUNMAP : 0),
			  thread->slice + to * PAGE);
	if (new_addr == MAP_FAILED) {
		/* The source has several mappings.  The destination may be unmapped. */
		thread->result->failed[op->kind]++;
		stress_map(thread, to, op->count, MAP_FIXED);
		return;
	}
	memcpy(thread->pages + to, thread->pages + op->first,
	       op->count * sizeof(*thread->pages));
	if (!keep) {
		stress_map(thread, op->first, op->count, MAP_FIXED_NOREPLACE);
		return;
	}
	for (size_t i = op->first; i < op->first + op->count; i++)
		thread->pages[i].generation = 0;
}

/* Shrink the range by half, and let it grow again with zeros. */
static void run_resize(struct stress_thread *thread, const struct stress_op *op)
{
	const size_t half = (op->count + 1) / 2, rest = op->count - half;
	char *addr = thread->slice + op->first * PAGE;

	if (!rest)
		return;
	/* The new part inherits the protection of the old one. */
	stress_unguard(thread, op->first, op->count);
	if (mremap(addr, op->count * PAGE, half * PAGE, 0) != addr) {
		thread->result->failed[op->kind]++;
		return;
	}
	if (mremap(addr, half * PAGE, op->count * PAGE, 0) != addr) {
		/* The range has several mappings. */
		thread->result->failed[op->kind]++;
		stress_map(thread, op->first + half, rest, MAP_FIXED_NOREPLACE);
		return;
	}
	memset(thread->pages + op->first + half, 0,
	       rest * sizeof(*thread->pages));
}

static void run_mprotect(struct stress_thread *thread,
			 const struct stress_op *op)
{
	if (mprotect(thread->slice + op->first * PAGE, op->count * PAGE,
		     op->flags & 1 ? PROT_NONE : PROT_READ))
		stress_wrong(thread, "mprotect: %s", strerror(errno));
	for (size_t i = op->first; i < op->first + op->count; i++)
		thread->pages[i].guarded = true;
}

/* Neither the thread nor a system call may write to pages with this key, on any device. */
static void run_pkey(struct stress_thread *thread, const struct stress_op *op)
{
	char *addr = thread->slice + op->first * PAGE;
	const size_t size = op->count * PAGE;

	stress_unguard(thread, op->first, op->count);
	if (thread->pkey < 0 ||
	    pkey_mprotect(addr, size, PROT_READ | PROT_WRITE, thread->pkey)) {
		thread->result->failed[op->kind]++;
		return;
	}
	if (thread->fd >= 0)
		stress_migrate(thread, op->flags & 1 ? DEVPUB_IOC_MIGRATE_TO :
						       DEVPUB_IOC_MIGRATE_FROM,
			       addr, op->count, 0);
	for (size_t i = 0; i < op->count; i++)
		if (getrandom(addr + i * PAGE, 1, GRND_NONBLOCK) >= 0)
			stress_wrong(thread, "page %zu of the slice was written to in spite of its protection key",
				     op->first + i);
	if (pkey_mprotect(addr, size, PROT_READ | PROT_WRITE, 0))
		stress_wrong(thread, "pkey_mprotect: %s", strerror(errno));
}

/* Advice that discards the data.  After an error, it may have discarded some pages. */
static void run_discard(struct stress_thread *thread,
			const struct stress_op *op, int advice)
{
	int ret = madvise(thread->slice + op->first * PAGE, op->count * PAGE,
			  advice);

	if (ret)
		thread->result->failed[op->kind]++;
	for (size_t i = op->first; i < op->first + op->count; i++) {
		if (!ret && advice != MADV_FREE)
			thread->pages[i].generation = 0;
		else
			thread->pages[i].free = true;
	}
}

/*
 * The kernel makes a huge page only of pages in system memory, in one mapping without
 * special flags, so prepare that first.
 */
static void run_collapse(struct stress_thread *thread,
			 const struct stress_op *op)
{
	char *addr = thread->slice + op->first * PAGE;
	const size_t size = op->count * PAGE;

	stress_unguard(thread, op->first, op->count);
	munlock(addr, size);
	madvise(addr, size, MADV_UNMERGEABLE);
	madvise(addr, size, MADV_HUGEPAGE);
	if (thread->fd >= 0)
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_FROM, addr, op->count,
			       0);
	if (madvise(addr, size, MADV_COLLAPSE))
		thread->result->failed[op->kind]++;
}

static void run_device(struct stress_thread *thread, const struct stress_op *op)
{
	char *addr = thread->arena + op->first * PAGE;

	switch (op->kind) {
	case STRESS_TO:
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, op->count, 0);
		break;
	case STRESS_POPULATE:
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, op->count,
			       DEVPUB_MIGRATE_POPULATE);
		break;
	case STRESS_FROM:
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_FROM, addr, op->count,
			       0);
		break;
	case STRESS_QUERY:
		stress_query(thread, addr, op->count);
		break;
	default:
		stress_evict(thread);
		break;
	}
}

/* Calls that must not change the data, whether they succeed or not. */
static int advise(const struct stress_op *op, char *addr)
{
	const size_t size = op->count * PAGE;

	switch (op->kind) {
	case STRESS_COLD:
		return madvise(addr, size, MADV_COLD);
	case STRESS_PAGEOUT:
		return madvise(addr, size, MADV_PAGEOUT);
	case STRESS_PREFAULT:
		return madvise(addr, size, MADV_POPULATE_WRITE);
	case STRESS_MERGE:
		return madvise(addr, size, op->flags % 4 ? MADV_UNMERGEABLE :
							   MADV_MERGEABLE);
	case STRESS_HUGEPAGE:
		return madvise(addr, size, op->flags % 4 ? MADV_HUGEPAGE :
							   MADV_NOHUGEPAGE);
	case STRESS_MLOCK:
		return mlock2(addr, size, op->flags & 1 ? MLOCK_ONFAULT : 0);
	default:
		return munlock(addr, size);
	}
}

static void run_advice(struct stress_thread *thread, const struct stress_op *op)
{
	if (advise(op, thread->arena + op->first * PAGE))
		thread->result->failed[op->kind]++;
}

static void run_write(struct stress_thread *thread, const struct stress_op *op)
{
	write_pages(thread, op->first, op->count);
}

static void run_verify(struct stress_thread *thread, const struct stress_op *op)
{
	stress_verify(thread, op->first, op->count);
}

static void run_dontneed(struct stress_thread *thread, const struct stress_op *op)
{
	run_discard(thread, op, op->flags & 1 ? MADV_DONTNEED : MADV_DONTNEED_LOCKED);
}

static void run_free(struct stress_thread *thread, const struct stress_op *op)
{
	run_discard(thread, op, MADV_FREE);
}

static void (*const run[STRESS_KINDS])(struct stress_thread *thread,
				       const struct stress_op *op) = {
	[STRESS_TO]		= run_device,
	[STRESS_FROM]		= run_device,
	[STRESS_POPULATE]	= run_device,
	[STRESS_QUERY]		= run_device,
	[STRESS_EVICT]		= run_device,
	[STRESS_WRITE]		= run_write,
	[STRESS_VERIFY]		= run_verify,
	[STRESS_FORK]		= run_fork,
	[STRESS_VFORK]		= run_fork,
	[STRESS_MAP]		= run_map,
	[STRESS_MREMAP]		= run_mremap,
	[STRESS_RESIZE]		= run_resize,
	[STRESS_MPROTECT]	= run_mprotect,
	[STRESS_DONTNEED]	= run_dontneed,
	[STRESS_PREFAULT]	= run_advice,
	[STRESS_FREE]		= run_free,
	[STRESS_COLD]		= run_advice,
	[STRESS_PAGEOUT]	= run_advice,
	[STRESS_HUGEPAGE]	= run_advice,
	[STRESS_COLLAPSE]	= run_collapse,
	[STRESS_MLOCK]		= run_advice,
	[STRESS_MUNLOCK]	= run_advice,
	[STRESS_READV]		= stress_readv,
	[STRESS_WRITEV]		= stress_writev,
	[STRESS_VMSPLICE]	= stress_vmsplice,
	[STRESS_DIRECT]		= stress_direct,
	[STRESS_MERGE]		= run_advice,
	[STRESS_PKEY]		= run_pkey,
	[STRESS_REGISTER]	= stress_register,
	[STRESS_UFFD]		= stress_uffd,
};

void stress_run(struct stress_thread *thread, const struct stress_op *op)
{
	if (run[op->kind] == run_device && thread->fd < 0)
		return;
	/*
	 * Before 6.2, the kernel warns if a task that unmerges pages meets a userfaultfd
	 * (mm/ksm.c, break_ksm()), so only odd processes merge, and only even ones protect.
	 */
	if (op->kind == (thread->process % 2 ? STRESS_UFFD : STRESS_MERGE))
		thread->result->failed[op->kind]++;
	else
		run[op->kind](thread, op);
	thread->result->done[op->kind]++;
}
