/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps the anonymous memory of a process and all it starts on a device. */
#ifndef DEVPUB_TOOLS_FOLLOW_H
#define DEVPUB_TOOLS_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <devpub.h>

/**
 * struct followed - a process
 * @pid:	its number
 * @process:	itself
 * @seen:	was there when the list was last made
 * @resident:	its pages in memory when last looked at
 * @idle:	rounds since the last pass
 * @there:	pages on the device after the last pass
 * @reason:	what the last pass left where it is, by enum devpub_reason
 */
struct followed {
	pid_t pid;
	struct devpub_process *process;
	bool seen;
	uint64_t resident;
	unsigned int idle;
	uint64_t there;
	uint64_t reason[DEVPUB_REASONS_MAX];
};

/**
 * struct follow - what is followed, and what came of it
 * @dev:	where the memory goes
 * @list:	the processes now
 * @n:		their number
 * @room:	of @list
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
	size_t room;
	uint64_t processes;
	uint64_t passes;
	uint64_t moved;
	uint64_t peak;
	uint64_t refused[DEVPUB_REASONS_MAX];
	int error;
};

/*
 * One round: finds the processes below this one, and moves what they have grown
 * by.  Ends early when @until, a file descriptor, can be read.
 */
void follow_round(struct follow *follow, int until);
void follow_end(struct follow *follow);

#endif /* DEVPUB_TOOLS_FOLLOW_H */
