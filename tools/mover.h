/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Moves memory in pieces, and retries pages that are busy for a moment. */
#ifndef DEVPUB_TOOLS_MOVER_H
#define DEVPUB_TOOLS_MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <devpub.h>

#include "devices.h"
#include "maps.h"
#include "populated.h"
#include "proc.h"

/**
 * struct mover - a migration of any number of ranges
 * @process:	the process for library calls; NULL for the caller
 * @dev:	the device to move to, or the devices to move back from, one after the
 *		other
 * @n:		number of devices, 1 for a migration to a device
 * @to:		move to the device, not back
 * @page_size:	size of a page in bytes
 * @proc:	the process
 * @populated:	finds pages, so that ranges without pages are skipped
 * @tries:	number of attempts for busy pages; 1 for no retry
 * @until:	stop when this file descriptor is readable; -1 for none
 * @deadline:	stop at this time of the monotonic clock, in seconds; 0 for never
 * @at:		address at which it has stopped
 * @reason:	number of pages by final enum devpub_reason
 */
struct mover {
	const struct devpub_process *process;
	struct devpub *dev[DEVICES_MAX];
	size_t n;
	bool to;
	uint64_t page_size;
	const struct proc *proc;
	struct populated populated;
	unsigned int tries;
	int until;
	double deadline;
	uint64_t at;
	uint64_t reason[DEVPUB_REASONS_MAX];
};

/*
 * Prepare to move memory of a process, after devices and options are set.  Open its pagemap
 * if the caller may do so.  Return 0 or -errno.
 */
int mover_open(struct mover *mover, const struct proc *proc,
	       const struct devpub_process *process);
void mover_close(struct mover *mover);

/* Read the mappings of the process, and mark large ones without pages if lookups take long. */
int mover_maps(const struct mover *mover, struct maps *maps);

#define MOVER_STOPPED	1

/*
 * Move the part of a mapping from @from on.  Return 0, MOVER_STOPPED or -errno; @reason counts
 * the pages done so far.  Return -EAGAIN if the process has executed another program.
 */
int mover_move(struct mover *mover, const struct mapping *mapping, uint64_t from);

/* Return the number of pages that were to move and did not. */
uint64_t mover_refused(const struct mover *mover);

/*
 * Combine the results of two calls for a page; @next is that of the later call.  A page that
 * moved counts as moved.  The result of a device that the page is not on does not matter.
 */
unsigned char mover_merge(unsigned char reason, unsigned char next);

/* Print a table of @reason; @name is its name in JSON. */
void mover_print(const struct mover *mover, const char *name);

#endif /* DEVPUB_TOOLS_MOVER_H */
