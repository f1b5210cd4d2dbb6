// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A device writes to the memory of a process that changes its mappings, or ends.  No write is
 * lost, and the device writes to no memory that the process may not write to.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "machine.h"
#include "scene.h"
#include "user.h"

static void move(unsigned int round)
{
	char *addr = scene.addr + round * 8 % SCENE_PAGES * PAGE;

	to_device_once(scene.fd, addr, 8);
	test_sleep(2);
	if (round % 2)
		to_system_once(scene.fd, addr, 8);
}

static void evict_all_the_time(void)
{
	struct devpub_evict evict;
	int fd = device_open();

	for (;;) {
		evict = (struct devpub_evict){ 0 };
		if (ioctl(fd, DEVPUB_IOC_EVICT, &evict) && errno != EBUSY)
			FAIL("EVICT: %s", strerror(errno));
		test_sleep(20);
	}
}

CASE(moving_and_evicted)
{
	pid_t pid;

	user_admit();
	pid = test_fork();
	if (!pid)
		evict_all_the_time();
	scene_play(move);
	test_kill(pid);
}

/* A child keeps the contents from the fork.  The device of its parent does not change them. */
static void fork_and_compare(unsigned int round)
{
	pid_t pid = test_fork();

	if (!pid) {
		char *copy = malloc(SCENE_SIZE);

		memcpy(copy, scene.addr, SCENE_SIZE);
		for (int i = 0; i < 3; i++) {
			test_sleep(10);
			CHECK(!memcmp(copy, scene.addr, SCENE_SIZE));
		}
		/* The child's writes are its own, too. */
		if (round % 2)
			memset(scene.addr, 0xee, SCENE_SIZE);
		_exit(0);
	}
	/* Parents end before their children, too. */
	if (round % 3)
		test_wait(pid);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

CASE(forking)
{
	user_admit();
	scene_play(fork_and_compare);
}

/* The same with huge pages, which are copied as a whole. */
static void hugetlb_body(struct place *place)
{
	(void)place;
	scene.flags = MAP_HUGETLB;
	scene_play(fork_and_compare);
}

CASE(forking_with_hugetlb)
{
	user_admit();
	machine_set("/proc/sys/vm/nr_hugepages", "16");
	machine_run(hugetlb_body, NULL);
}

/* What is read-only does not change until it is writable again. */
static void protect(unsigned int round)
{
	static char copy[SCENE_SIZE];
	int prot = round % 4 == 3 ? PROT_NONE : PROT_READ;
	size_t first = round % 2 ? 0 : 17, n = round % 2 ? SCENE_PAGES : 99;
	char *addr = scene.addr + first * PAGE;

	CHECK_CALL(mprotect(addr, n * PAGE, prot));
	if (prot == PROT_READ) {
		memcpy(copy, addr, n * PAGE);
		test_sleep(10);
		if (memcmp(copy, addr, n * PAGE))
			FAIL("the device wrote to read-only memory");
	}
	CHECK_CALL(mprotect(addr, n * PAGE, PROT_READ | PROT_WRITE));
	test_sleep(5);
}

CASE(protecting)
{
	user_admit();
	scene.writes_fail = true;
	scene.cpu_waits = true;
	scene_play(protect);
}

/* A file of root's that the process can only read. */
#define FILE_NAME	"/tmp/devpub-read-only"
#define FILE_BYTE	0x77

static void make_file(void)
{
	static char bytes[SCENE_SIZE];
	int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	memset(bytes, FILE_BYTE, sizeof(bytes));
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
}

static void check_file(void)
{
	static char bytes[SCENE_SIZE];
	int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);

	CHECK_EQ(read(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		if (bytes[i] != FILE_BYTE)
			FAIL("the device wrote to byte %zu of the file", i);
	close(fd);
	CHECK_CALL(unlink(FILE_NAME));
}

/* The memory moves, and the page cache takes its place. */
static void remap(unsigned int round)
{
	static char *away;
	static int file;
	const size_t size = SCENE_SIZE;

	if (!away) {
		away = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		file = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
	}
	CHECK(mremap(scene.addr, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
	CHECK(mmap(scene.addr, size, PROT_READ,
		   MAP_FIXED | (round % 2 ? MAP_SHARED : MAP_PRIVATE), file, 0) == scene.addr);
	test_sleep(10);
	CHECK(mremap(away, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, scene.addr) ==
	      scene.addr);
	test_sleep(5);
}

CASE(remapping)
{
	user_admit();
	make_file();
	scene.writes_fail = true;
	scene.reads_differ = true;
	scene.cpu_waits = true;
	scene_play(remap);
	check_file();
}

/* Pages that the process gives back go to others; the device neither writes nor reads those. */
#define MARK		0x6d61726b6d61726bULL
#define OTHERS		0x07e507e507e507e5ULL
#define OTHER_PAGES	1024UL

static void be_others(void)
{
	for (;;) {
		uint64_t *mem = mem_map(OTHER_PAGES);

		for (size_t i = 0; i < OTHER_PAGES * PAGE / 8; i++)
			mem[i] = OTHERS;
		for (size_t i = 0; i < OTHER_PAGES * PAGE / 8; i++)
			if (mem[i] != OTHERS)
				FAIL("word %zu is %#lx", i, mem[i]);
		CHECK_CALL(munmap(mem, OTHER_PAGES * PAGE));
	}
}

static void *mark(void *first)
{
	uint64_t value = MARK, got;
	int fd = access_open();

	while (scene_goes_on()) {
		for (size_t i = (uintptr_t)first; i < SCENE_PAGES; i += SCENE_WRITERS) {
			uint64_t *word = (uint64_t *)(scene.addr + i * PAGE);

			if (scene_access(fd, DEVPUB_OP_READ, word, &got, NULL) && got &&
			    got != MARK)
				FAIL("the device read %#lx", got);
			scene.writes += scene_access(fd, DEVPUB_OP_WRITE, word, &value, NULL);
		}
	}
	return NULL;
}

static void give_back(unsigned int round)
{
	size_t first = round % 3 * 100, n = SCENE_PAGES - first;
	char *addr = scene.addr + first * PAGE;

	if (round % 2) {
		CHECK_CALL(madvise(addr, n * PAGE, MADV_DONTNEED));
		return;
	}
	CHECK_CALL(munmap(addr, n * PAGE));
	test_sleep(2);
	CHECK(mmap(addr, n * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
}

/* Until it is killed, if it does not end by itself. */
static void give_back_and_mark(unsigned int ms)
{
	pthread_t threads[SCENE_WRITERS];

	scene.writes_fail = true;
	scene_prepare(ms);
	CHECK_CALL(madvise(scene.addr, SCENE_SIZE, MADV_DONTNEED));
	for (size_t i = 0; i < SCENE_WRITERS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, mark, (void *)i), 0);
	for (unsigned int round = 0; scene_goes_on(); round++)
		give_back(round);
	for (int i = 0; i < SCENE_WRITERS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	test_note("%lu writes", scene.writes);
	CHECK_CMP(scene.writes, >, 0);
	_exit(0);
}

CASE(giving_pages_back)
{
	pid_t others, pid;

	user_admit();
	others = user_fork(VICTIM);
	if (!others)
		be_others();
	pid = user_fork(ATTACKER);
	if (!pid)
		give_back_and_mark(SCENE_MS);
	test_wait(pid);
	test_kill(others);
}

#define KILLED_MS	4000U

/* The device writes until the process has ended, and not after that. */
CASE(killed)
{
	int fd = device_open();
	uint64_t free = device_free_pages(fd);
	unsigned long long begin, took, worst = 0;
	pid_t others, pid;

	user_admit();
	others = user_fork(VICTIM);
	if (!others)
		be_others();
	for (unsigned int i = 0; i < test_rounds(10); i++) {
		pid = user_fork(ATTACKER);
		if (!pid)
			give_back_and_mark(60000);
		test_sleep(20 + i * 37 % 150);
		begin = test_milliseconds();
		test_kill(pid);
		took = test_milliseconds() - begin;
		worst = took > worst ? took : worst;
	}
	test_kill(others);
	test_note("ended in %llu ms at most", worst);
	CHECK_CMP(worst, <, KILLED_MS);
	device_await_free_pages(fd, free);
}

static void read_memory(pid_t pid, char *copy)
{
	struct iovec to = { copy, PAGE }, from = { scene.addr, PAGE };

	CHECK_EQ(process_vm_readv(pid, &to, 1, &from, 1, 0), (ssize_t)PAGE);
}

/* A process that is stopped does not change: the device is at work only for its calls. */
CASE(stopped)
{
	static char copy[2][PAGE];
	pid_t pid;

	user_admit();
	scene.addr = mem_map_huge(SCENE_PAGES);
	pid = user_fork(ATTACKER);
	if (!pid) {
		struct devpub_access arg = {
			.op = DEVPUB_OP_ADD, .addr = address(scene.addr), .length = 8,
			.operand = 1,
		};
		int fd = access_open();

		for (;;)
			access_all(fd, &arg);
	}
	for (int i = 0; i < 10; i++) {
		test_sleep(50);
		kill(pid, SIGSTOP);
		CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
		read_memory(pid, copy[0]);
		test_sleep(50);
		read_memory(pid, copy[1]);
		CHECK(!memcmp(copy[0], copy[1], PAGE));
		kill(pid, SIGCONT);
	}
	CHECK_CMP(*(uint64_t *)copy[0], >, 0);
	test_kill(pid);
}
