// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of devpub_bind() and devpub_access(), which need a device. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define PAGES	64UL
#define ONES	0x0101010101010101ULL

/* The operations on ranges, one after the other, of memory whose bytes are 42. */
static int try_ranges(struct devpub *dev, unsigned char *memory)
{
	const size_t half = PAGES / 2 * page_size;
	struct devpub_access access = { .length = half };
	unsigned char buffer[64];

	access.op = DEVPUB_OP_FILL;
	access.addr = (uintptr_t)memory;
	access.operand = 7 * ONES;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.done, half);
	CHECK_EQ(memory[0] + memory[half - 1], 14);
	CHECK_EQ(memory[half], 42);

	access = (struct devpub_access) {
		.op = DEVPUB_OP_COMPARE, .addr = (uintptr_t)memory,
		.other = (uintptr_t)memory + half, .length = half,
	};
	memory[half] = 7;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.done, 1);
	access.op = DEVPUB_OP_COPY;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.done, half);
	CHECK_EQ(memory[0], 7);
	CHECK_EQ(memory[half - 1], 42);
	access.op = DEVPUB_OP_COMPARE;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.done, half);

	memset(buffer, 5, sizeof(buffer));
	access = (struct devpub_access) {
		.op = DEVPUB_OP_WRITE, .addr = (uintptr_t)memory + page_size - 32,
		.length = sizeof(buffer), .buffer = (uintptr_t)buffer,
	};
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(memcmp(memory + page_size - 32, buffer, sizeof(buffer)), 0);
	access.op = DEVPUB_OP_READ;
	access.addr = (uintptr_t)memory + half - sizeof(buffer);
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.done, sizeof(buffer));
	CHECK_EQ(buffer[0] + buffer[sizeof(buffer) - 1], 84);
	return 0;
}

static int try_atomics(struct devpub *dev, unsigned char *memory)
{
	uint64_t *const word = (uint64_t *)(memory + page_size);
	uint32_t *const half = (uint32_t *)(word + 1);
	struct devpub_access access = {
		.op = DEVPUB_OP_ADD, .addr = (uintptr_t)word, .length = 8, .operand = 3,
	};

	word[0] = UINT64_MAX;
	word[1] = 0;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.result, UINT64_MAX);
	CHECK_EQ(word[0], 2);
	access.op = DEVPUB_OP_EXCHANGE;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.result, 2);
	CHECK_EQ(word[0], 3);

	access = (struct devpub_access) {
		.op = DEVPUB_OP_COMPARE_EXCHANGE, .addr = (uintptr_t)half, .length = 4,
		.operand = UINT32_MAX, .compare = 1,
	};
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.result, 0);
	CHECK_EQ(half[0], 0);
	access.compare = 0;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(half[0], UINT32_MAX);
	CHECK_EQ(half[1], 0);
	return 0;
}

/* The device accesses the caller's memory, in system memory and on the device. */
int test_access(struct devpub *dev)
{
	unsigned char *memory = (unsigned char *)touched(PAGES);
	struct devpub_access access = {
		.op = DEVPUB_OP_FILL, .addr = (uintptr_t)memory, .length = 1,
	};
	struct devpub_locations counts;

	CHECK_EQ(devpub_access(dev, &access), -ENOTCONN);
	CHECK_EQ(devpub_bind(dev, NULL), 0);
	CHECK_EQ(devpub_bind(dev, NULL), 0);
	if (try_ranges(dev, memory) || try_atomics(dev, memory))
		return -1;
	memset(memory, 42, PAGES * page_size);
	CHECK_EQ(insist(dev, (char *)memory, PAGES), PAGES);
	if (try_ranges(dev, memory) || try_atomics(dev, memory))
		return -1;
	CHECK_EQ(devpub_query(dev, memory, PAGES * page_size, NULL, &counts), 0);
	CHECK_EQ(counts.device, PAGES);
	CHECK_EQ(munmap(memory, PAGES * page_size), 0);
	return 0;
}

/* What the device can't access ends the operation, and the results say where. */
int test_access_ends(struct devpub *dev)
{
	unsigned char *memory = (unsigned char *)touched(PAGES);
	struct devpub_access access = {
		.op = DEVPUB_OP_FILL, .addr = (uintptr_t)memory, .length = 2 * page_size,
	};

	CHECK_EQ(devpub_bind(dev, NULL), 0);
	CHECK_EQ(mprotect(memory + page_size, page_size, PROT_READ), 0);
	CHECK_EQ(devpub_access(dev, &access), -EFAULT);
	CHECK_EQ(access.done, page_size);
	CHECK_EQ(access.fault_addr, (uintptr_t)memory + page_size);
	CHECK_EQ(memory[page_size], 42);

	access.op = DEVPUB_OP_COMPARE_EXCHANGE + 1;
	CHECK_EQ(devpub_access(dev, &access), -EINVAL);
	access.op = DEVPUB_OP_ADD;
	CHECK_EQ(devpub_access(dev, &access), -EINVAL);
	access.length = 8;
	access.addr += 4;
	CHECK_EQ(devpub_access(dev, &access), -EINVAL);
	access.addr -= 4;
	access.length = 8;
	access.operand = ONES;
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(memory[0], 1);
	CHECK_EQ(munmap(memory, PAGES * page_size), 0);
	return 0;
}

/* A child that waits for the end of @input.  It fails if the device has not added 1 to its memory. */
static pid_t start_child(struct devpub *dev, unsigned char *memory, const int *input, int output)
{
	struct devpub_access access = {
		.op = DEVPUB_OP_FILL, .addr = (uintptr_t)memory, .length = 1,
	};
	pid_t child = fork();
	char byte;

	if (child)
		return child;
	close(input[1]);
	memory[0] = 43;
	/* The parent's device is not bound to the child's memory. */
	if (devpub_access(dev, &access) != -EPERM || devpub_bind(dev, NULL) != -EBUSY)
		_exit(2);
	if (write(output, "", 1) != 1 || read(input[0], &byte, 1))
		_exit(3);
	_exit(memory[0] != 44);
}

/* Add to the memory of the child while it lives, and fail when it has ended. */
static int add_to_child(struct devpub *dev, struct devpub_process *process,
			unsigned char *memory, pid_t child, int input)
{
	struct devpub_access access = {
		.op = DEVPUB_OP_ADD, .addr = (uintptr_t)memory, .length = 4, .operand = 1,
	};
	int status;

	CHECK_EQ(devpub_bind(dev, NULL), -EBUSY);
	CHECK_EQ(devpub_bind(dev, process), 0);
	CHECK_EQ(devpub_access(dev, &access), 0);
	CHECK_EQ(access.result & 0xff, 43);
	CHECK_EQ(memory[0], 42);
	close(input);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(devpub_access(dev, &access), -ESRCH);
	CHECK_EQ(devpub_bind(dev, process), -ESRCH);
	return 0;
}

/* The device accesses the memory of another process, through a file that is bound to it. */
int test_access_process(struct devpub *dev)
{
	struct devpub_process *process;
	unsigned char *memory = (unsigned char *)touched(1), byte;
	int input[2], output[2], ret;
	struct devpub_info info;
	struct devpub *other;
	pid_t child;

	CHECK_EQ(devpub_bind(dev, NULL), 0);
	CHECK_EQ(devpub_info(dev, &info), 0);
	CHECK_EQ(devpub_open(info.index, &other), 0);
	CHECK_EQ(pipe(input) | pipe(output), 0);
	child = start_child(dev, memory, input, output[1]);
	close(input[0]);
	close(output[1]);
	CHECK_EQ(read(output[0], &byte, 1), 1);
	close(output[0]);
	CHECK_EQ(devpub_attach(child, &process), 0);
	ret = devpub_bind(other, process);
	if (!ret) {
		ret = add_to_child(other, process, memory, child, input[1]);
	} else {
		close(input[1]);
		waitpid(child, NULL, 0);
	}
	devpub_detach(process);
	devpub_close(other);
	munmap(memory, page_size);
	return ret == -EPERM ? skip("needs CAP_SYS_PTRACE") : ret;
}
