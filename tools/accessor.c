// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "accessor.h"
#include "array.h"
#include "progress.h"

/* Size of a piece: that of the buffer, and otherwise of a step of the progress line. */
#define BUFFER		(1UL << 20)
#define PIECE		(64UL << 20)

static bool uses_data(const struct operation *operation)
{
	return operation->op == DEVPUB_OP_READ || operation->op == DEVPUB_OP_WRITE;
}

/* Access the next @n bytes.  Resume after signals, which only interrupt. */
static int access_piece(struct accessor *accessor, uint64_t n, const void *buffer)
{
	const struct operation *const operation = &accessor->operation;
	const uint64_t from = accessor->done;
	struct devpub_access access;
	int ret;

	do {
		const uint64_t part = accessor->done - from;

		access = (struct devpub_access) {
			.op = operation->op,
			.addr = accessor->base + operation->addr + accessor->done,
			.length = n - part,
			.buffer = buffer ? (uintptr_t)buffer + part : 0,
			.operand = operation->operand,
			.compare = operation->compare,
		};
		if (operation_has_other(operation->op))
			access.other = accessor->base + operation->other + accessor->done;
		ret = devpub_access(accessor->dev, &access);
		accessor->done += access.done;
		accessor->faults += access.faults;
		accessor->migrations += access.migrations;
	} while (ret == -EINTR && accessor->done - from < n);
	accessor->value = access.result;
	if (ret == -EFAULT || ret == -EHWPOISON)
		accessor->at = access.fault_addr - (access.fault_addr ? accessor->base : 0);
	return accessor->done - from == n ? 0 : ret;
}

/* Execute the next piece.  Return false when the operation has ended early. */
static bool run_piece(struct accessor *accessor, void *buffer)
{
	const struct operation *const operation = &accessor->operation;
	const uint64_t limit = buffer ? BUFFER : PIECE, from = accessor->done;
	uint64_t n = operation->length - from, given;

	if (n > limit)
		n = limit;
	given = n;
	if (operation->op == DEVPUB_OP_WRITE)
		given = fread(buffer, 1, n, accessor->data);
	if (given)
		accessor->error = access_piece(accessor, given, buffer);
	n -= accessor->done - from;
	progress_add(accessor->done - from);
	if (operation->op == DEVPUB_OP_READ &&
	    fwrite(buffer, 1, accessor->done - from, accessor->data) < accessor->done - from) {
		accessor->end = ACCESSOR_NO_DATA;
		accessor->error = -errno;
		return false;
	}
	if (accessor->error)
		accessor->end = ACCESSOR_FAILED;
	else if (n)
		accessor->end = operation->op == DEVPUB_OP_WRITE ? ACCESSOR_NO_DATA :
				ACCESSOR_DIFFERS;
	return accessor->end == ACCESSOR_COMPLETE;
}

void accessor_run(struct accessor *accessor)
{
	const struct operation *const operation = &accessor->operation;
	void *buffer = NULL;

	if (uses_data(operation)) {
		buffer = malloc(BUFFER);
		if (!buffer) {
			accessor->end = ACCESSOR_FAILED;
			accessor->error = -ENOMEM;
			return;
		}
	}
	progress_begin(operation_name(operation->op), operation->length);
	while (accessor->done < operation->length && run_piece(accessor, buffer))
		;
	progress_end();
	free(buffer);
	if (accessor->end == ACCESSOR_COMPLETE && operation->op == DEVPUB_OP_COMPARE_EXCHANGE &&
	    accessor->value != operation->compare)
		accessor->end = ACCESSOR_DIFFERS;
	else if (accessor->end == ACCESSOR_DIFFERS || accessor->end == ACCESSOR_NO_DATA)
		accessor->at = operation->addr + accessor->done;
}

const char *accessor_location(const struct devpub *dev, const struct devpub_process *process,
			      uint64_t addr, uint64_t length)
{
	const uint64_t page = sysconf(_SC_PAGESIZE), start = addr & -page;
	const struct devpub_range range = {
		start, ((addr + length + page - 1) & -page) - start
	};
	struct devpub_locations counts;
	const uint64_t *const by_location[] = {
		[DEVPUB_LOCATION_ABSENT] = &counts.absent,
		[DEVPUB_LOCATION_SYSTEM] = &counts.system,
		[DEVPUB_LOCATION_DEVICE] = &counts.device,
		[DEVPUB_LOCATION_OTHER_DEVICE] = &counts.other_device,
		[DEVPUB_LOCATION_OTHER] = &counts.other,
	};
	size_t i;

	if (!length || devpub_query_v(dev, process, &range, 1, NULL, &counts))
		return NULL;
	for (i = DEVPUB_LOCATION_ABSENT; i < ARRAY_SIZE(by_location); i++)
		if (*by_location[i] == counts.done / page)
			return devpub_location_name(i);
	return "mixed";
}
