// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The device executes each operation on memory in each location.  The CPU does the same to a copy
 * of the memory, and compares.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access_check.h"
#include "accessor.h"
#include "array.h"
#include "devices.h"
#include "operation.h"
#include "table.h"
#include "text.h"

#define SIZE	(1UL << 20)

enum {
	MEMORY, OPERATION, WIDTH, LENGTH, FAULTS, MIGRATIONS, LOCATION, RESULT
};

static const struct column columns[] = {
	[MEMORY] = { .name = "MEMORY" },
	[OPERATION] = { .name = "OPERATION" },
	[WIDTH] = { .name = "WIDTH", .kind = COLUMN_NUMBER },
	[LENGTH] = { .name = "LENGTH", .kind = COLUMN_SIZE },
	[FAULTS] = { .name = "FAULTS", .kind = COLUMN_NUMBER },
	[MIGRATIONS] = { .name = "MIGRATIONS", .kind = COLUMN_NUMBER },
	[LOCATION] = { .name = "LOCATION" },
	[RESULT] = { .name = "RESULT" },
};

/**
 * struct check - a test of a device
 * @dev:	the device
 * @name:	its name
 * @table:	the results
 * @place:	the location that is tested
 * @size:	size of a range; all memory has two of them
 * @memory:	memory that the device accesses
 * @model:	what must be in it
 * @buffer:	data that the device writes, and where it puts what it reads
 * @tries:	number of operations
 * @wrong:	number of those that went wrong
 */
struct check {
	struct devpub *dev;
	const char *name;
	struct table *table;
	const char *place;
	size_t size;
	unsigned char *memory;
	unsigned char *model;
	unsigned char *buffer;
	unsigned int tries;
	unsigned int wrong;
};

/* Execute an operation, after the model was changed, and compare all results. */
static void try(struct check *check, struct devpub_access access, uint64_t done, uint64_t value)
{
	const uint64_t addr = (uintptr_t)check->memory + access.addr;
	const char *location, *result = "ok";
	int ret;

	access.addr = addr;
	if (operation_has_other(access.op))
		access.other += (uintptr_t)check->memory;
	do {
		access.done = 0;
		ret = devpub_access(check->dev, &access);
	} while (ret == -EINTR && !access.done);
	location = accessor_location(check->dev, NULL, addr, access.length);
	if (ret)
		result = strerror(-ret);
	else if (access.done != done || access.result != value ||
		 memcmp(check->memory, check->model, 2 * check->size))
		result = "wrong";
	check->tries++;
	check->wrong += !!strcmp(result, "ok");
	table_row(check->table);
	table_text(check->table, MEMORY, check->place);
	table_text(check->table, OPERATION, operation_name(access.op));
	if (access.op >= DEVPUB_OP_ADD)
		table_number(check->table, WIDTH, access.length * 8);
	table_number(check->table, LENGTH, access.length);
	table_number(check->table, FAULTS, access.faults);
	table_number(check->table, MIGRATIONS, access.migrations);
	if (location)
		table_text(check->table, LOCATION, location);
	table_text(check->table, RESULT, result);
}

/* Fill with bytes that have no period. */
static void scramble(unsigned char *buffer, size_t size)
{
	uint32_t value = 0x2545f491;
	size_t i;

	for (i = 0; i < size; i++) {
		value ^= value << 13;
		value ^= value >> 17;
		value ^= value << 5;
		buffer[i] = value;
	}
}

static void try_ranges(struct check *check)
{
	const uint64_t pattern = 0x0123456789abcdef;
	const size_t size = check->size;
	struct devpub_access access = { .length = size };
	size_t i;

	access.op = DEVPUB_OP_WRITE;
	access.buffer = (uintptr_t)check->buffer;
	scramble(check->buffer, size);
	memcpy(check->model, check->buffer, size);
	try(check, access, size, 0);

	/* What it reads replaces other data, and is compared like memory. */
	access.op = DEVPUB_OP_READ;
	access.buffer = (uintptr_t)check->memory + size;
	memcpy(check->model + size, check->model, size);
	try(check, access, size, 0);

	access = (struct devpub_access) {
		.op = DEVPUB_OP_FILL, .addr = size, .length = size, .operand = pattern,
	};
	for (i = 0; i < size; i += sizeof(pattern))
		memcpy(check->model + size + i, &pattern, sizeof(pattern));
	try(check, access, size, 0);

	access = (struct devpub_access) {
		.op = DEVPUB_OP_COPY, .addr = size, .other = 0, .length = size,
	};
	memcpy(check->model + size, check->model, size);
	try(check, access, size, 0);
	access.op = DEVPUB_OP_COMPARE;
	try(check, access, size, 0);
	check->memory[size - 1] ^= 1;
	check->model[size - 1] ^= 1;
	try(check, access, size - 1, 0);
}

/* Store a value of 4 or 8 bytes, or return it. */
static void put(unsigned char *at, uint64_t value, unsigned int bytes)
{
	const uint32_t half = value;

	memcpy(at, bytes == sizeof(half) ? (const void *)&half : &value, bytes);
}

static uint64_t get(const unsigned char *at, unsigned int bytes)
{
	uint64_t value;
	uint32_t half;

	memcpy(&half, at, sizeof(half));
	memcpy(&value, at, sizeof(value));
	return bytes == sizeof(half) ? half : value;
}

static void try_atomic(struct check *check, unsigned int bytes)
{
	const size_t at = check->size / 2;
	unsigned char *const model = check->model + at;
	struct devpub_access access = { .addr = at, .length = bytes };
	uint64_t value = get(model, bytes);

	access.op = DEVPUB_OP_ADD;
	access.operand = 0xf7654321;
	put(model, value + access.operand, bytes);
	try(check, access, bytes, value);
	value = get(model, bytes);

	access.op = DEVPUB_OP_EXCHANGE;
	put(model, access.operand, bytes);
	try(check, access, bytes, value);
	value = access.operand;

	/* One that does not find the expected value, and one that does. */
	access.op = DEVPUB_OP_COMPARE_EXCHANGE;
	access.operand = 77;
	access.compare = value - 1;
	try(check, access, bytes, value);
	access.compare = value;
	put(model, access.operand, bytes);
	try(check, access, bytes, value);
}

static void try_all(struct check *check, const char *place, void *memory)
{
	check->place = place;
	check->memory = memory;
	memset(check->model, 0, 2 * check->size);
	try_ranges(check);
	try_atomic(check, sizeof(uint32_t));
	try_atomic(check, sizeof(uint64_t));
}

static void *allocate(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int report(const struct check *check)
{
	table_print(check->table);
	if (check->wrong)
		return ctl_fail(CTL_FAILED, "%s: %u of %u operations went wrong", check->name,
				check->wrong, check->tries);
	return CTL_OK;
}

static int with_device(struct check *check)
{
	char text[TEXT_SIZE];
	void *system, *device;
	int ret;

	system = allocate(2 * check->size);
	check->model = allocate(2 * check->size);
	check->buffer = allocate(check->size);
	if (!system || !check->model || !check->buffer)
		return ctl_error(-ENOMEM, "memory of %s", text_size(text, 5 * check->size));
	ret = devpub_bind(check->dev, NULL);
	if (ret)
		return ctl_error(ret, "%s", check->name);
	ret = devpub_alloc(check->dev, 2 * check->size, &device);
	if (ret == -ENOSPC)
		return ctl_fail(CTL_FAILED, "%s: it has no %s of free memory; see: devpubctl list",
				check->name, text_size(text, 2 * check->size));
	if (ret)
		return ctl_error(ret, "%s", check->name);
	check->table = table_new("check", columns, ARRAY_SIZE(columns));
	try_all(check, devpub_location_name(DEVPUB_LOCATION_SYSTEM), system);
	try_all(check, devpub_location_name(DEVPUB_LOCATION_DEVICE), device);
	ret = report(check);
	table_free(check->table);
	devpub_free(device, 2 * check->size);
	return ret;
}

int access_check(const struct command *command, const char *device, const char *size)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct check check = { 0 };
	uint64_t bytes = SIZE;
	unsigned int index;
	char name[32];
	int status;

	if (size && (!text_parse_size(size, "", NULL, &bytes) || !bytes ||
		     bytes > SIZE_MAX / 8))
		return ctl_usage(command, "check %s: write a size from 1 on, such as 4K", size);
	check.size = (bytes + page - 1) & -page;
	status = devices_open_any(device, &check.dev, &index);
	if (status)
		return status;
	snprintf(name, sizeof(name), "devpub%u", index);
	check.name = name;
	status = with_device(&check);
	devpub_close(check.dev);
	return status;
}
