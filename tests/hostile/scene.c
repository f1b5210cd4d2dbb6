// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access.h"
#include "scene.h"
#include "user.h"

/* The start of each page.  The rest of the page does not change. */
struct record {
	/* The device adds to @added and writes @written.  A CPU adds to @touched. */
	uint64_t added, written, touched;
	uint64_t fixed;
};

#define FIXED	0xf1c5edULL

struct scene scene;

bool scene_goes_on(void)
{
	return test_milliseconds() < scene.end;
}

static struct record *record_of(size_t page)
{
	return (struct record *)(scene.addr + page * PAGE);
}

bool scene_access(int fd, unsigned int op, uint64_t *addr, void *buffer, uint64_t *before)
{
	struct devpub_access arg = {
		.op = op, .addr = address(addr), .length = 8, .buffer = address(buffer),
		.operand = op == DEVPUB_OP_ADD,
	};
	int error = access_try(fd, &arg);

	if (error && !(scene.writes_fail && error == EFAULT))
		FAIL("op %u at %p: %s", op, (void *)addr, strerror(error));
	if (error)
		CHECK_EQ(arg.done, 0);
	if (before)
		*before = arg.result;
	return !error;
}

/* The expected values of the counts of the device. */
static uint64_t added[SCENE_PAGES], written[SCENE_PAGES];

/* All pages get equal contents, so that KSM can merge them. */
static void *let_device_write(void *first)
{
	int fd = access_open();
	uint64_t round = 0, got;

	while (scene_goes_on()) {
		round++;
		for (size_t i = (uintptr_t)first; i < SCENE_PAGES && scene_goes_on();
		     i += SCENE_WRITERS) {
			struct record *record = record_of(i);

			if (scene_access(fd, DEVPUB_OP_READ, &record->written, &got, NULL) &&
			    !scene.reads_differ && got != written[i])
				FAIL("page %zu: the device wrote %lu and reads %lu", i,
				     written[i], got);
			if (scene_access(fd, DEVPUB_OP_ADD, &record->added, NULL, &got)) {
				if (got != added[i])
					FAIL("page %zu: %lu additions, and %lu are there", i,
					     added[i], got);
				added[i]++;
				scene.writes++;
			} else {
				scene.failures++;
			}
			if (scene_access(fd, DEVPUB_OP_WRITE, &record->written, &round, NULL))
				written[i] = round;
		}
	}
	close(fd);
	return NULL;
}

static void *touch(void *unused)
{
	uint64_t touched = 0;

	while (scene_goes_on() && !scene.cpu_waits) {
		for (size_t i = 0; i < SCENE_PAGES; i++) {
			uint64_t before = __atomic_fetch_add(&record_of(i)->touched, 1,
							     __ATOMIC_RELAXED);

			if (before != touched)
				FAIL("page %zu: touched %lu times, and %lu are there", i,
				     touched, before);
		}
		touched++;
		test_sleep(1);
	}
	return unused;
}

void scene_prepare(unsigned int ms)
{
	scene.addr = scene.flags ? mmap(NULL, SCENE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
					MAP_ANONYMOUS | scene.flags, -1, 0) :
				   mem_map_huge(SCENE_PAGES);
	CHECK(scene.addr != MAP_FAILED);
	if (!scene.flags)
		CHECK_CALL(madvise(scene.addr, SCENE_SIZE, MADV_NOHUGEPAGE));
	for (size_t i = 0; i < SCENE_PAGES; i++)
		record_of(i)->fixed = FIXED;
	scene.fd = device_open();
	scene.end = test_milliseconds() + test_rounds(1) * ms;
}

void scene_play(void (*act)(unsigned int round))
{
	pthread_t threads[SCENE_WRITERS + 1];
	pid_t pid = user_fork(ATTACKER);

	if (pid) {
		test_wait(pid);
		return;
	}
	scene_prepare(SCENE_MS);
	for (size_t i = 0; i < SCENE_WRITERS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, let_device_write, (void *)i), 0);
	CHECK_EQ(pthread_create(&threads[SCENE_WRITERS], NULL, touch, NULL), 0);
	for (unsigned int round = 0; scene_goes_on(); round++)
		act(round);
	for (int i = 0; i <= SCENE_WRITERS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	/* After the last act, all pages are mapped again. */
	for (size_t i = 0; i < SCENE_PAGES; i++) {
		CHECK_EQ(record_of(i)->added, added[i]);
		CHECK_EQ(record_of(i)->written, written[i]);
		CHECK_EQ(record_of(i)->fixed, FIXED);
	}
	test_note("%lu writes, %lu failed", scene.writes, scene.failures);
	CHECK_CMP(scene.writes, >, 0);
	if (scene.writes_fail)
		CHECK_CMP(scene.failures, >, 0);
	_exit(0);
}
