// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Threads that use memory while another thread migrates it both ways. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

/* More than a window. */
#define PAGES	600UL
#define ROUNDS	3
#define WORDS	(PAGE / sizeof(uint64_t))

static atomic_bool stop;

struct writer {
	uint64_t *addr;
	size_t pages;
	/* Each writer has its own word in every page. */
	unsigned int word;
	uint64_t turns;
};

/* A word that differs from the thread's last write is a lost or torn update. */
static void *count_up(void *data)
{
	struct writer *writer = data;

	while (!atomic_load(&stop)) {
		for (size_t i = 0; i < writer->pages; i++) {
			volatile uint64_t *word =
				&writer->addr[i * WORDS + writer->word];

			if (*word != writer->turns)
				FAIL("page %zu: %llu instead of %llu", i,
				     (unsigned long long)*word,
				     (unsigned long long)writer->turns);
			*word = writer->turns + 1;
		}
		writer->turns++;
	}
	return NULL;
}

/* Threads write to the same pages, each to its own words. */
CASE(writers)
{
	struct writer writer[2];
	pthread_t thread[2];
	const unsigned int rounds = test_rounds(ROUNDS);
	int fd = device_open();
	uint64_t *addr = mem_map(PAGES);
	unsigned long moved = 0;

	memset(addr, 0, PAGES * PAGE);
	for (int i = 0; i < 2; i++) {
		writer[i] = (struct writer) {
			.addr = addr, .pages = PAGES, .word = 200 + i,
		};
		CHECK_EQ(pthread_create(&thread[i], NULL, count_up, &writer[i]),
			 0);
	}
	for (unsigned int i = 0; i < rounds; i++) {
		moved += to_device_once(fd, addr, PAGES)
			.pages[DEVPUB_REASON_MOVED];
		moved += to_system_once(fd, addr, PAGES)
			.pages[DEVPUB_REASON_MOVED];
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	CHECK_CMP(moved, >, PAGES * rounds);
	for (int i = 0; i < 2; i++) {
		CHECK_CMP(writer[i].turns, >, 0);
		for (size_t j = 0; j < PAGES; j++)
			CHECK_EQ(addr[j * WORDS + 200 + i], writer[i].turns);
	}
}

static atomic_ullong *shared_words;

static void *add_up(void *data)
{
	unsigned long long *turns = data;

	while (!atomic_load(&stop)) {
		for (size_t i = 0; i < PAGES; i++)
			atomic_fetch_add(&shared_words[i * WORDS], 1);
		(*turns)++;
	}
	return NULL;
}

/* Atomic operations of several processors on the same words. */
CASE(atomics)
{
	unsigned long long turns[2] = { 0, 0 };
	const unsigned int rounds = test_rounds(ROUNDS);
	pthread_t thread[2];
	int fd = device_open();

	shared_words = mem_map(PAGES);
	memset(shared_words, 0, PAGES * PAGE);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, add_up, &turns[i]), 0);
	for (unsigned int i = 0; i < rounds; i++) {
		to_device_once(fd, shared_words, PAGES);
		to_system_once(fd, shared_words, PAGES);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(atomic_load(&shared_words[i * WORDS]),
			 turns[0] + turns[1]);
}

struct migrator {
	char *addr;
	size_t pages;
};

static void *migrate(void *data)
{
	const unsigned int rounds = test_rounds(ROUNDS);
	struct migrator *own = data;
	int fd = device_open();

	for (unsigned int i = 0; i < rounds; i++) {
		to_device_once(fd, own->addr, own->pages);
		to_system_once(fd, own->addr, own->pages);
	}
	return NULL;
}

/* Threads migrate overlapping ranges of one address space. */
CASE(overlapping_migrations)
{
	struct migrator own[2];
	pthread_t thread[2];
	char *addr = mem_new(PAGES, 1);

	for (int i = 0; i < 2; i++) {
		own[i].addr = addr + i * PAGES / 3 * PAGE;
		own[i].pages = PAGES * 2 / 3;
		CHECK_EQ(pthread_create(&thread[i], NULL, migrate, &own[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	mem_check(addr, PAGES, 1);
}

static void *remap(void *data)
{
	char *addr = data;

	while (!atomic_load(&stop)) {
		CHECK_CALL(munmap(addr + PAGES / 4 * PAGE, PAGES / 4 * PAGE));
		CHECK(mmap(addr + PAGES / 4 * PAGE, PAGES / 4 * PAGE,
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
		      MAP_FAILED);
		memset(addr + PAGES / 4 * PAGE, 5, PAGES / 4 * PAGE);
		CHECK_CALL(madvise(addr + PAGES / 2 * PAGE, PAGES / 4 * PAGE,
				   MADV_DONTNEED));
		CHECK_CALL(mprotect(addr, PAGES / 8 * PAGE, PROT_READ));
		CHECK_CALL(mprotect(addr, PAGES / 8 * PAGE,
				    PROT_READ | PROT_WRITE));
	}
	return NULL;
}

/* The range is unmapped, mapped and split during the migration. */
CASE(changing_mappings)
{
	const unsigned int rounds = test_rounds(ROUNDS);
	pthread_t thread;
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);

	CHECK_EQ(pthread_create(&thread, NULL, remap, addr), 0);
	for (unsigned int i = 0; i < 2 * rounds; i++) {
		to_device_once(fd, addr, PAGES);
		to_system_once(fd, addr, PAGES);
	}
	atomic_store(&stop, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_check(addr, PAGES / 4, 1);
}
