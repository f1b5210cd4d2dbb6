// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reads of a whole process: core dumps, checkpoints, tracers. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "device.h"
#include "hold.h"
#include "machine.h"
#include "mem.h"
#include "pagemap.h"
#include "place.h"

#define PAGES		64UL
#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define CORE		"/tmp/devpub-core"

static void dump(struct place *place)
{
	char *addr = place_new(place, PAGES, 1), *copy = mem_map(PAGES);
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int status;
	pid_t pid;

	pid = test_fork();
	if (pid == 0) {
		CHECK_CALL(setrlimit(RLIMIT_CORE, &all));
		CHECK_CALL(prctl(PR_SET_DUMPABLE, 1));
		/* The child has pages of its own and pages that it shares. */
		mem_fill(addr, PAGES / 2, 2);
		place_put(place, addr, PAGES / 2);
		abort();
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
	core_read(CORE, addr, copy, PAGES);
	unlink(CORE);
	mem_check(copy, PAGES / 2, 2);
	mem_fill(addr, PAGES / 2, 1);
	CHECK(mem_equal(addr + PAGES / 2 * PAGE, copy + PAGES / 2 * PAGE,
			PAGES / 2 * PAGE));
	place_check(place, addr + PAGES / 2 * PAGE, PAGES / 2);
}

PLACES(core_dump, "a core dump holds what the pages held")
{
	machine_set(CORE_PATTERN, CORE);
	machine_set_if_there("/proc/sys/kernel/core_uses_pid", "0");
	machine_run(dump, place);
}

/* Start a process with pages in the place.  At its end it checks their contents. */
static pid_t start_target(struct place *place, char **addr,
			  struct test_gate *gate, uint64_t expected)
{
	pid_t pid;

	*addr = mem_map(PAGES);
	test_gate_open(gate);
	pid = test_fork();
	if (pid == 0) {
		mem_fill(*addr, PAGES, 1);
		place_put(place, *addr, PAGES);
		test_gate_signal(gate, 1);
		test_gate_await(gate, 1);
		mem_check(*addr, PAGES, expected);
		_exit(0);
	}
	test_gate_await(gate, 0);
	place_check_used(place, PAGES);
	return pid;
}

PLACES(checkpoint, "who stops a process reads all of it, writes it anew, and lets it go on")
{
	struct iovec here, there;
	uint64_t entries[PAGES];
	struct test_gate gate;
	char *addr, *copy = mem_map(PAGES);
	pid_t pid = start_target(place, &addr, &gate, 2);

	CHECK_CALL(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	CHECK_CALL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	CHECK_CALL(waitpid(pid, NULL, 0));
	pagemap_read_of(pid, addr, PAGES, entries);
	for (size_t i = 0; i < PAGES; i++)
		CHECK(entries[i] & PAGEMAP_PRESENT);
	here = (struct iovec) { copy, PAGES * PAGE };
	there = (struct iovec) { addr, PAGES * PAGE };
	CHECK_EQ(process_vm_readv(pid, &here, 1, &there, 1, 0), PAGES * PAGE);
	mem_check(copy, PAGES, 1);
	mem_fill(copy, PAGES, 2);
	CHECK_EQ(process_vm_writev(pid, &here, 1, &there, 1, 0), PAGES * PAGE);
	place_check_used(place, PAGES);
	CHECK_CALL(ptrace(PTRACE_DETACH, pid, NULL, NULL));
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

static void evict(int fd)
{
	struct devpub_evict arg = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
}

PLACES(stopped, "pages of a stopped process leave the device, and it goes on with them")
{
	struct test_gate gate;
	char *addr;
	pid_t pid = start_target(place, &addr, &gate, 1);

	CHECK_CALL(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	evict(place->fd);
	device_await_free_pages(place->fd, place->idle);
	CHECK_CALL(kill(pid, SIGCONT));
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

PLACES(traced, "a process whose system calls are traced moves its pages as any other")
{
	unsigned int stops = 0;
	int status;
	pid_t pid;

	pid = test_fork();
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		CHECK_CALL(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		check_let_go(place, addr, PAGES);
		mem_check(addr, PAGES, 1);
		place_check(place, addr, PAGES);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		stops++;
		CHECK_CALL(ptrace(PTRACE_SYSCALL, pid, NULL, NULL));
	}
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_CMP(stops, >, 4);
}

PLACES(confined, "a process in strict seccomp reads and writes its pages, also when they are taken off the device")
{
	char *addr = mem_map(PAGES);
	struct test_gate gate;
	char byte;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP))
		SKIP("no seccomp: %s", strerror(errno));
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		int in = gate.fd[0][0], out = gate.fd[1][1];

		mem_fill(addr, PAGES, 1);
		place_put(place, addr, PAGES);
		CHECK_CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		/* In this mode, the process may only read, write and exit. */
		CHECK_EQ(write(out, "", 1), 1);
		CHECK_EQ(read(in, &byte, 1), 1);
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		syscall(SYS_exit, 0);
	}
	test_gate_await(&gate, 0);
	place_check_used(place, PAGES);
	evict(place->fd);
	device_await_free_pages(place->fd, place->idle);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

/* The filter lets ioctl() fail with EPERM and allows all other system calls. */
static void forbid_ioctl(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]), .filter = filter,
	};

	CHECK_CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

PLACES(filtered, "a process whose filter forbids ioctl() moves no page, and has its own, also when they are taken off the device")
{
	const uint32_t action = SECCOMP_RET_ERRNO;
	char *addr = mem_map(PAGES);
	struct test_gate gate;
	pid_t pid;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action))
		SKIP("no seccomp filters: %s", strerror(errno));
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		struct devpub_migrate arg = migrate_arg(addr, PAGES, NULL);

		mem_fill(addr, PAGES, 1);
		place_put(place, addr, PAGES);
		forbid_ioctl();
		CHECK_ERRNO(ioctl(place->fd, DEVPUB_IOC_MIGRATE_FROM, &arg),
			    EPERM);
		CHECK_ERRNO(ioctl(place->fd, DEVPUB_IOC_MIGRATE_TO, &arg),
			    EPERM);
		mem_check(addr, PAGES, 1);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	place_check_used(place, PAGES);
	evict(place->fd);
	device_await_free_pages(place->fd, place->idle);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}
