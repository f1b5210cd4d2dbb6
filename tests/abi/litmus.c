// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Litmus tests: a CPU and the device access the same memory, while its pages move to and fro.
 *
 * A command of the device is complete when its call returns, so the commands of a thread are
 * ordered.  The CPU's accesses are ordered as the C memory model says, which is what x86 and
 * arm64 guarantee.  Each case counts the outcomes that this order forbids.
 *
 * Both sides run through an array of instances of the test.  The CPU waits until the device
 * begins an instance, and then for a part of the time that the device takes: each instance
 * meets another overlap of the two sides.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "device.h"
#include "harness.h"
#include "mem.h"

/* An instance has a location in each of two pages. */
#define INSTANCES	(PAGE / sizeof(uint64_t))
#define BATCHES		8U
/* With FULL=1, the six cases have a million instances together. */
#define FULL_BATCHES	(1000000 / 6 / INSTANCES + 1)

/* Coherence: the values that are written one after the other. */
#define FIRST	0x1111111111111111ULL
#define SECOND	0x2222222222222222ULL

/* A value that was read is 0, the first or only one, the second one, or none of these. */
#define VALUES	4U

struct litmus {
	_Atomic uint64_t *x, *y;
	/* What an instance has read: the outcome. */
	uint64_t seen[INSTANCES][2];
	unsigned long outcomes[VALUES][VALUES];
	void (*on_cpu)(struct litmus *litmus, size_t i);
	void (*on_device)(struct litmus *litmus, int fd, size_t i);
	/* The outcome of an instance must not be. */
	bool (*forbidden)(const struct litmus *litmus, size_t i);
	pthread_barrier_t barrier;
	unsigned int batches;
	/* Number of instances of the batch that the device has begun. */
	atomic_size_t begun;
	/* Duration of the device's last instance, in nanoseconds. */
	_Atomic uint64_t duration;
	atomic_bool end;
	int fd;
	/* They run from begin() to end(). */
	pid_t evictor;
	pthread_t mover, device_side;
};

static void device_write(int fd, _Atomic uint64_t *to, uint64_t value)
{
	access_write(fd, (void *)to, &value, sizeof(value));
}

static uint64_t device_read(int fd, const _Atomic uint64_t *from)
{
	uint64_t value;

	access_read(fd, (const void *)from, &value, sizeof(value));
	return value;
}

/* The pages move until the case ends. */
static void *mover(void *data)
{
	struct litmus *litmus = data;
	void *addr[] = { (void *)litmus->x, (void *)litmus->y };
	int fd = device_open();

	for (unsigned int i = 0; !litmus->end; i++) {
		to_device_once(fd, addr[i % 2], 1);
		test_sleep(i % 3);
		to_system_once(fd, addr[i % 5 % 2], 1);
	}
	close(fd);
	return NULL;
}

static pid_t evictor(void)
{
	struct devpub_evict arg;
	pid_t pid = test_fork();
	int fd;

	if (pid)
		return pid;
	fd = device_open();
	for (;;) {
		arg = (struct devpub_evict) { 0 };
		CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
		test_sleep(7);
	}
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void *device_side(void *data)
{
	struct litmus *litmus = data;

	for (unsigned int batch = 0; batch < litmus->batches; batch++) {
		pthread_barrier_wait(&litmus->barrier);
		for (size_t i = 0; i < INSTANCES; i++) {
			uint64_t start = nanoseconds();

			litmus->begun = i + 1;
			litmus->on_device(litmus, litmus->fd, i);
			litmus->duration = nanoseconds() - start;
		}
		pthread_barrier_wait(&litmus->barrier);
	}
	return NULL;
}

/* Wait until the device is somewhere in the instance, or behind it. */
static void meet_device(struct litmus *litmus, size_t i)
{
	static unsigned int seed;
	uint64_t end;

	while (litmus->begun <= i)
		sched_yield();
	end = nanoseconds() + litmus->duration * (rand_r(&seed) % 1000) / 1000;
	while (litmus->begun == i + 1 && nanoseconds() < end)
		;
}

/* The CPU is faster than the device. */
static void pause_for(size_t i)
{
	for (volatile size_t n = i * 37 % 4000; n--; )
		;
}

static unsigned int which_value(uint64_t seen)
{
	switch (seen) {
	case 0:
		return 0;
	case 1:
	case FIRST:
		return 1;
	case SECOND:
		return 2;
	default:
		return 3;
	}
}

/*
 * Print how often each outcome was seen, as the numbers of the two values that were read.  The
 * case proves nothing if one side was always first.
 */
static void note_outcomes(const struct litmus *litmus)
{
	char text[VALUES * VALUES * 32];
	unsigned int different = 0;
	size_t length = 0;

	for (unsigned int i = 0; i < VALUES * VALUES; i++) {
		unsigned long n = litmus->outcomes[i / VALUES][i % VALUES];

		if (!n)
			continue;
		different++;
		length += snprintf(text + length, sizeof(text) - length, ", %u %u: %lu",
				   i / VALUES, i % VALUES, n);
	}
	test_note("of %zu instances read%s", litmus->batches * INSTANCES, text);
	CHECK_CMP(different, >, 1);
}

static unsigned long cpu_side(struct litmus *litmus)
{
	unsigned long forbidden = 0;

	for (unsigned int batch = 0; batch < litmus->batches; batch++) {
		for (size_t i = 0; i < INSTANCES; i++)
			litmus->x[i] = litmus->y[i] = 0;
		litmus->begun = 0;
		pthread_barrier_wait(&litmus->barrier);
		for (size_t i = 0; i < INSTANCES; i++) {
			meet_device(litmus, i);
			litmus->on_cpu(litmus, i);
		}
		pthread_barrier_wait(&litmus->barrier);
		for (size_t i = 0; i < INSTANCES; i++) {
			unsigned int first = which_value(litmus->seen[i][0]);

			litmus->outcomes[first][which_value(litmus->seen[i][1])]++;
			forbidden += litmus->forbidden(litmus, i);
		}
	}
	return forbidden;
}

/* Start what moves the pages, and the device's side of the case. */
static void begin(struct litmus *litmus, void *(*device_side)(void *litmus))
{
	litmus->evictor = evictor();
	litmus->x = memset(mem_map(1), 0, PAGE);
	litmus->y = memset(mem_map(1), 0, PAGE);
	litmus->fd = access_open();
	litmus->batches = test_rounds_of(BATCHES, FULL_BATCHES);
	CHECK_EQ(pthread_create(&litmus->mover, NULL, mover, litmus), 0);
	CHECK_EQ(pthread_create(&litmus->device_side, NULL, device_side, litmus), 0);
}

static void end(struct litmus *litmus)
{
	CHECK_EQ(pthread_join(litmus->device_side, NULL), 0);
	litmus->end = true;
	CHECK_EQ(pthread_join(litmus->mover, NULL), 0);
	test_kill(litmus->evictor);
	test_note("pages moved to the device: %llu, evicted: %llu",
		  device_counter(litmus->fd, "migrated_to"),
		  device_counter(litmus->fd, "evicted"));
	CHECK_CMP(device_counter(litmus->fd, "migrated_to"), >, 0);
}

static void run(void (*on_cpu)(struct litmus *litmus, size_t i),
		void (*on_device)(struct litmus *litmus, int fd, size_t i),
		bool (*forbidden)(const struct litmus *litmus, size_t i))
{
	static struct litmus litmus;
	unsigned long count;

	litmus.on_cpu = on_cpu;
	litmus.on_device = on_device;
	litmus.forbidden = forbidden;
	CHECK_EQ(pthread_barrier_init(&litmus.barrier, NULL, 2), 0);
	begin(&litmus, device_side);
	count = cpu_side(&litmus);
	end(&litmus);
	note_outcomes(&litmus);
	CHECK_EQ(count, 0);
}

/* Message passing: the data is there when the flag is. */
static void cpu_reads_message(struct litmus *litmus, size_t i)
{
	litmus->seen[i][0] = atomic_load_explicit(&litmus->y[i], memory_order_acquire);
	litmus->seen[i][1] = atomic_load_explicit(&litmus->x[i], memory_order_relaxed);
}

static void device_writes_message(struct litmus *litmus, int fd, size_t i)
{
	device_write(fd, &litmus->x[i], 1);
	device_write(fd, &litmus->y[i], 1);
}

static bool cpu_missed_message(const struct litmus *litmus, size_t i)
{
	return litmus->seen[i][0] && !litmus->seen[i][1];
}

CASE(message_to_cpu)
{
	run(cpu_reads_message, device_writes_message, cpu_missed_message);
}

static void cpu_writes_message(struct litmus *litmus, size_t i)
{
	atomic_store_explicit(&litmus->x[i], 1, memory_order_relaxed);
	atomic_store_explicit(&litmus->y[i], 1, memory_order_release);
}

static void device_reads_message(struct litmus *litmus, int fd, size_t i)
{
	litmus->seen[i][0] = device_read(fd, &litmus->y[i]);
	litmus->seen[i][1] = device_read(fd, &litmus->x[i]);
}

static bool device_missed_message(const struct litmus *litmus, size_t i)
{
	return litmus->seen[i][0] && !litmus->seen[i][1];
}

CASE(message_to_device)
{
	run(cpu_writes_message, device_reads_message, device_missed_message);
}

/* Store buffering: one of the two sees the other's write. */
static void cpu_stores(struct litmus *litmus, size_t i)
{
	atomic_store_explicit(&litmus->x[i], 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	litmus->seen[i][0] = atomic_load_explicit(&litmus->y[i], memory_order_relaxed);
}

static void device_stores(struct litmus *litmus, int fd, size_t i)
{
	device_write(fd, &litmus->y[i], 1);
	litmus->seen[i][1] = device_read(fd, &litmus->x[i]);
}

static bool none_stored(const struct litmus *litmus, size_t i)
{
	return !litmus->seen[i][0] && !litmus->seen[i][1];
}

CASE(store_buffering)
{
	run(cpu_stores, device_stores, none_stored);
}

/* Load buffering: no read sees a write that comes after the other's read. */
static void cpu_loads(struct litmus *litmus, size_t i)
{
	litmus->seen[i][0] = atomic_load_explicit(&litmus->x[i], memory_order_acquire);
	atomic_store_explicit(&litmus->y[i], 1, memory_order_release);
}

static void device_loads(struct litmus *litmus, int fd, size_t i)
{
	litmus->seen[i][1] = device_read(fd, &litmus->y[i]);
	device_write(fd, &litmus->x[i], 1);
}

static bool both_loaded(const struct litmus *litmus, size_t i)
{
	return litmus->seen[i][0] && litmus->seen[i][1];
}

CASE(load_buffering)
{
	run(cpu_loads, device_loads, both_loaded);
}

/* Coherence: one location has one order of writes, and no read sees a part of one. */

static bool is_disorder(const uint64_t seen[2])
{
	for (int i = 0; i < 2; i++)
		if (seen[i] && seen[i] != FIRST && seen[i] != SECOND)
			return true;
	return seen[1] < seen[0];
}

static void cpu_reads_twice(struct litmus *litmus, size_t i)
{
	litmus->seen[i][0] = atomic_load_explicit(&litmus->x[i], memory_order_relaxed);
	litmus->seen[i][1] = atomic_load_explicit(&litmus->x[i], memory_order_relaxed);
}

static void device_writes_twice(struct litmus *litmus, int fd, size_t i)
{
	device_write(fd, &litmus->x[i], FIRST);
	device_write(fd, &litmus->x[i], SECOND);
}

static bool cpu_saw_disorder(const struct litmus *litmus, size_t i)
{
	return is_disorder(litmus->seen[i]) || litmus->x[i] != SECOND;
}

CASE(coherence_of_reads)
{
	run(cpu_reads_twice, device_writes_twice, cpu_saw_disorder);
}

static void cpu_writes_twice(struct litmus *litmus, size_t i)
{
	atomic_store_explicit(&litmus->x[i], FIRST, memory_order_relaxed);
	atomic_store_explicit(&litmus->x[i], SECOND, memory_order_relaxed);
}

static void device_reads_twice(struct litmus *litmus, int fd, size_t i)
{
	litmus->seen[i][0] = device_read(fd, &litmus->x[i]);
	litmus->seen[i][1] = device_read(fd, &litmus->x[i]);
}

static bool device_saw_disorder(const struct litmus *litmus, size_t i)
{
	return is_disorder(litmus->seen[i]) || litmus->x[i] != SECOND;
}

CASE(coherence_of_writes)
{
	run(cpu_writes_twice, device_reads_twice, device_saw_disorder);
}

/*
 * One cache line: the CPU and the device add to two of its words, and each other's word must
 * stay whole.  The sums are exact.
 */
static void *device_adds(void *data)
{
	struct litmus *litmus = data;
	_Atomic uint64_t *line = litmus->x;

	for (size_t i = 0; i < litmus->batches * INSTANCES; i++) {
		access_atomic(litmus->fd, DEVPUB_OP_ADD, (void *)&line[0], 8, 3, 0);
		access_atomic(litmus->fd, DEVPUB_OP_ADD, (char *)&line[1] + 4, 4, 5, 0);
	}
	return NULL;
}

CASE(sums_on_one_line)
{
	static struct litmus litmus;
	_Atomic uint32_t *half;
	uint64_t n;

	begin(&litmus, device_adds);
	half = (_Atomic uint32_t *)&litmus.x[1];
	n = litmus.batches * INSTANCES;
	for (size_t i = 0; i < n; i++) {
		atomic_fetch_add(&litmus.x[0], 7);
		atomic_fetch_add(&half[0], 11);
		atomic_fetch_add(&half[1], 13);
		pause_for(i);
	}
	end(&litmus);
	CHECK_EQ(litmus.x[0], 10 * n);
	CHECK_EQ(half[0], (uint32_t)(11 * n));
	CHECK_EQ(half[1], (uint32_t)(18 * n));
}

/* A lock that the CPU and the device both take keeps what it protects whole. */
static void *device_locks(void *data)
{
	struct litmus *litmus = data;
	_Atomic uint64_t *lock = &litmus->x[0], *sum = &litmus->y[0];

	for (size_t i = 0; i < litmus->batches * INSTANCES / 8; i++) {
		while (access_atomic(litmus->fd, DEVPUB_OP_COMPARE_EXCHANGE, (void *)lock, 8,
				     1, 0))
			;
		device_write(litmus->fd, sum, device_read(litmus->fd, sum) + 1);
		CHECK_EQ(access_atomic(litmus->fd, DEVPUB_OP_EXCHANGE, (void *)lock, 8, 0, 0), 1);
	}
	return NULL;
}

CASE(lock_of_both)
{
	static struct litmus litmus;
	uint64_t free, n;

	begin(&litmus, device_locks);
	n = litmus.batches * INSTANCES / 8;
	for (size_t i = 0; i < n; i++) {
		while (free = 0, !atomic_compare_exchange_weak(&litmus.x[0], &free, 2))
			;
		atomic_store_explicit(&litmus.y[0],
				      atomic_load_explicit(&litmus.y[0], memory_order_relaxed) + 1,
				      memory_order_relaxed);
		atomic_store(&litmus.x[0], 0);
		pause_for(i);
	}
	end(&litmus);
	CHECK_EQ(litmus.y[0], 2 * n);
}
