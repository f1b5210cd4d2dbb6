/* SPDX-License-Identifier: GPL-2.0 */
/* What the benchmark measures, and how one measurement is made. */
#ifndef DEVPUB_TOOLS_BENCH_H
#define DEVPUB_TOOLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096UL

/* What the memory is before it moves. */
enum source {
	SOURCE_SMALL,	/* 4 KiB pages */
	SOURCE_THP,	/* huge pages, where the kernel gives them */
	SOURCE_FORKED,	/* shared with a child, copy-on-write */
	SOURCE_THREADS,	/* of a process with another thread that runs */
	SOURCES,
};

extern const char *const source_names[SOURCES];

/**
 * struct bench - one measurement, in a process of its own
 * @device: number of the device
 * @pages: how many pages are moved
 * @source: what they are
 * @workers: what is asked for in each call, 0 = the module chooses
 * @profile: mark the timed part for scripts/profile.c
 */
struct bench {
	unsigned int device;
	size_t pages;
	enum source source;
	unsigned int workers;
	bool profile;
};

struct subject {
	const char *name;
	const char *help;
	/* Does one repetition, and returns the nanoseconds that count. */
	uint64_t (*run)(const struct bench *bench);
	/* Takes what the memory is from @source. */
	bool sourced;
	/* Takes @workers. */
	bool parallel;
};

extern const struct subject subjects[];
extern const size_t nr_subjects;

/* Why this can't be measured here, or NULL. */
const char *bench_lacks(const struct subject *subject, const struct bench *bench);

/* Ends this process, with a message that reaches the table. */
__attribute__((noreturn, format(printf, 1, 2)))
void bench_die(const char *format, ...);

#endif /* DEVPUB_TOOLS_BENCH_H */
