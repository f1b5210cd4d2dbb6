// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reads and writes of pages by the kernel or by another process. */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	16UL

/*
 * Start a child with pages in the place.  Later it checks that its pages have the contents
 * of the seed and are still in the place.
 */
struct other {
	struct test_gate gate;
	char *addr;
	pid_t pid;
};

static void other_start(struct place *place, struct other *other, int prot,
			uint64_t seed)
{
	test_gate_open(&other->gate);
	other->addr = mem_map(PAGES);
	other->pid = test_fork();
	if (other->pid) {
		test_gate_await(&other->gate, 0);
		return;
	}
	mem_fill(other->addr, PAGES, 1);
	place_put(place, other->addr, PAGES);
	CHECK_CALL(mprotect(other->addr, PAGES * PAGE, prot));
	test_gate_signal(&other->gate, 1);
	test_gate_await(&other->gate, 1);
	place_check(place, other->addr, PAGES);
	CHECK_CALL(mprotect(other->addr, PAGES * PAGE, PROT_READ));
	mem_check(other->addr, PAGES, seed);
	_exit(0);
}

static void other_end(struct other *other)
{
	test_gate_signal(&other->gate, 0);
	test_wait(other->pid);
}

PLACES(vm_readv, "process_vm_readv() reads another process's pages where they are")
{
	char *data = mem_map(PAGES);
	struct iovec local = { data, PAGES * PAGE }, remote;
	struct other other;

	other_start(place, &other, PROT_READ, 1);
	remote = (struct iovec) { other.addr, PAGES * PAGE };
	CHECK_EQ(process_vm_readv(other.pid, &local, 1, &remote, 1, 0),
		 PAGES * PAGE);
	mem_check(data, PAGES, 1);
	place_check_used(place, PAGES);
	other_end(&other);
}

PLACES(vm_writev, "process_vm_writev() writes another process's pages where they are")
{
	struct iovec local = { mem_new(PAGES, 2), PAGES * PAGE }, remote;
	struct other other;

	other_start(place, &other, PROT_READ | PROT_WRITE, 2);
	remote = (struct iovec) { other.addr, PAGES * PAGE };
	CHECK_EQ(process_vm_writev(other.pid, &local, 1, &remote, 1, 0),
		 PAGES * PAGE);
	other_end(&other);
}

PLACES(vm_between, "process_vm_readv() into pages of one's own reads rightly, wherever those are")
{
	struct iovec local, remote;
	struct other other;
	char *data;

	other_start(place, &other, PROT_READ, 1);
	data = place_new(place, PAGES, 3);
	local = (struct iovec) { data, PAGES * PAGE };
	remote = (struct iovec) { other.addr, PAGES * PAGE };
	CHECK_EQ(process_vm_readv(other.pid, &local, 1, &remote, 1, 0),
		 PAGES * PAGE);
	mem_check(data, PAGES, 1);
	place_check(place, data, PAGES);
	other_end(&other);
}

PLACES(vm_writev_shared, "process_vm_writev() to pages that a child shares shows in the child only")
{
	struct iovec local = { mem_new(PAGES, 2), PAGES * PAGE }, remote;
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 2);
		check_in_system(place->fd, addr, PAGES);
		_exit(0);
	}
	remote = (struct iovec) { addr, PAGES * PAGE };
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0),
		 PAGES * PAGE);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

static int open_mem(pid_t pid)
{
	char path[32];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	file = open(path, O_RDWR | O_CLOEXEC);
	CHECK_CALL(file);
	return file;
}

PLACES(proc_mem, "/proc/PID/mem reads and writes pages where they are")
{
	char *data = mem_map(PAGES), *new = mem_new(PAGES, 2);
	struct other other;
	int file;

	other_start(place, &other, PROT_READ | PROT_WRITE, 2);
	file = open_mem(other.pid);
	CHECK_EQ(pread(file, data, PAGES * PAGE, address(other.addr)),
		 PAGES * PAGE);
	mem_check(data, PAGES, 1);
	CHECK_EQ(pwrite(file, new, PAGES * PAGE, address(other.addr)),
		 PAGES * PAGE);
	other_end(&other);
}

PLACES(proc_mem_forced,
	"a debugger's /proc/PID/mem writes read-only pages, and reads those that nobody may touch")
{
	char *data = mem_map(PAGES), *new = mem_new(PAGES, 2);
	struct other other;
	int file;

	other_start(place, &other, PROT_READ, 2);
	CHECK_CALL(ptrace(PTRACE_SEIZE, other.pid, NULL, NULL));
	file = open_mem(other.pid);
	CHECK_EQ(pwrite(file, new, PAGES * PAGE, address(other.addr)),
		 PAGES * PAGE);
	other_end(&other);

	other_start(place, &other, PROT_NONE, 1);
	CHECK_CALL(ptrace(PTRACE_SEIZE, other.pid, NULL, NULL));
	file = open_mem(other.pid);
	CHECK_EQ(pread(file, data, PAGES * PAGE, address(other.addr)),
		 PAGES * PAGE);
	mem_check(data, PAGES, 1);
	other_end(&other);
}

PLACES(ptrace, "a debugger peeks and pokes pages where they are")
{
	char *old = mem_new(PAGES, 1), *new = mem_new(PAGES, 2);
	struct other other;

	other_start(place, &other, PROT_READ, 2);
	CHECK_CALL(ptrace(PTRACE_SEIZE, other.pid, NULL, NULL));
	CHECK_CALL(ptrace(PTRACE_INTERRUPT, other.pid, NULL, NULL));
	CHECK_CALL(waitpid(other.pid, NULL, 0));
	for (size_t at = 0; at < PAGES * PAGE; at += sizeof(long)) {
		errno = 0;
		CHECK(ptrace(PTRACE_PEEKDATA, other.pid, other.addr + at,
			     NULL) == *(long *)(old + at));
		CHECK_EQ(errno, 0);
		CHECK_CALL(ptrace(PTRACE_POKEDATA, other.pid, other.addr + at,
				  *(long *)(new + at)));
	}
	CHECK_CALL(ptrace(PTRACE_DETACH, other.pid, NULL, NULL));
	other_end(&other);
}

PLACES(stopped, "pages of a process that a debugger has stopped are what and where they were")
{
	struct other other;

	other_start(place, &other, PROT_READ, 1);
	CHECK_CALL(ptrace(PTRACE_SEIZE, other.pid, NULL, NULL));
	CHECK_CALL(ptrace(PTRACE_INTERRUPT, other.pid, NULL, NULL));
	CHECK_CALL(waitpid(other.pid, NULL, 0));
	place_check_used(place, PAGES);
	CHECK_CALL(ptrace(PTRACE_DETACH, other.pid, NULL, NULL));
	other_end(&other);
}

PLACES(pipe, "read() and write() copy from and to pages where they are")
{
	char *from = place_new(place, PAGES, 1);
	char *to = place_new(place, PAGES, 2);
	int ends[2];

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	CHECK_EQ(write(ends[1], from, PAGES * PAGE), PAGES * PAGE);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(read(ends[0], to + i * PAGE, PAGE), PAGE);
	mem_check(to, PAGES, 1);
	mem_check(from, PAGES, 1);
	place_check(place, from, PAGES);
	place_check(place, to, PAGES);
}

PLACES(odd_iovec, "readv() into pieces that cross pages puts each byte where it belongs")
{
	char *from = mem_new(4, 1), *to = place_new(place, 8, 2);
	struct iovec pieces[3] = {
		{ to + PAGE - 100, PAGE }, { to + 3 * PAGE - 1, PAGE + 2 },
		{ to + 6 * PAGE, 2 * PAGE - 2 },
	};
	char *expected = mem_new(8, 2);
	size_t at = 0;
	int ends[2];

	for (int i = 0; i < 3; i++) {
		mem_write(expected + ((char *)pieces[i].iov_base - to), from + at,
			  pieces[i].iov_len);
		at += pieces[i].iov_len;
	}
	CHECK_EQ(at, 4 * PAGE);
	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	CHECK_EQ(write(ends[1], from, 4 * PAGE), 4 * PAGE);
	CHECK_EQ(readv(ends[0], pieces, 3), 4 * PAGE);
	CHECK(mem_equal(to, expected, 8 * PAGE));
	place_check(place, to, 8);
}

static int futex(void *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static pid_t waiter;

static void *wait_on(void *word)
{
	__atomic_store_n(&waiter, gettid(), __ATOMIC_RELEASE);
	while (mem_get_word(word) == 0)
		futex(word, FUTEX_WAIT, 0);
	return NULL;
}

/* Wait until the waiter sleeps. */
static void await_waiter(void)
{
	unsigned long long end = test_milliseconds() + 10000;
	char path[64], stat[128] = "";
	pid_t tid;

	while (!(tid = __atomic_load_n(&waiter, __ATOMIC_ACQUIRE)))
		test_sleep(10);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (!strstr(stat, ") S ")) {
		CHECK_CMP(test_milliseconds(), <, end);
		test_sleep(10);
		test_read_text(path, stat, sizeof(stat));
	}
}

PLACES(futex, "who waits for a futex is woken by it though its page moves meanwhile")
{
	unsigned int *word = mem_map(1);
	pthread_t thread;

	mem_put_word(word, 0);
	place_put(place, word, 1);
	CHECK_EQ(pthread_create(&thread, NULL, wait_on, word), 0);
	await_waiter();
	if (place->kind == PLACE_DEVICE)
		move_to_system(place->fd, word, 1);
	else
		move_to_device(place->fd, word, 1);
	mem_put_word(word, 1);
	CHECK_EQ(futex(word, FUTEX_WAKE, 1), 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}
