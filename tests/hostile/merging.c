// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* KSM merges pages of a process while a related process moves them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "user.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define PAGES		1024UL
#define CONTENTS	8
#define GENERATION_MS	1500

/* The fork that makes relatives is what there is a limited number of pages for. */
struct scene {
	char *addr;
	int fd;
	/* Time to stop for this generation. */
	unsigned long long end;
};

static void fill(char *addr)
{
	for (size_t i = 0; i < PAGES; i++)
		mem_fill(addr + i * PAGE, 1, i % CONTENTS);
}

static void check(const char *addr)
{
	for (size_t i = 0; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, i % CONTENTS);
}

static bool goes_on(const struct scene *scene)
{
	return test_milliseconds() < scene->end;
}

/* Move the pages, and replace some by own copies now and then. */
static void moves(struct scene *scene)
{
	for (unsigned int i = 0; goes_on(scene); i++) {
		to_device_once(scene->fd, scene->addr, PAGES);
		check(scene->addr);
		to_system_once(scene->fd, scene->addr, PAGES);
		check(scene->addr);
		if (i % 4 == 3)
			mem_fill(scene->addr + i % PAGES * PAGE, 1,
				 i % PAGES % CONTENTS);
	}
}

static void merge(struct scene *scene)
{
	CHECK_CALL(madvise(scene->addr, PAGES * PAGE, MADV_MERGEABLE));
}

static void merges(struct scene *scene)
{
	merge(scene);
	while (goes_on(scene)) {
		check(scene->addr);
		test_sleep(50);
	}
}

static void merges_all(struct scene *scene)
{
	CHECK_CALL(prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	while (goes_on(scene)) {
		check(scene->addr);
		test_sleep(50);
	}
}

/* Pages are merged and unmerged all the time. */
static void merges_and_parts(struct scene *scene)
{
	for (unsigned int i = 0; goes_on(scene); i++) {
		merge(scene);
		test_sleep(i * 7 % 100);
		CHECK_CALL(madvise(scene->addr, PAGES * PAGE, MADV_UNMERGEABLE));
		check(scene->addr);
	}
}

/* Whose children have what may be merged, and end in the middle. */
static void has_short_lived_children(struct scene *scene)
{
	for (unsigned int i = 0; goes_on(scene); i++) {
		pid_t pid = test_fork();

		if (pid == 0) {
			merge(scene);
			test_sleep(i * 37 % 300);
			check(scene->addr);
			if (i % 2)
				CHECK_CALL(munmap(scene->addr, PAGES * PAGE));
			_exit(0);
		}
		test_wait(pid);
	}
}

static void *map_and_unmap(void *data)
{
	const struct scene *scene = data;

	while (goes_on(scene)) {
		char *addr = mem_map(64);

		CHECK_CALL(mprotect(addr + PAGE, PAGE, PROT_READ));
		CHECK_CALL(munmap(addr, 64 * PAGE));
	}
	return NULL;
}

/* A process whose mmap_lock is taken for writing as often as possible. */
static void merges_with_lock_taken(struct scene *scene)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, map_and_unmap, scene), 0);
	merges(scene);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
}

/* The grandchild moves pages; its parent has exited. */
static void moves_as_grandchild(struct scene *scene)
{
	pid_t pid = fork();

	CHECK_CALL(pid);
	if (pid) {
		CHECK_CALL(munmap(scene->addr, PAGES * PAGE));
		test_wait(pid);
		return;
	}
	moves(scene);
	fflush(stdout);
	_exit(0);
}

/* Generations of processes, each with new pages that a fork shares. */
static void play(void (*parent)(struct scene *), void (*child)(struct scene *),
		 unsigned int seconds)
{
	unsigned long long end = test_milliseconds() + seconds * 1000ULL;
	pid_t attacker = user_fork(ATTACKER);

	if (attacker) {
		test_wait(attacker);
		return;
	}
	while (test_milliseconds() < end) {
		struct scene scene = { .addr = mem_map(PAGES), .fd = device_open() };
		pid_t pid;

		fill(scene.addr);
		scene.end = test_milliseconds() + GENERATION_MS;
		pid = test_fork();
		if (pid == 0) {
			child(&scene);
			fflush(stdout);
			_exit(0);
		}
		parent(&scene);
		test_wait(pid);
		check(scene.addr);
		CHECK_CALL(munmap(scene.addr, PAGES * PAGE));
		close(scene.fd);
	}
	_exit(0);
}

static unsigned int seconds(void)
{
	return test_rounds_of(6, 300);
}

#define PLAY(name, parent, child)					\
	static void play_##name(struct place *place)			\
	{								\
		(void)place;						\
		play(parent, child, seconds());				\
	}								\
	CASE(name)							\
	{								\
		with_ksm(play_##name);					\
	}

static void with_ksm(void (*body)(struct place *place))
{
	user_admit();
	machine_ksm_on("100000", "0");
	machine_run(body, NULL);
}

PLAY(parent_merges, merges, moves)
PLAY(child_merges, moves, merges)
PLAY(merged_and_parted, merges_and_parts, moves)
PLAY(short_lived_children_merge, has_short_lived_children, moves)
PLAY(grandchild_moves, merges, moves_as_grandchild)
PLAY(lock_of_the_merged_taken, merges_with_lock_taken, moves)
PLAY(both_move, merges_and_parts, moves_as_grandchild)

static void play_whole_process(struct place *place)
{
	(void)place;
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		SKIP("this kernel can't merge a process' whole memory");
	CHECK_CALL(prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	play(merges_all, moves, seconds());
}

CASE(whole_process_merges)
{
	with_ksm(play_whole_process);
}

/* No related process can have merged pages that belong to this process alone. */
static void own_pages(struct place *place)
{
	char *addr = mem_map(PAGES);
	pid_t attacker = user_fork(ATTACKER), pid;

	(void)place;
	if (attacker) {
		test_wait(attacker);
		return;
	}
	fill(addr);
	pid = test_fork();
	if (pid == 0) {
		int fd = device_open();

		/* Written to, each is a copy. */
		fill(addr);
		for (int i = 0; i < 5; i++) {
			test_sleep(300);
			move_to_device(fd, addr, PAGES);
			check(addr);
			move_to_system(fd, addr, PAGES);
			check(addr);
		}
		_exit(0);
	}
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
	test_wait(pid);
	check(addr);
	_exit(0);
}

CASE(own_pages_of_a_relative_move)
{
	with_ksm(own_pages);
}
