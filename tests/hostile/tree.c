// SPDX-License-Identifier: GPL-2.0
/*
 * Very many mappings of one process that its pages may be in: mremap() with
 * MREMAP_DONTUNMAP leaves the anon_vma at both places.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define MAPPINGS	20000UL
#define WINDOW		512UL
/* Without hardware virtualisation, and with the end of an address space of so many mappings. */
#define LIMIT_MS	4000U

static struct shared {
	atomic_uint ready;
} *shared;

static void share(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

/* So many pages, @stride apart, each in a mapping of its own and all of one index. */
static char *many(unsigned long mappings, unsigned long stride)
{
	char *from = mem_map(3), *to = mmap(NULL, (mappings + 512) * stride * PAGE, PROT_NONE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned long i;

	CHECK(to != MAP_FAILED);
	to = (char *)(((unsigned long)to + 0x1fffff) & ~0x1fffffUL);
	CHECK_CALL(munmap(to, mappings * stride * PAGE));
	from[0] = from[2 * PAGE] = 1;
	for (i = 0; i < mappings; i++) {
		from[PAGE] = i % 255 + 1;
		if (mremap(from + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED |
			   MREMAP_DONTUNMAP, to + i * stride * PAGE) == MAP_FAILED)
			FAIL("mremap %lu: %s", i, strerror(errno));
	}
	return to;
}

static unsigned long long timed(int fd, unsigned long cmd, char *addr, unsigned long pages,
				unsigned int workers)
{
	struct devpub_migrate arg = migrate_arg(addr, pages, NULL);
	unsigned long long begin = test_milliseconds();

	arg.workers = workers;
	CHECK_CALL(ioctl(fd, cmd, &arg));
	test_note("%s %lu pages: %llu moved, %llu refused, %llu absent: %llu ms",
		  cmd == DEVPUB_IOC_MIGRATE_TO ? "to" : "from", pages, arg.moved,
		  arg.refused, arg.absent, test_milliseconds() - begin);
	return test_milliseconds() - begin;
}

/* How long a call goes on after SIGKILL. */
CASE(killed_in_a_dense_tree)
{
	unsigned long long begin;
	pid_t pid;

	share();
	user_admit();
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		int fd = device_open();
		char *addr = many(MAPPINGS, 1);

		timed(fd, DEVPUB_IOC_MIGRATE_TO, addr, 16, 1);
		timed(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 16, 1);
		shared->ready++;
		for (;;) {
			timed(fd, DEVPUB_IOC_MIGRATE_TO, addr, 8192, 1);
			timed(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 8192, 1);
		}
	}
	while (!shared->ready)
		test_sleep(100);
	test_sleep(3000);
	begin = test_milliseconds();
	CHECK_CALL(kill(pid, SIGKILL));
	waitpid(pid, NULL, 0);
	test_note("gone %llu ms after SIGKILL", test_milliseconds() - begin);
	CHECK_CMP(test_milliseconds() - begin, <=, LIMIT_MS);
}

/* How long root's EVICT takes, for one page a window. */
CASE(evicted_from_a_sparse_tree)
{
	struct devpub_evict arg = { 0 };
	unsigned long long begin;
	int fd = device_open();
	pid_t pid;

	share();
	user_admit();
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		int own = device_open();
		char *addr = many(MAPPINGS, WINDOW);
		struct devpub_migrate to;

		for (unsigned long i = 0; i < 200; i++) {
			to = migrate_arg(addr + (MAPPINGS - 1 - i) * WINDOW * PAGE, 1, NULL);
			CHECK_CALL(ioctl(own, DEVPUB_IOC_MIGRATE_TO, &to));
		}
		shared->ready++;
		for (;;)
			pause();
	}
	while (!shared->ready)
		test_sleep(100);
	begin = test_milliseconds();
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	test_note("evicted %llu, %llu remain, in %llu ms", arg.moved, arg.remaining,
		  test_milliseconds() - begin);
	test_kill(pid);
}

/* Root's EVICT comes upon a window of that, which many relatives have, too. */
CASE(evict_killed_in_a_dense_tree)
{
	unsigned long long begin;
	pid_t pid, evict;

	share();
	user_admit();
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		int fd = device_open();
		char *addr = many(MAPPINGS, 1);

		setsid();
		for (size_t i = 0; i < WINDOW; i += 16) {
			struct devpub_migrate to = migrate_arg(addr + i * PAGE, 16, NULL);

			to.workers = 1;
			CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &to));
		}
		for (int i = 0; i < 4; i++)
			if (!test_fork())
				break;
		shared->ready++;
		for (;;)
			pause();
	}
	while (shared->ready < 5)
		test_sleep(100);
	evict = test_fork();
	if (evict == 0) {
		int fd = device_open();
		struct devpub_evict arg = { 0 };

		ioctl(fd, DEVPUB_IOC_EVICT, &arg);
		test_note("evicted %llu, %llu remain, %s", arg.moved, arg.remaining, strerror(errno));
		_exit(0);
	}
	test_sleep(3000);
	begin = test_milliseconds();
	CHECK_CALL(kill(evict, SIGKILL));
	waitpid(evict, NULL, 0);
	test_note("root's EVICT gone %llu ms after SIGKILL", test_milliseconds() - begin);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_CMP(test_milliseconds() - begin, <=, LIMIT_MS);
}
