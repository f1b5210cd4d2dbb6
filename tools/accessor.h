/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Lets a device access memory that it is bound to, in pieces. */
#ifndef DEVPUB_TOOLS_ACCESSOR_H
#define DEVPUB_TOOLS_ACCESSOR_H

#include <stdint.h>
#include <stdio.h>
#include <devpub.h>

#include "operation.h"

/* Why an operation ended. */
enum accessor_end {
	ACCESSOR_COMPLETE,
	ACCESSOR_DIFFERS,	/* a comparison found a difference */
	ACCESSOR_NO_DATA,	/* the input ended, or the output could not be written */
	ACCESSOR_FAILED,	/* the call failed */
};

/**
 * struct accessor - an operation of a device, and its results
 * @dev:	the device, which is bound to the memory
 * @process:	the process for library calls; NULL for the caller
 * @base:	address of the file's offset 0, for an operation on a file; otherwise 0
 * @operation:	the operation
 * @data:	stream that a write reads from, or that a read writes to
 * @done:	bytes at the start of the range that are complete
 * @faults:	number of faults of the device
 * @migrations:	number of pages that the operation migrated
 * @value:	value before an atomic operation
 * @end:	why it ended
 * @error:	with ACCESSOR_FAILED, and if the output could not be written, a negative errno
 * @at:		address or offset at which it ended before it was complete
 */
struct accessor {
	struct devpub *dev;
	const struct devpub_process *process;
	uint64_t base;
	struct operation operation;
	FILE *data;
	uint64_t done;
	uint64_t faults;
	uint64_t migrations;
	uint64_t value;
	enum accessor_end end;
	int error;
	uint64_t at;
};

/* Execute the operation, and set the results. */
void accessor_run(struct accessor *accessor);

/*
 * Return the name of the location of the pages of a range, "mixed" if they have several, or
 * NULL if it can't be found out.
 */
const char *accessor_location(const struct devpub *dev, const struct devpub_process *process,
			      uint64_t addr, uint64_t length);

#endif /* DEVPUB_TOOLS_ACCESSOR_H */
