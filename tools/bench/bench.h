/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The operations that the benchmark measures, and the parameters of a measurement. */
#ifndef DEVPUB_TOOLS_BENCH_H
#define DEVPUB_TOOLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096UL

/* Kind of memory before it moves. */
enum source {
	SOURCE_SMALL,	/* 4 KiB pages */
	SOURCE_THP,	/* huge pages, if the kernel provides them */
	SOURCE_FORKED,	/* shared with a child, copy-on-write */
	SOURCE_THREADS,	/* memory of a process with a second running thread */
	SOURCES,
};

extern const char *const source_names[SOURCES];

/**
 * struct bench - one measurement, in a process of its own
 * @device: number of the device
 * @pages: number of pages to move
 * @source: kind of memory
 * @workers: workers in the struct of each call; 0: the module chooses
 * @profile: mark the timed part for scripts/profile.c
 */
struct bench {
	unsigned int device;
	size_t pages;
	enum source source;
	unsigned int workers;
	bool profile;
};

/* What the machine must have. */
enum needs {
	NEEDS_NOTHING,
	NEEDS_DEVICE,	/* the device */
	NEEDS_NODES,	/* two NUMA nodes */
	NEEDS_PEER,	/* the kernel's HMM test module */
};

/* The first coherent device of the kernel's HMM test module. */
#define BENCH_PEER	"/dev/hmm_dmirror2"

struct subject {
	const char *name;
	const char *help;
	/* Run one repetition.  Return the measured time in nanoseconds. */
	uint64_t (*run)(const struct bench *bench);
	/* uses @source */
	bool sourced;
	/* uses @workers */
	bool parallel;
	enum needs needs;
};

extern const struct subject subjects[];
extern const size_t nr_subjects;

/* Return why this can't be measured on this machine, or NULL. */
const char *bench_lacks(const struct subject *subject, const struct bench *bench);

/* The memory that this process moves, and its parts, for the files of subjects. */
extern unsigned char *bench_memory;

/* Allocate the memory.  Small pages are reused for all repetitions. */
void bench_prepare(const struct bench *bench);

/* End the measurement if the memory has another content. */
void bench_check(const struct bench *bench);

/* Make devices forget where the pages of the memory are. */
void bench_invalidate(const struct bench *bench);

/* Return other memory of the same size, which is populated. */
void *bench_buffer(const struct bench *bench);

/* Return a file descriptor of the device. */
int bench_device(const struct bench *bench);

/* Return the time at the begin of the timed part, and its duration at the end. */
uint64_t bench_timed_begin(const struct bench *bench);
uint64_t bench_timed_end(const struct bench *bench, uint64_t begun);

/* Subjects of other files. */
uint64_t bench_run_read(const struct bench *bench);
uint64_t bench_run_read_miss(const struct bench *bench);
uint64_t bench_run_copy(const struct bench *bench);
uint64_t bench_run_memcpy(const struct bench *bench);
uint64_t bench_run_peer_hit(const struct bench *bench);
uint64_t bench_run_peer_miss(const struct bench *bench);
uint64_t bench_run_peer_to(const struct bench *bench);
uint64_t bench_run_peer_read(const struct bench *bench);
uint64_t bench_run_peer_from(const struct bench *bench);

/* End this process with a message for the table. */
__attribute__((noreturn, format(printf, 1, 2)))
void bench_die(const char *format, ...);

#endif /* DEVPUB_TOOLS_BENCH_H */
