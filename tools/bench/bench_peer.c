// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Operations that the benchmark measures: those of the kernel's HMM test module. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"

/* lib/test_hmm_uapi.h */
struct peer_command {
	uint64_t addr, ptr, npages, cpages, faults;
};
#define PEER_READ	_IOWR('H', 0x00, struct peer_command)
#define PEER_TO		_IOWR('H', 0x02, struct peer_command)
#define PEER_FROM	_IOWR('H', 0x03, struct peer_command)

static void peer(const struct bench *bench, unsigned long command)
{
	static int fd = -1;
	struct peer_command arg = {
		.addr = (uintptr_t)bench_memory,
		.ptr = (uintptr_t)bench_buffer(bench),
		.npages = bench->pages,
	};

	if (fd < 0)
		fd = open(BENCH_PEER, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, command, &arg))
		bench_die("%s: %s", BENCH_PEER, strerror(errno));
	if (arg.cpages != bench->pages)
		bench_die("%s: %llu of %zu pages", BENCH_PEER, (unsigned long long)arg.cpages,
			  bench->pages);
}

static uint64_t peer_timed(const struct bench *bench, unsigned long command)
{
	uint64_t took = bench_timed_begin(bench);

	peer(bench, command);
	return bench_timed_end(bench, took);
}

uint64_t bench_run_peer_to(const struct bench *bench)
{
	uint64_t took;

	bench_prepare(bench);
	took = peer_timed(bench, PEER_TO);
	peer(bench, PEER_FROM);
	bench_check(bench);
	return took;
}

uint64_t bench_run_peer_read(const struct bench *bench)
{
	uint64_t took;

	bench_prepare(bench);
	peer(bench, PEER_TO);
	took = peer_timed(bench, PEER_READ);
	peer(bench, PEER_FROM);
	return took;
}

uint64_t bench_run_peer_from(const struct bench *bench)
{
	uint64_t took;

	bench_prepare(bench);
	peer(bench, PEER_TO);
	took = peer_timed(bench, PEER_FROM);
	bench_check(bench);
	return took;
}

/* The next two read memory where it is, as the device's read of bench_access.c does. */
uint64_t bench_run_peer_hit(const struct bench *bench)
{
	bench_prepare(bench);
	peer(bench, PEER_READ);
	return peer_timed(bench, PEER_READ);
}

uint64_t bench_run_peer_miss(const struct bench *bench)
{
	bench_prepare(bench);
	bench_invalidate(bench);
	return peer_timed(bench, PEER_READ);
}
