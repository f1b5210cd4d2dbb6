// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* What the device's operations do to each kind of memory, and where they end. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access.h"
#include "mem.h"

#define PAGES	8UL
#define SIZE	(PAGES * PAGE)

#ifndef SYS_memfd_secret
#define SYS_memfd_secret	447
#endif

/* Memory, and what must be in it. */
struct area {
	unsigned char *mem;
	unsigned char *want;
	size_t size;
	bool writable;
};

static uint64_t seed = 1;

static size_t any(size_t limit)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % limit;
}

static uint64_t any_word(void)
{
	return (uint64_t)any(1UL << 30) << 34 ^ (uint64_t)any(1UL << 30) << 15 ^ any(1UL << 20);
}

/* What an operation must do, to the copy. */
static void expect(const struct area *area, const struct devpub_access *arg,
		   uint64_t *done, uint64_t *result)
{
	unsigned char *at = area->want + (arg->addr - address(area->mem));
	unsigned char *other = area->want + (arg->other - address(area->mem));
	unsigned char *buffer = (unsigned char *)(uintptr_t)arg->buffer;
	uint64_t value = 0;

	*done = arg->length;
	*result = 0;
	switch (arg->op) {
	case DEVPUB_OP_READ:
		if (memcmp(buffer, at, arg->length))
			FAIL("READ gave something else");
		return;
	case DEVPUB_OP_WRITE:
		memcpy(at, buffer, arg->length);
		return;
	case DEVPUB_OP_FILL:
		for (size_t i = 0; i < arg->length; i++)
			at[i] = arg->operand >> (arg->addr + i) % 8 * 8;
		return;
	case DEVPUB_OP_COPY:
		memcpy(at, other, arg->length);
		return;
	case DEVPUB_OP_COMPARE:
		for (*done = 0; *done < arg->length; (*done)++)
			if (at[*done] != other[*done])
				break;
		return;
	}
	memcpy(result, at, arg->length);
	if (arg->op == DEVPUB_OP_ADD)
		value = *result + arg->operand;
	else if (arg->op == DEVPUB_OP_EXCHANGE || *result == arg->compare)
		value = arg->operand;
	else
		value = *result;
	memcpy(at, &value, arg->length);
}

/* An operation on random bytes of the area, which is valid. */
static struct devpub_access random_access(const struct area *area, unsigned char *buffer)
{
	struct devpub_access arg = { .op = any(DEVPUB_OP_COMPARE_EXCHANGE + 1) };
	size_t length = any(4) ? 1 + any(64) : 1 + any(area->size / 2), at, other;

	if (!area->writable)
		arg.op = any(2) ? DEVPUB_OP_READ : DEVPUB_OP_COMPARE;
	if (arg.op >= DEVPUB_OP_ADD)
		length = any(2) ? 4 : 8;
	at = any(area->size - length + 1);
	other = at < area->size / 2 ? area->size - length : 0;
	if (arg.op >= DEVPUB_OP_ADD)
		at -= at % length;
	if (arg.op == DEVPUB_OP_COPY || arg.op == DEVPUB_OP_COMPARE)
		arg.other = address(area->mem) + other;
	if (arg.op == DEVPUB_OP_COPY && at < other + length && other < at + length)
		arg.op = DEVPUB_OP_COMPARE;
	if (arg.op == DEVPUB_OP_READ || arg.op == DEVPUB_OP_WRITE)
		arg.buffer = address(buffer);
	if (arg.op == DEVPUB_OP_FILL || arg.op >= DEVPUB_OP_ADD)
		arg.operand = length == 4 && arg.op >= DEVPUB_OP_ADD ?
			      (uint32_t)any_word() : any_word();
	arg.addr = address(area->mem) + at;
	arg.length = length;
	if (arg.op == DEVPUB_OP_COMPARE_EXCHANGE && any(2))
		memcpy(&arg.compare, area->want + at, length);
	return arg;
}

static void operate(int fd, const struct area *area, unsigned int rounds)
{
	unsigned char *buffer = mem_map(area->size / PAGE);
	uint64_t done, result;

	for (unsigned int i = 0; i < rounds; i++) {
		struct devpub_access arg = random_access(area, buffer);
		int error;

		for (size_t j = 0; arg.op == DEVPUB_OP_WRITE && j < arg.length; j++)
			buffer[j] = any(256);
		error = access_try(fd, &arg);
		if (error)
			FAIL("round %u, op %u: %s", i, arg.op, strerror(error));
		expect(area, &arg, &done, &result);
		CHECK_EQ(arg.done, done);
		CHECK_EQ(arg.result, result);
		if (memcmp(area->mem, area->want, area->size))
			FAIL("round %u: op %u, %llu bytes at +%#llx: other bytes than expected", i,
			     arg.op, (unsigned long long)arg.length,
			     (unsigned long long)(arg.addr - address(area->mem)));
		/* The CPU's writes are seen as well. */
		if (area->writable && !any(4)) {
			size_t at = any(area->size);

			area->want[at] = any(256);
			area->mem[at] = area->want[at];
		}
	}
	CHECK_CALL(munmap(buffer, area->size));
}

/* Memory that is there and may be written, unless it is to be read only. */
static struct area area_of(void *mem, size_t pages)
{
	struct area area = {
		.mem = mem, .want = mem_map(pages), .size = pages * PAGE, .writable = true,
	};

	CHECK(mem != MAP_FAILED);
	mem_fill(mem, pages, 3);
	mem_fill(area.want, pages, 3);
	return area;
}

static int file_new(size_t pages)
{
	char name[] = "/tmp/accessXXXXXX";
	int file = mkstemp(name);

	if (file == -1)
		SKIP("no file in /tmp: %s", strerror(errno));
	CHECK_CALL(unlink(name));
	CHECK_CALL(ftruncate(file, pages * PAGE));
	return file;
}

CASE(anonymous)
{
	int fd = access_open();
	struct area area = area_of(mem_map(PAGES), PAGES);

	operate(fd, &area, 1500);
}

/* Nothing was touched before: the device faults it all in. */
CASE(untouched)
{
	int fd = access_open();
	struct area area = { .mem = mem_map(PAGES), .want = mem_map(PAGES), .size = SIZE };
	struct devpub_access arg = {
		.addr = address(area.mem), .length = SIZE, .buffer = address(mem_map(PAGES)),
	};

	access_all(fd, &arg);
	mem_check_zero((void *)(uintptr_t)arg.buffer, PAGES);
	CHECK_CMP(arg.faults, >=, 1);
	area.writable = true;
	operate(fd, &area, 300);
	/* What the mirror has, it does not ask for again. */
	access_read(fd, area.mem, area.want, SIZE);
	arg = (struct devpub_access){
		.addr = address(area.mem), .length = SIZE, .buffer = address(area.want),
	};
	access_all(fd, &arg);
	CHECK_EQ(arg.faults, 0);
}

CASE(huge)
{
	int fd = access_open();
	struct area area = area_of(mem_map_huge(HUGE_PAGES * 2), HUGE_PAGES * 2);

	operate(fd, &area, 40);
}

CASE(private_file)
{
	int fd = access_open();
	struct area area = area_of(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
					file_new(PAGES), 0), PAGES);

	operate(fd, &area, 300);
}

CASE(shared_file)
{
	int fd = access_open(), file = file_new(PAGES);
	struct area area = area_of(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
					file, 0), PAGES);
	unsigned char *read = mem_map(PAGES);

	operate(fd, &area, 300);
	CHECK_EQ(pread(file, read, SIZE, 0), SIZE);
	CHECK(!memcmp(read, area.want, SIZE));
}

CASE(shared_anonymous)
{
	int fd = access_open();
	struct area area = area_of(mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0), PAGES);

	operate(fd, &area, 300);
}

CASE(hugetlb)
{
	const size_t pages = HUGE_PAGES * 2;
	int fd = access_open();
	struct area area;
	void *mem;

	test_write_text("/proc/sys/vm/nr_hugepages", "4");
	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (mem == MAP_FAILED)
		SKIP("no huge pages: %s", strerror(errno));
	area = area_of(mem, pages);
	operate(fd, &area, 40);
	CHECK_CALL(munmap(mem, pages * PAGE));
	test_write_text("/proc/sys/vm/nr_hugepages", "0");
}

CASE(read_only)
{
	int fd = access_open();
	struct area area = area_of(mem_map(PAGES), PAGES);
	struct devpub_access arg = { .addr = address(area.mem) + 7, .length = 9 };

	/* The mirror knows the pages as writable. */
	operate(fd, &area, 300);
	CHECK_CALL(mprotect(area.mem, SIZE, PROT_READ));
	area.writable = false;
	operate(fd, &area, 100);
	for (arg.op = DEVPUB_OP_WRITE; arg.op <= DEVPUB_OP_FILL; arg.op++) {
		arg.buffer = arg.op == DEVPUB_OP_WRITE ? address(area.want) : 0;
		CHECK_EQ(access_try(fd, &arg), EFAULT);
		CHECK_EQ(arg.done, 0);
		CHECK_EQ(arg.fault_addr, arg.addr);
	}
	/* An atomic operation that would write nothing needs the permission, too. */
	arg = (struct devpub_access){
		.op = DEVPUB_OP_COMPARE_EXCHANGE, .addr = address(area.mem), .length = 8,
		.compare = *(uint64_t *)area.want + 1,
	};
	CHECK_EQ(access_try(fd, &arg), EFAULT);
	CHECK(!memcmp(area.mem, area.want, SIZE));
}

/* The shared zero page must stay zero. */
CASE(zero_page)
{
	int fd = access_open();
	unsigned char *mem = mem_map(PAGES), *other = mem_map(PAGES);

	for (size_t i = 0; i < SIZE; i += PAGE)
		CHECK_EQ(((volatile unsigned char *)mem)[i] +
			 ((volatile unsigned char *)other)[i], 0);
	access_write(fd, mem, "x", 1);
	CHECK_EQ(mem[0], 'x');
	mem_check_zero(other, PAGES);
}

CASE(on_device)
{
	int fd = access_open();
	struct area area = area_of(mem_map(PAGES), PAGES);

	for (int i = 0; i < 10; i++) {
		to_device(fd, area.mem, PAGES / 2 + i % 2 * PAGES / 2);
		operate(fd, &area, 50);
		to_system(fd, area.mem + PAGE, PAGES - 1);
		operate(fd, &area, 50);
	}
	to_device(fd, area.mem, PAGES);
	check_on_device(fd, area.mem, PAGES);
	operate(fd, &area, 50);
	/* The access itself moves nothing. */
	check_on_device(fd, area.mem, PAGES);
}

static void check_ends(int fd, struct devpub_access arg, int error, uint64_t done,
		       uint64_t fault_addr)
{
	int got = access_try(fd, &arg);

	if (got != error)
		FAIL("op %u: %s instead of %s", arg.op, strerror(got), strerror(error));
	CHECK_EQ(arg.done, done);
	CHECK_EQ(arg.fault_addr, fault_addr);
}

/* The second page of three can't be accessed. */
static void faults_at_second(int fd, unsigned char *mem, bool readable)
{
	unsigned char *good = mem_new(3, 1), *buffer = mem_new(3, 1);
	uint64_t addr = address(mem), bad = addr + PAGE, from = addr + 100;

	for (int op = DEVPUB_OP_READ; op <= DEVPUB_OP_COMPARE; op++) {
		struct devpub_access arg = { .op = op, .addr = from, .length = 2 * PAGE };

		if (op == DEVPUB_OP_READ || op == DEVPUB_OP_WRITE)
			arg.buffer = address(buffer);
		else if (op != DEVPUB_OP_FILL)
			arg.other = address(good) + 100;
		if (readable && (op == DEVPUB_OP_READ || op == DEVPUB_OP_COMPARE))
			continue;
		mem_fill(mem, 1, 1);
		check_ends(fd, arg, EFAULT, PAGE - 100, bad);
		if (op == DEVPUB_OP_FILL)
			CHECK_EQ(mem[99] | mem[100] | mem[PAGE - 1], mem[99]);
		/* Where the fault is on the other side. */
		if (readable || !arg.other)
			continue;
		arg.addr = address(good) + 200;
		arg.other = from;
		mem_fill(mem, 1, 1);
		mem_fill(good, 3, 1);
		memcpy(good + 200, mem + 100, PAGE - 100);
		check_ends(fd, arg, EFAULT, PAGE - 100, bad);
		CHECK_CMP(good[PAGE + 100], ==, ((unsigned char *)buffer)[PAGE + 100]);
		mem_fill(good, 3, 1);
	}
	/* One byte before, and one into it. */
	check_ends(fd, (struct devpub_access){
		.op = DEVPUB_OP_FILL, .addr = bad - 1, .length = 1 }, 0, 1, 0);
	check_ends(fd, (struct devpub_access){
		.op = DEVPUB_OP_FILL, .addr = bad - 1, .length = 2 }, EFAULT, 1, bad);
	check_ends(fd, (struct devpub_access){
		.op = DEVPUB_OP_ADD, .addr = bad, .length = 8 }, EFAULT, 0, bad);
}

CASE(unmapped)
{
	int fd = access_open();
	unsigned char *mem = mem_new(3, 1);

	access_read(fd, mem, mem_map(3), 3 * PAGE);
	CHECK_CALL(munmap(mem + PAGE, PAGE));
	faults_at_second(fd, mem, false);
}

CASE(prot_none)
{
	int fd = access_open();
	unsigned char *mem = mem_new(3, 1);

	access_read(fd, mem, mem_map(3), 3 * PAGE);
	CHECK_CALL(mprotect(mem + PAGE, PAGE, PROT_NONE));
	faults_at_second(fd, mem, false);
}

CASE(read_only_middle)
{
	int fd = access_open();
	unsigned char *mem = mem_new(3, 1);

	access_write(fd, mem, mem_new(3, 1), 3 * PAGE);
	CHECK_CALL(mprotect(mem + PAGE, PAGE, PROT_READ));
	faults_at_second(fd, mem, true);
	CHECK(!memcmp(mem + PAGE, (char *)mem_new(3, 1) + PAGE, PAGE));
}

/* Behind the end of the file, where the process would get SIGBUS. */
CASE(beyond_file)
{
	int fd = access_open(), file = file_new(3);
	unsigned char *mem = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	CHECK(mem != MAP_FAILED);
	access_read(fd, mem, mem_map(3), 3 * PAGE);
	CHECK_CALL(ftruncate(file, PAGE));
	faults_at_second(fd, mem, false);
}

/* Secret memory is not in the kernel's map, so an access would be an Oops. */
CASE(secret)
{
	int fd = access_open(), secret = syscall(SYS_memfd_secret, 0);
	unsigned char *mem = mem_new(3, 1);

	if (secret == -1)
		SKIP("no memfd_secret(): %s", strerror(errno));
	CHECK_CALL(ftruncate(secret, PAGE));
	CHECK(mmap(mem + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   secret, 0) == mem + PAGE);
	mem[PAGE] = 1;
	faults_at_second(fd, mem, false);
	CHECK_EQ(mem[PAGE], 1);
}

static void on_sigbus(int sig)
{
	(void)sig;
}

/* Memory with a hardware error, which the kernel pretends here. */
CASE(poisoned)
{
	struct sigaction action = { .sa_handler = on_sigbus };
	int fd = access_open();
	unsigned char *mem = mem_new(3, 1), *buffer = mem_map(3);
	struct devpub_access arg = {
		.addr = address(mem), .length = 3 * PAGE, .buffer = address(buffer),
	};

	access_all(fd, &arg);
	/* The kernel tells the process at once. */
	CHECK_CALL(sigaction(SIGBUS, &action, NULL));
	if (madvise(mem + PAGE, PAGE, MADV_HWPOISON))
		SKIP("MADV_HWPOISON: %s", strerror(errno));
	check_ends(fd, arg, EHWPOISON, PAGE, arg.addr + PAGE);
	arg.op = DEVPUB_OP_WRITE;
	check_ends(fd, arg, EHWPOISON, PAGE, arg.addr + PAGE);
}

/* What a driver maps: there may be no page behind it, or no memory. */
CASE(special)
{
	int fd = access_open();
	size_t pages;
	char *vvar = mem_find("[vvar]", &pages), byte;
	struct devpub_access arg = {
		.addr = address(vvar), .length = 1, .buffer = address(&byte),
	};

	if (!vvar)
		SKIP("no [vvar]");
	check_ends(fd, arg, EFAULT, 0, arg.addr);
}

/* The caller's buffer ends early. */
CASE(buffer)
{
	int fd = access_open();
	unsigned char *mem = mem_new(40, 1), *buffer = mem_map(40);
	struct devpub_access arg = {
		.addr = address(mem), .length = 40 * PAGE, .buffer = address(buffer),
	};

	CHECK_CALL(munmap(buffer + 30 * PAGE, PAGE));
	check_ends(fd, arg, EFAULT, 30 * PAGE, address(buffer) + 30 * PAGE);
	CHECK(!memcmp(mem, buffer, 30 * PAGE));
	arg.op = DEVPUB_OP_WRITE;
	memset(buffer, 7, 30 * PAGE);
	check_ends(fd, arg, EFAULT, 30 * PAGE, address(buffer) + 30 * PAGE);
	CHECK(!memcmp(mem, buffer, 30 * PAGE));
	CHECK(!memcmp(mem + 30 * PAGE, (char *)mem_new(40, 1) + 30 * PAGE, 10 * PAGE));
}
