/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Keeps the anonymous memory of a process and its descendants on a device. */
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
 * @member:	its number and start time
 * @resident:	its resident pages at the last check
 * @idle:	rounds since the last pass
 * @failed:	number of successive rounds in which it had no memory
 * @at:		address at which an incomplete pass has stopped; 0 for none
 * @passed:	a pass was completed
 * @there:	number of pages on the device after the last pass
 * @pass:	number of pages of the current pass, by enum devpub_reason
 * @reason:	number of pages of the last completed pass, by enum devpub_reason
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
 * struct follow - the followed processes, and the results
 * @dev:	the device to move the memory to
 * @list:	the present processes, in the order of their numbers
 * @n:		number of entries of @list
 * @next:	number of the process to check next
 * @processes:	number of processes that have been followed
 * @passes:	number of passes over a process's memory
 * @moved:	total number of pages that moved
 * @peak:	maximum number of pages on the device at a time
 * @refused:	number of pages that could not move, by enum devpub_reason; only the last
 *		pass of each process counts
 * @error:	the error because of which a process could not be followed, or 0
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
 * Run a round of about a second: find the descendants of this process, and move the memory
 * of those that have grown.  End early when the file descriptor @until is readable.
 */
void follow_round(struct follow *follow, int until);
void follow_end(struct follow *follow);

#endif /* DEVPUB_TOOLS_FOLLOW_H */
