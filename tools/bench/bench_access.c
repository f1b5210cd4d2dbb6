// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Operations that the benchmark measures: what the device does with memory, and memcpy. */
#include <errno.h>
#include <linux/devpub.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"

/* What the kernel does to the memory meanwhile makes an attempt fault. */
#define ATTEMPTS	8

/* Let the device access the memory.  Returns the number of faults. */
static uint64_t access_memory(const struct bench *bench, struct devpub_access arg)
{
	static bool bound;
	struct devpub_bind bind = { 0 };

	if (!bound && ioctl(bench_device(bench), DEVPUB_IOC_BIND, &bind))
		bench_die("bind: %s", strerror(errno));
	bound = true;
	arg.length = bench->pages * PAGE;
	if (ioctl(bench_device(bench), DEVPUB_IOC_ACCESS, &arg))
		bench_die("access: %s", strerror(errno));
	return arg.faults;
}

/* Measure an access after one that has filled the device's page tables. */
static uint64_t access_twice(const struct bench *bench, const struct devpub_access *arg)
{
	uint64_t took, faults;

	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		bench_invalidate(bench);
		access_memory(bench, *arg);
		took = bench_timed_begin(bench);
		faults = access_memory(bench, *arg);
		took = bench_timed_end(bench, took);
		if (!faults)
			return took;
	}
	bench_die("the device's page tables do not keep %zu pages: use fewer, they keep 128 MiB at most",
		  bench->pages);
}

static struct devpub_access read_command(const struct bench *bench)
{
	bench_prepare(bench);
	return (struct devpub_access) {
		.op = DEVPUB_OP_READ,
		.addr = (uintptr_t)bench_memory,
		.buffer = (uintptr_t)bench_buffer(bench),
	};
}

uint64_t bench_run_read(const struct bench *bench)
{
	const struct devpub_access arg = read_command(bench);

	return access_twice(bench, &arg);
}

uint64_t bench_run_read_miss(const struct bench *bench)
{
	const struct devpub_access arg = read_command(bench);
	uint64_t took;

	bench_invalidate(bench);
	took = bench_timed_begin(bench);
	if (!access_memory(bench, arg))
		bench_die("no fault of the device");
	return bench_timed_end(bench, took);
}

uint64_t bench_run_copy(const struct bench *bench)
{
	struct devpub_access arg = {
		.op = DEVPUB_OP_COPY,
		.addr = (uintptr_t)bench_buffer(bench),
	};
	uint64_t took;

	bench_prepare(bench);
	arg.other = (uintptr_t)bench_memory;
	took = access_twice(bench, &arg);
	if (memcmp(bench_buffer(bench), bench_memory, bench->pages * PAGE))
		bench_die("the copy differs");
	return took;
}

uint64_t bench_run_memcpy(const struct bench *bench)
{
	unsigned char *copy = bench_buffer(bench);
	uint64_t took;

	bench_prepare(bench);
	took = bench_timed_begin(bench);
	memcpy(copy, bench_memory, bench->pages * PAGE);
	asm volatile("" : : "r"(copy) : "memory");
	return bench_timed_end(bench, took);
}
