/* SPDX-License-Identifier: GPL-2.0 */
/* Moves memory in pieces, with a second try for what is busy for a moment. */
#ifndef DEVPUB_TOOLS_MOVER_H
#define DEVPUB_TOOLS_MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <devpub.h>

#include "devices.h"

/**
 * struct mover - a migration of any number of ranges
 * @process:	whose memory, NULL for our own
 * @dev:	the device to move to; or those to bring memory back from, one
 *		after the other
 * @n:		their number, 1 for a migration to a device
 * @to:		to the device
 * @page_size:	bytes
 * @pagemap:	the process's, to pass over what is wholly absent; -1 for none
 * @tries:	times that busy pages are tried, 1 for no second time
 * @reason:	what became of the pages in the end, by enum devpub_reason
 */
struct mover {
	const struct devpub_process *process;
	struct devpub *dev[DEVICES_MAX];
	size_t n;
	bool to;
	uint64_t page_size;
	int pagemap;
	unsigned int tries;
	uint64_t reason[DEVPUB_REASONS_MAX];
};

/* Of @pid, whose pagemap is opened where that is allowed. */
void mover_open(struct mover *mover, pid_t pid,
		const struct devpub_process *process);
void mover_close(struct mover *mover);

/* Move a range.  0 or -errno, with @reason true of what was done by then. */
int mover_move(struct mover *mover, uint64_t start, uint64_t end);

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
