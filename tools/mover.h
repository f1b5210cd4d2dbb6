/* SPDX-License-Identifier: GPL-2.0 */
/* Moves memory in pieces, with a second try for what is busy for a moment. */
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
 * @process:	whose memory, NULL for our own
 * @dev:	the device to move to; or those to bring memory back from, one
 *		after the other
 * @n:		their number, 1 for a migration to a device
 * @to:		to the device
 * @page_size:	bytes
 * @proc:	the process
 * @populated:	where its memory has pages, to pass over what is wholly absent
 * @tries:	times that busy pages are tried, 1 for no second time
 * @until:	a descriptor: stop when it can be read; -1 for none
 * @deadline:	stop at this time of the monotonic clock, in seconds; 0 for never
 * @at:		where it has stopped
 * @reason:	what became of the pages in the end, by enum devpub_reason
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
 * Of a process, whose pagemap is opened where that is allowed: with devices and the rest
 * set.  0 or -errno.
 */
int mover_open(struct mover *mover, const struct proc *proc,
	       const struct devpub_process *process);
void mover_close(struct mover *mover);

/* Its mappings, with those known that nothing is in, where looking would take long. */
int mover_maps(const struct mover *mover, struct maps *maps);

#define MOVER_STOPPED	1

/*
 * Move what of a mapping is behind @from.  0, MOVER_STOPPED or -errno, with @reason true
 * of what was done by then.  -EAGAIN for a process that runs another program by now.
 */
int mover_move(struct mover *mover, const struct mapping *mapping, uint64_t from);

/* Pages that should have moved and did not. */
uint64_t mover_refused(const struct mover *mover);

/*
 * A page's word after two calls of which the later said @next: a page that moved
 * has moved, and a device that it is not on knows no better than the others.
 */
unsigned char mover_merge(unsigned char reason, unsigned char next);

/* A table of @reason; @name is its name in JSON. */
void mover_print(const struct mover *mover, const char *name);

#endif /* DEVPUB_TOOLS_MOVER_H */
