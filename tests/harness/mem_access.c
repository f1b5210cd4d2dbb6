// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Accesses to the memory of a case: by loads and stores, or by operations of the device. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access.h"
#include "mem.h"

#define CHUNK	65536UL

/* The number of operations, in memory that all processes of the case share. */
static uint64_t *operations;

/* The device bound to this process's memory, or -1. */
static int device = -1;
static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;

/* The data of the device's operations.  An array would be a part of each thread's stack. */
static __thread uint64_t *staged;

/* A file serves only the memory that it is bound to, so a child needs a file of its own. */
static void forked(void)
{
	char value;
	struct devpub_access arg = access_arg(DEVPUB_OP_READ, operations, &value, 1);

	if (device >= 0) {
		CHECK_EQ(access_try(device, &arg), EPERM);
		close(device);
	}
	device = -1;
	pthread_mutex_init(&device_lock, NULL);
}

void mem_use_device(void)
{
	operations = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(operations != MAP_FAILED);
	CHECK_EQ(pthread_atfork(NULL, NULL, forked), 0);
}

bool mem_by_device(void)
{
	return operations;
}

uint64_t mem_device_operations(void)
{
	return __atomic_load_n(operations, __ATOMIC_RELAXED);
}

/* The staging memory of this thread for @words.  It lasts as long as the process. */
static uint64_t *staging(size_t words)
{
	CHECK_CMP(words, <=, CHUNK / sizeof(*staged));
	if (!staged)
		staged = malloc(CHUNK);
	CHECK(staged);
	return staged;
}

static int bound_device(void)
{
	pthread_mutex_lock(&device_lock);
	if (device < 0)
		device = access_open();
	pthread_mutex_unlock(&device_lock);
	return device;
}

/* Execute an operation to its end, across signals.  Returns 0 or an error. */
static int operate(struct devpub_access *arg)
{
	int error;

	__atomic_fetch_add(operations, 1, __ATOMIC_RELAXED);
	while ((error = access_try(bound_device(), arg)) == EINTR && arg->done < arg->length) {
		access_advance(arg);
		arg->done = 0;
	}
	if (error == EINTR)
		error = 0;
	/* Only these errors have an address, says the ABI. */
	CHECK_EQ(!!arg->fault_addr, error == EFAULT || error == EHWPOISON);
	return error;
}

static void must_operate(struct devpub_access *arg)
{
	static const char *const names[] = {
		"read", "write", "fill", "copy", "compare", "add", "exchange", "compare-exchange",
	};
	int error = operate(arg);

	if (error)
		FAIL("device can't %s at %#llx: %s", names[arg->op],
		     (unsigned long long)(arg->fault_addr ?: arg->addr), strerror(error));
}

static struct devpub_access valued(unsigned int op, const void *addr, size_t size,
				   uint64_t operand)
{
	return (struct devpub_access) {
		.op = op, .addr = address(addr), .length = size, .operand = operand,
	};
}

int mem_try_touch(volatile char *byte, bool write)
{
	struct devpub_access read, store;
	char value;
	int error;

	if (!mem_by_device()) {
		value = *byte;
		if (write)
			*byte = value;
		return 0;
	}
	read = access_arg(DEVPUB_OP_READ, byte, &value, 1);
	error = operate(&read);
	if (error)
		CHECK_EQ(read.fault_addr, address((void *)byte));
	if (error || !write)
		return error;
	store = access_arg(DEVPUB_OP_WRITE, byte, &value, 1);
	error = operate(&store);
	if (error)
		CHECK_EQ(store.fault_addr, address((void *)byte));
	return error;
}

const uint64_t *mem_view(const void *addr, size_t words)
{
	struct devpub_access arg;

	if (!mem_by_device())
		return addr;
	arg = access_arg(DEVPUB_OP_READ, addr, staging(words), words * sizeof(*staged));
	must_operate(&arg);
	return staged;
}

uint64_t *mem_stage(void *addr, size_t words)
{
	if (!mem_by_device())
		return addr;
	return staging(words);
}

void mem_commit(void *addr, size_t words)
{
	struct devpub_access arg;

	if (!mem_by_device())
		return;
	arg = access_arg(DEVPUB_OP_WRITE, addr, staged, words * sizeof(*staged));
	must_operate(&arg);
}

void mem_write(void *addr, const void *data, size_t size)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, addr, data, size);

	if (mem_by_device())
		must_operate(&arg);
	else
		memcpy(addr, data, size);
}

void mem_set(void *addr, unsigned char value, size_t size)
{
	struct devpub_access arg = valued(DEVPUB_OP_FILL, addr, size,
					  value * 0x0101010101010101ULL);

	if (mem_by_device())
		must_operate(&arg);
	else
		memset(addr, value, size);
}

bool mem_equal(const void *one, const void *other, size_t size)
{
	struct devpub_access arg = {
		.op = DEVPUB_OP_COMPARE, .addr = address(one), .length = size,
		.other = address(other),
	};

	if (!mem_by_device())
		return !memcmp(one, other, size);
	must_operate(&arg);
	return arg.done == arg.length;
}

char mem_get(const char *byte)
{
	struct devpub_access arg;
	char value;

	if (!mem_by_device())
		return *(const volatile char *)byte;
	arg = access_arg(DEVPUB_OP_READ, byte, &value, 1);
	must_operate(&arg);
	return value;
}

void mem_put(char *byte, char value)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, byte, &value, 1);

	if (mem_by_device())
		must_operate(&arg);
	else
		*(volatile char *)byte = value;
}

uint32_t mem_get_word(const uint32_t *word)
{
	struct devpub_access arg;
	uint32_t value;

	if (!mem_by_device())
		return __atomic_load_n(word, __ATOMIC_ACQUIRE);
	arg = access_arg(DEVPUB_OP_READ, word, &value, sizeof(value));
	must_operate(&arg);
	return value;
}

void mem_put_word(uint32_t *word, uint32_t value)
{
	struct devpub_access arg = access_arg(DEVPUB_OP_WRITE, word, &value, sizeof(value));

	if (mem_by_device())
		must_operate(&arg);
	else
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

void mem_add_word(void *word, uint32_t value)
{
	struct devpub_access arg = valued(DEVPUB_OP_ADD, word, sizeof(value), value);

	if (mem_by_device())
		must_operate(&arg);
	else
		__atomic_fetch_add((uint32_t *)word, value, __ATOMIC_SEQ_CST);
}
