/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps the anonymous memory of a process and all it starts on a device. */
#ifndef DEVPUB_TOOLS_FOLLOW_H
#define DEVPUB_TOOLS_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <devpub.h>

#include "family.h"

/**
 * struct followed - a process
 * @member:	itself
 * @resident:	its pages in memory when last looked at
 * @idle:	rounds since the last pass
 * @failed:	rounds in which it had no memory, one after the other
 * @at:		where a pass that takes several rounds has stopped; 0 for none
 * @passed:	a pass has come to its end
 * @there:	pages on the device after the last pass
 * @pass:	what the pass under way has left where it is, by enum devpub_reason
 * @reason:	what the last whole pass left there
 */
struct followed {
	struct member member;
	uint64_t resident;
	unsigned int idle;
	unsigned int failed;
	uint64_t at;
	bool passed;
	uint64_t there;
	uint64_t pass[DEVPUB_REASONS_MAX];
	uint64_t reason[DEVPUB_REASONS_MAX];
};

/**
 * struct follow - what is followed, and what came of it
 * @dev:	where the memory goes
 * @list:	the processes now, in the order of their numbers
 * @n:		their number
 * @next:	the number of the process that is next to be looked at
 * @processes:	processes that were ever there
 * @passes:	passes over a process's memory
 * @moved:	pages moved in all
 * @peak:	most pages there at a time
 * @refused:	pages that a pass could not move, those of each process once: by its
 *		last pass
 * @error:	why a process could not be followed, or 0
 */
struct follow {
	struct devpub *dev;
	struct followed *list;
	size_t n;
	pid_t next;
	uint64_t processes;
	uint64_t passes;
	uint64_t moved;
	uint64_t peak;
	uint64_t refused[DEVPUB_REASONS_MAX];
	int error;
};

/*
 * One round, of a second or so: finds the processes below this one, and moves what they
 * have grown by.  Ends early when @until, a file descriptor, can be read.
 */
void follow_round(struct follow *follow, int until);
void follow_end(struct follow *follow);

#endif /* DEVPUB_TOOLS_FOLLOW_H */
