/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* What the parts of the stress share. */
#ifndef DEVPUB_TESTS_STRESS_H
#define DEVPUB_TESTS_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"

#define STRESS_TEXT	256

enum stress_kind {
	STRESS_TO,
	STRESS_FROM,
	STRESS_POPULATE,
	STRESS_QUERY,
	STRESS_EVICT,
	STRESS_WRITE,
	STRESS_VERIFY,
	STRESS_FORK,
	STRESS_VFORK,
	STRESS_MAP,
	STRESS_MREMAP,
	STRESS_RESIZE,
	STRESS_MPROTECT,
	STRESS_DONTNEED,
	STRESS_PREFAULT,
	STRESS_FREE,
	STRESS_COLD,
	STRESS_PAGEOUT,
	STRESS_HUGEPAGE,
	STRESS_COLLAPSE,
	STRESS_MLOCK,
	STRESS_MUNLOCK,
	STRESS_READV,
	STRESS_WRITEV,
	STRESS_VMSPLICE,
	STRESS_DIRECT,
	STRESS_MERGE,
	STRESS_PKEY,
	STRESS_REGISTER,
	STRESS_UFFD,
	STRESS_KINDS,
};

/*
 * An operation as the seed has it: drawn before anything is known of how it goes,
 * so that a thread's operations are the same in each run.
 */
struct stress_op {
	enum stress_kind kind;
	/* Of the thread's slice, or of all of the process's for some kinds. */
	size_t first, count;
	/* For mremap: how far behind the range its destination begins. */
	size_t distance;
	unsigned int flags;
};

/* What became of a thread's operations; shared with the parent. */
struct stress_result {
	unsigned long done[STRESS_KINDS], failed[STRESS_KINDS];
	unsigned long reasons_to[REASONS], reasons_from[REASONS];
	unsigned long evicted, checked;
	/* What it is at, for a thread that hangs. */
	unsigned long number;
	enum stress_kind at;
};

/* Shared by all processes. */
struct stress_shared {
	/* Set once, by whoever is first. */
	atomic_bool stop, leave, gone, wrong;
	/* At "leave": threads that use the device no more, processes that have closed it. */
	atomic_uint leaving, left;
	/* The first thing that was wrong. */
	char text[STRESS_TEXT];
	struct stress_result results[];
};

struct stress_options {
	unsigned long seconds, leave, processes, threads, pages, print;
	uint64_t seed;
	/* A disk for direct I/O, or -1 */
	int disk;
};

/* What a page holds: words that derive from where, when and by whom it was written. */
struct stress_page {
	uint64_t written_at;
	uint32_t process;
	/* 0: nothing but zeros */
	uint32_t generation;
	/* Given to the kernel with MADV_FREE: zeros are as good. */
	bool free;
	/* Protected against access or writing. */
	bool guarded;
};

struct stress_thread {
	const struct stress_options *options;
	struct stress_shared *shared;
	struct stress_result *result;
	unsigned int process, nr;
	uint64_t random;
	uint32_t generation;
	/* The process's memory, and this thread's own part of it. */
	char *arena, *slice;
	struct stress_page *pages;
	/* The device; -1 once the thread has left it. */
	int fd;
	int pipe[2];
	/* -1: none */
	int pkey, ring;
	unsigned char *reasons, *buffer;
};

/* stress_page.c */
/* In the thread's generation. */
void stress_page_fill(const struct stress_thread *thread,
		      struct stress_page *page, void *addr);
/* The offset of the first wrong byte of a copy of the page, or -1. */
long stress_page_check(const struct stress_page *page, const void *copy);

/* stress_op.c */
const char *stress_name(enum stress_kind kind);
uint64_t stress_seed(uint64_t seed, unsigned int process, unsigned int thread);
struct stress_op stress_draw(struct stress_thread *thread);
/* Tell that something is wrong; all ends with the first of it. */
void stress_wrong(struct stress_thread *thread, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* stress_device.c */
void stress_migrate(struct stress_thread *thread, unsigned long cmd, char *addr,
		    size_t pages, unsigned int flags);
/* Have all of the pages on the device, on which nothing else has an eye. */
void stress_settle(struct stress_thread *thread, char *addr, size_t pages);
void stress_query(struct stress_thread *thread, char *addr, size_t pages);
void stress_evict(struct stress_thread *thread);

/* stress_io.c */
#define STRESS_BUFFER_PAGES	16UL
void stress_readv(struct stress_thread *thread, const struct stress_op *op);
void stress_writev(struct stress_thread *thread, const struct stress_op *op);
void stress_vmsplice(struct stress_thread *thread, const struct stress_op *op);
void stress_direct(struct stress_thread *thread, const struct stress_op *op);

/* stress_hold.c */
#define STRESS_HELD_PAGES	64UL
int stress_ring(void);
void stress_register(struct stress_thread *thread, const struct stress_op *op);
void stress_uffd(struct stress_thread *thread, const struct stress_op *op);

/* stress_run.c */
void stress_map(struct stress_thread *thread, size_t first, size_t count,
		int flags);
/* Make protected pages of the range usable again. */
void stress_unguard(struct stress_thread *thread, size_t first, size_t count);
/* Does the copy hold what the pages from first on should? */
void stress_check_copy(struct stress_thread *thread, size_t first, size_t count,
		       const void *copy);
void stress_verify(struct stress_thread *thread, size_t first, size_t count);
void stress_run(struct stress_thread *thread, const struct stress_op *op);

#endif /* DEVPUB_TESTS_STRESS_H */
