// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Limits apply to memory that an ordinary user gets through the device. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "user.h"

#define CHUNK		4096UL		/* pages: 16 MiB */
#define CHUNKS		24UL
#define MIB		(1UL << 20)

/* Tolerance for per-CPU batches and the process's own memory. */
#define SLACK		(16 * MIB)

static void *map_chunk(int prot)
{
	return mmap(NULL, CHUNK * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Populate a mapping on the device, and move it back, so that the next one fits. */
static void fill_chunk(int fd, void *addr)
{
	struct devpub_migrate arg = migrate_arg(addr, CHUNK, NULL);

	arg.flags = DEVPUB_MIGRATE_POPULATE;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	arg.flags = 0;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg));
}

static unsigned long resident(int fd, const void *addr)
{
	const struct devpub_query arg = query(fd, addr, CHUNK, NULL);

	return (arg.system + arg.device) * PAGE;
}

/* Return the amount of memory that a user gets by mappings with this protection. */
static unsigned long take(int fd, int prot, unsigned long chunks)
{
	unsigned long got = 0;
	void *addr;

	while (chunks--) {
		addr = map_chunk(prot);
		if (addr == MAP_FAILED)
			break;
		fill_chunk(fd, addr);
		got += resident(fd, addr);
	}
	return got;
}

static unsigned long committed(void)
{
	return test_field("/proc/meminfo", "Committed_AS") * 1024UL;
}

static void strict_body(struct place *place)
{
	static const int prots[] = {
		PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE, PROT_WRITE,
	};
	char limit[32];

	(void)place;
	user_admit();
	snprintf(limit, sizeof(limit), "%lu", committed() / 1024 + 64 * 1024);
	machine_set("/proc/sys/vm/overcommit_memory", "2");
	CHECK_CALL(test_write_text("/proc/sys/vm/overcommit_kbytes", limit));
	for (size_t i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		pid_t pid = user_fork(ATTACKER);

		if (!pid) {
			int fd = device_open();
			unsigned long before = committed();
			unsigned long got = take(fd, prots[i], CHUNKS);

			test_note("protection %d: %lu MiB resident, %ld MiB committed",
				  prots[i], got / MIB,
				  (long)(committed() - before) / (long)MIB);
			CHECK_CMP(before + got, <=, committed() + SLACK);
			fflush(stdout);
			_exit(0);
		}
		test_wait(pid);
	}
}

CASE(strict_overcommit_holds)
{
	machine_set("/proc/sys/vm/overcommit_kbytes", "0");
	machine_set("/proc/sys/vm/overcommit_ratio", "50");
	machine_set("/proc/sys/vm/overcommit_memory", "0");
	machine_run(strict_body, NULL);
}

/* Pages of mappings that become read-only later stay accounted. */
CASE(protection_changed_beside_the_call)
{
	pid_t pid;

	user_admit();
	pid = user_fork(ATTACKER);
	if (!pid) {
		int fd = device_open();

		for (unsigned long i = 0; i < 8; i++) {
			void *addr = map_chunk(PROT_READ | PROT_WRITE);

			CHECK(addr != MAP_FAILED);
			CHECK_CALL(mprotect(addr, CHUNK * PAGE, PROT_READ));
			fill_chunk(fd, addr);
			CHECK_CALL(mprotect(addr, CHUNK * PAGE, PROT_READ | PROT_WRITE));
			memset(addr, 1, CHUNK * PAGE);
			CHECK_CALL(munmap(addr, CHUNK * PAGE));
		}
		_exit(0);
	}
	test_wait(pid);
}

static void under_limit(int resource, int prot)
{
	const struct rlimit limit = { 64 * MIB, 64 * MIB };
	pid_t pid;

	user_admit();
	pid = user_fork(ATTACKER);
	if (!pid) {
		int fd = device_open();
		unsigned long got;

		CHECK_CALL(setrlimit(resource, &limit));
		got = take(fd, prot, CHUNKS);
		test_note("%lu MiB", got / MIB);
		CHECK_CMP(got, <=, limit.rlim_cur);
		fflush(stdout);
		_exit(0);
	}
	test_wait(pid);
}

CASE(limit_of_data_holds)
{
	under_limit(RLIMIT_DATA, PROT_READ | PROT_WRITE);
}

CASE(limit_of_data_holds_for_what_can_not_be_written_to)
{
	under_limit(RLIMIT_DATA, PROT_READ);
}

CASE(limit_of_address_space_holds)
{
	under_limit(RLIMIT_AS, PROT_READ | PROT_WRITE);
}

/* The limit of a cgroup; an OOM kill in the group is not an error. */
CASE(limit_of_a_group_holds)
{
	unsigned long long most = 0, now;
	struct cgroup group;
	int status;
	pid_t pid;

	user_admit();
	cgroup_create(&group, "memory");
	cgroup_limit(&group, "64M");
	pid = test_fork();
	if (!pid) {
		cgroup_enter(&group);
		user_become(ATTACKER);
		take(device_open(), PROT_READ | PROT_WRITE, CHUNKS / 2);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		now = cgroup_value(&group, "memory.current");
		if (now > most)
			most = now;
		test_sleep(5);
	}
	test_note("at most %llu MiB, of 64; status %#x", most / MIB, status);
	CHECK_CMP(most, <=, 64 * MIB + 2 * MIB);
	CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
	cgroup_remove(&group);
}
