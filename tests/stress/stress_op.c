// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The choice of operations, which only the seed determines. */
#include <stdarg.h>
#include <stdio.h>

#include "mem.h"
#include "stress.h"

static const struct {
	const char *name;
	/* The relative frequency, and the maximum number of pages. */
	unsigned int weight, most;
	/* It changes data, so it acts on the thread's own slice only. */
	bool own;
	/* It acts on whole huge pages, if the slice is large enough. */
	bool huge;
} kinds[STRESS_KINDS] = {
	[STRESS_TO]		= { "migrate-to", 64, 1024, false, false },
	[STRESS_FROM]		= { "migrate-from", 48, 1024, false, false },
	[STRESS_POPULATE]	= { "populate", 24, 256, false, false },
	[STRESS_QUERY]		= { "query", 12, 4096, false, false },
	[STRESS_EVICT]		= { "evict", 1, 1, false, false },
	[STRESS_WRITE]		= { "write", 56, 256, true, false },
	[STRESS_VERIFY]		= { "verify", 56, 512, true, false },
	[STRESS_FORK]		= { "fork", 8, 128, true, false },
	[STRESS_VFORK]		= { "vfork", 8, 128, true, false },
	[STRESS_MAP]		= { "munmap-mmap", 16, 4096, true, false },
	[STRESS_MREMAP]		= { "mremap", 20, 32, true, false },
	[STRESS_RESIZE]		= { "resize", 12, 256, true, false },
	[STRESS_MPROTECT]	= { "mprotect", 16, 64, true, false },
	[STRESS_DONTNEED]	= { "dontneed", 16, 1024, true, false },
	[STRESS_PREFAULT]	= { "prefault", 8, 256, false, false },
	[STRESS_FREE]		= { "free", 12, 64, true, false },
	[STRESS_COLD]		= { "cold", 8, 256, false, false },
	[STRESS_PAGEOUT]	= { "pageout", 16, 256, false, false },
	[STRESS_HUGEPAGE]	= { "hugepage", 12, 1024, false, true },
	[STRESS_COLLAPSE]	= { "collapse", 16, 512, true, true },
	[STRESS_MLOCK]		= { "mlock", 12, 16, false, false },
	[STRESS_MUNLOCK]	= { "munlock", 12, 512, false, false },
	[STRESS_READV]		= { "readv", 16, STRESS_BUFFER_PAGES, true, false },
	[STRESS_WRITEV]		= { "writev", 16, STRESS_BUFFER_PAGES, true, false },
	[STRESS_VMSPLICE]	= { "vmsplice", 16, STRESS_BUFFER_PAGES, true, false },
	[STRESS_DIRECT]		= { "direct-io", 16, STRESS_BUFFER_PAGES, true, false },
	[STRESS_MERGE]		= { "mergeable", 12, 512, false, false },
	[STRESS_PKEY]		= { "pkey", 12, 64, true, false },
	[STRESS_REGISTER]	= { "io-uring", 12, STRESS_HELD_PAGES, true, false },
	[STRESS_UFFD]		= { "uffd-wp", 12, STRESS_HELD_PAGES, true, false },
};

const char *stress_name(enum stress_kind kind)
{
	return kinds[kind].name;
}

uint64_t stress_seed(uint64_t seed, unsigned int process, unsigned int thread)
{
	/* The factor is no multiple of the step in draw(), so the sequences do not overlap. */
	return seed ^ ((uint64_t)process << 32 | (thread + 1)) *
		      0xd1342543de82ef95ULL;
}

/* splitmix64 */
static uint64_t draw(struct stress_thread *thread)
{
	uint64_t x = thread->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static enum stress_kind draw_kind(struct stress_thread *thread)
{
	unsigned int total = 0, at;
	int kind;

	for (kind = 0; kind < STRESS_KINDS; kind++)
		total += kinds[kind].weight;
	at = draw(thread) % total;
	for (kind = 0; at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	return kind;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct stress_op stress_draw(struct stress_thread *thread)
{
	const size_t slice = thread->options->pages;
	enum stress_kind kind = draw_kind(thread);
	struct stress_op op = { .kind = kind };
	size_t within, most;

	within = kinds[kind].own ? slice : slice * thread->options->threads;
	most = smaller(kinds[kind].most, within);
	/* The destination must fit behind the source or before it. */
	if (kind == STRESS_MREMAP)
		most = smaller(most, slice / 2);
	/* Limit the size to a random power of two, so short ranges are as likely as long ones. */
	most = smaller(most, 1UL << draw(thread) % 13);
	op.count = 1 + draw(thread) % most;
	op.first = draw(thread) % (within - op.count + 1);
	if (kinds[kind].huge && within >= HUGE_PAGES) {
		op.count = (op.count + HUGE_PAGES - 1) & -HUGE_PAGES;
		op.first = op.first & -HUGE_PAGES;
		op.count = smaller(op.count, within - op.first);
	}
	if (kind == STRESS_MREMAP)
		op.distance = op.count +
			      draw(thread) % (slice - 2 * op.count + 1);
	op.flags = draw(thread) >> 32;
	return op;
}

void stress_wrong(struct stress_thread *thread, const char *fmt, ...)
{
	struct stress_shared *shared = thread->shared;
	va_list args;
	int length;

	if (!atomic_exchange(&shared->wrong, true)) {
		length = snprintf(shared->text, sizeof(shared->text),
				  "process %u, thread %u, operation %lu (%s): ",
				  thread->process, thread->nr,
				  thread->result->number,
				  stress_name(thread->result->at));
		va_start(args, fmt);
		vsnprintf(shared->text + length, sizeof(shared->text) - length,
			  fmt, args);
		va_end(args);
	}
	atomic_store(&shared->stop, true);
}
