// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <glob.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "reads.h"
#include "user.h"

#define WORDS		(PAGE / sizeof(uint64_t))

/*
 * The reads go to the first pages of the range.  The engine copies these first, so that the
 * time until the kernel moves them, in which data can be lost, is longest.
 */
#define RANGE		512UL
#define BATCH		128UL

/* Minimum number of times that root removes the device. */
#define REMOVALS	10U

#define DRIVER		"/sys/bus/platform/drivers/devpub"

static uint64_t block_word(uint64_t block, size_t i)
{
	return (block * WORDS + i + 1) * 0x9e3779b97f4a7c15ULL;
}

void reads_fill_block(void *page, uint64_t block)
{
	uint64_t *word = page;

	for (size_t i = 0; i < WORDS; i++)
		word[i] = block_word(block, i);
}

/*
 * The user's process, which reads, and the one that moves pages meanwhile.  Each round the
 * reader asks for a move just before it submits its reads.
 */
static struct shared {
	atomic_uint asked, moved;	/* rounds */
	atomic_bool to;			/* what is asked for is a move to the device */
	atomic_bool end;
	atomic_ulong pages;		/* that moved while there were reads */
} *shared;

static char *range;

static void await(atomic_uint *round, unsigned int value)
{
	while (*round != value && !shared->end)
		usleep(50);
}

/* Vary the time between request and move from round to round. */
static void dawdle(void)
{
	for (unsigned long until = rand() % 200000; until; until--)
		__asm__ volatile("" ::: "memory");
}

/* What became of the pages; of none of them while the device goes. */
static struct devpub_migrate move(int fd, unsigned long cmd)
{
	struct devpub_migrate arg = migrate_arg(range, RANGE, NULL);

	if (ioctl(fd, cmd, &arg) && errno != ENODEV)
		FAIL("migrate: %s", strerror(errno));
	return arg;
}

/* Move the pages to the device, which may be absent for a while. */
static void bring(void)
{
	unsigned long long end = test_milliseconds() + 60000;
	struct devpub_migrate arg;
	unsigned long there = 0;
	int fd;

	while (there < RANGE / 2) {
		if (test_milliseconds() > end)
			FAIL("the pages don't come to the device");
		fd = open("/dev/devpub0", O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			test_sleep(5);
			continue;
		}
		arg = move(fd, DEVPUB_IOC_MIGRATE_TO);
		there = arg.moved + arg.already;
		/* An open file keeps the module from being unloaded. */
		close(fd);
	}
}

/* The owner moves the pages to the device and back, alternately. */
static void *owner_moves(void *unused)
{
	int fd = device_open();

	(void)unused;
	for (unsigned int round = 1; ; round++) {
		await(&shared->asked, round);
		if (shared->end)
			return NULL;
		dawdle();
		shared->pages += move(fd, shared->to ? DEVPUB_IOC_MIGRATE_TO :
						       DEVPUB_IOC_MIGRATE_FROM).moved;
		shared->moved = round;
	}
}

/* Check that the page has the content of the file.  Print differences. */
static bool check_page(const uint64_t *page, uint64_t block)
{
	static unsigned int told;
	size_t wrong = 0, first = 0;

	for (size_t i = 0; i < WORDS; i++) {
		if (page[i] == block_word(block, i))
			continue;
		if (!wrong++)
			first = i;
	}
	if (wrong && told++ < 3)
		test_note("%zu of %zu words lost, the first at byte %zu: %#llx",
			  wrong, WORDS, first * sizeof(*page),
			  (unsigned long long)page[first]);
	return !wrong;
}

/* Return the number of reads that lost data. */
static unsigned long read_batch(aio_context_t context, int file)
{
	struct iocb requests[BATCH], *list[BATCH];
	struct io_event events[BATCH];
	uint64_t blocks[BATCH];
	unsigned long lost = 0;
	size_t ended = 0;

	for (size_t i = 0; i < BATCH; i++) {
		char *page = range + i * PAGE;

		memset(page, 0xdd, PAGE);
		blocks[i] = rand() % READS_BLOCKS;
		requests[i] = (struct iocb) {
			.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = file,
			.aio_buf = address(page), .aio_nbytes = PAGE,
			.aio_offset = blocks[i] * PAGE, .aio_data = i,
		};
		list[i] = &requests[i];
	}
	for (size_t i = 0; i < BATCH; i++)
		CHECK_EQ(syscall(SYS_io_submit, context, 1, &list[i]), 1);
	while (ended < BATCH) {
		int got = syscall(SYS_io_getevents, context, 1, BATCH - ended,
				  events + ended, NULL);

		if (got < 0 && errno == EINTR)
			continue;
		CHECK_CMP(got, >, 0);
		ended += got;
	}
	for (size_t i = 0; i < BATCH; i++) {
		size_t nr = events[i].data;

		if (events[i].res != (long long)PAGE)
			FAIL("a read of a page gave %lld", (long long)events[i].res);
		lost += !check_page((uint64_t *)(range + nr * PAGE), blocks[nr]);
	}
	return lost;
}

static void user_reads(const char *path, enum reads_way way,
		       unsigned long count)
{
	const bool removal = way == READS_UNBIND || way == READS_UNLOAD;
	unsigned long done = 0, lost = 0;
	aio_context_t context = 0;
	unsigned int round = 0;
	pthread_t thread;
	int file;

	if (syscall(SYS_io_setup, BATCH, &context)) {
		CHECK_EQ(errno, ENOSYS);
		SKIP("no asynchronous I/O: the kernel has no CONFIG_AIO");
	}
	file = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (file < 0)
		FAIL("%s: %s", path, strerror(errno));
	range = mem_new(RANGE, 1);
	if (way == READS_FROM)
		CHECK_EQ(pthread_create(&thread, NULL, owner_moves, NULL), 0);
	while (done < count || (removal && round < REMOVALS)) {
		shared->to = way == READS_FROM && round % 4 == 3;
		if (!shared->to)
			bring();
		shared->asked = ++round;
		/* A removal needs time until it reaches the pages. */
		do {
			lost += read_batch(context, file);
			done += BATCH;
		} while (removal && shared->moved != round);
		await(&shared->moved, round);
	}
	test_note("%lu reads in %u rounds, %lu lost data; pages that moved meanwhile: %lu",
		  done, round, lost, shared->pages);
	CHECK_CMP(shared->pages, >, 0);
	CHECK_EQ(lost, 0);
}

static void root_evicts(void)
{
	struct devpub_evict arg = { 0 };
	int fd = device_open();

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	shared->pages += arg.moved;
	close(fd);
}

static void root_unbinds(void)
{
	unsigned long long end = test_milliseconds() + 60000;
	struct stat stat;
	glob_t links;
	char *name;

	if (glob(DRIVER "/devpub.*", 0, NULL, &links))
		FAIL(DRIVER " has no device");
	name = strrchr(links.gl_pathv[0], '/') + 1;
	CHECK_CALL(test_write_text(DRIVER "/unbind", name));
	CHECK(lstat(links.gl_pathv[0], &stat));
	shared->pages += RANGE;
	/* While pages are in use, their memory can't be claimed again. */
	while (test_write_text(DRIVER "/bind", name)) {
		CHECK_EQ(errno, EBUSY);
		CHECK_CMP(test_milliseconds(), <, end);
		test_sleep(10);
	}
	globfree(&links);
	user_admit();
}

static void root_unloads(void)
{
	const char *module = getenv("DEVPUB_KO");
	int fd;

	while (syscall(SYS_delete_module, "devpub", O_NONBLOCK)) {
		CHECK(errno == EWOULDBLOCK || errno == EBUSY);
		test_sleep(1);
	}
	shared->pages += RANGE;
	fd = open(module, O_RDONLY | O_CLOEXEC);
	CHECK_CALL(fd);
	CHECK_CALL(syscall(SYS_finit_module, fd, "size=256M", 0));
	close(fd);
	user_admit();
}

static void (*const root_does[])(void) = {
	[READS_EVICT] = root_evicts,
	[READS_UNBIND] = root_unbinds,
	[READS_UNLOAD] = root_unloads,
};

/* Root moves pages whenever the user's process asks for it, until that ends. */
static void root_moves(enum reads_way way)
{
	for (unsigned int round = 1; ; round++) {
		await(&shared->asked, round);
		if (shared->end)
			return;
		dawdle();
		root_does[way]();
		shared->moved = round;
	}
}

void reads_beside(const char *path, enum reads_way way, unsigned long count,
		  void (*prepare)(void))
{
	pid_t user, root = 0;
	int status;

	if (way == READS_UNLOAD && (!getenv("DEVPUB_KO") || !*getenv("DEVPUB_KO")))
		SKIP("unloads the module: set DEVPUB_KO to its file");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	user_admit();
	user = user_fork(ATTACKER);
	if (!user) {
		if (prepare)
			prepare();
		user_reads(path, way, count);
		fflush(stdout);
		_exit(0);
	}
	if (root_does[way]) {
		root = test_fork();
		if (!root) {
			root_moves(way);
			_exit(0);
		}
	}
	/* Root's process ends first when it has failed. */
	if (waitpid(-1, &status, 0) == user) {
		shared->end = true;
		if (root)
			test_wait(root);
	}
	if (!WIFEXITED(status))
		FAIL("the user's process was killed by signal %d", WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}
