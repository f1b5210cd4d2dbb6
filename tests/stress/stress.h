/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of the stress share. */
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
 * An operation.  Only the seed determines it, not the results of earlier operations, so a
 * thread's operations are the same in each run.
 */
struct stress_op {
	enum stress_kind kind;
	/* Pages of the thread's slice; for some kinds, of the arena of the whole process. */
	size_t first, count;
	/* For mremap: pages from the start of the range to its destination. */
	size_t distance;
	unsigned int flags;
};

/* The results of a thread's operations, in memory shared with the parent. */
struct stress_result {
	unsigned long done[STRESS_KINDS], failed[STRESS_KINDS];
	unsigned long reasons_to[REASONS], reasons_from[REASONS];
	unsigned long evicted, checked;
	/* The current operation, which tells where a thread hangs. */
	unsigned long number;
	enum stress_kind at;
};

/* Shared by all processes. */
struct stress_shared {
	/* Each is set once, by the first that needs it. */
	atomic_bool stop, leave, gone, wrong;
	/* After "leave": threads that no longer use the device, processes that closed it. */
	atomic_uint leaving, left;
	/* The first fault that was found. */
	char text[STRESS_TEXT];
	struct stress_result results[];
};

struct stress_options {
	unsigned long seconds, leave, processes, threads, pages, print;
	uint64_t seed;
	/* A disk for direct I/O, or -1. */
	int disk;
};

/* The contents of a page: words computed from the address, the generation and the process. */
struct stress_page {
	uint64_t written_at;
	uint32_t process;
	/* 0: the page contains only zeros. */
	uint32_t generation;
	/* After MADV_FREE, the page may also contain zeros. */
	bool free;
	/* mprotect() forbids access or writes. */
	bool guarded;
};

struct stress_thread {
	const struct stress_options *options;
	struct stress_shared *shared;
	struct stress_result *result;
	unsigned int process, nr;
	uint64_t random;
	uint32_t generation;
	/* The memory of the process, and the part of it that only this thread changes. */
	char *arena, *slice;
	struct stress_page *pages;
	/* The device, or -1 after the thread has left it. */
	int fd;
	int pipe[2];
	/* -1 if there is none. */
	int pkey, ring;
	unsigned char *reasons, *buffer;
};

/* stress_page.c */
/* Fill the page with the contents of the thread's current generation. */
void stress_page_fill(const struct stress_thread *thread,
		      struct stress_page *page, void *addr);
/* Return the offset of the first wrong byte in a copy of the page, or -1. */
long stress_page_check(const struct stress_page *page, const void *copy);

/* stress_op.c */
const char *stress_name(enum stress_kind kind);
uint64_t stress_seed(uint64_t seed, unsigned int process, unsigned int thread);
struct stress_op stress_draw(struct stress_thread *thread);
/* Report a fault.  The first one ends the stress. */
void stress_wrong(struct stress_thread *thread, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* stress_device.c */
void stress_migrate(struct stress_thread *thread, unsigned long cmd, char *addr,
		    size_t pages, unsigned int flags);
/* Move all of these pages to the device.  Nothing else uses them. */
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
/* Allow access to all pages of the range again. */
void stress_unguard(struct stress_thread *thread, size_t first, size_t count);
/* Check a copy of the pages from @first against their expected contents. */
void stress_check_copy(struct stress_thread *thread, size_t first, size_t count,
		       const void *copy);
void stress_verify(struct stress_thread *thread, size_t first, size_t count);
void stress_run(struct stress_thread *thread, const struct stress_op *op);

#endif /* DEVPUB_TESTS_STRESS_H */
