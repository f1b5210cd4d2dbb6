// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "follow.h"
#include "maps.h"
#include "mover.h"

/* Move memory after this many rounds without growth: it may be freed and allocated again. */
#define IDLE_ROUNDS	20

/* Give up after this many failures: during exec and exit a process has no memory. */
#define FAILED_ROUNDS	200

/* The time of a round, and the maximum time for one process in it, in seconds. */
#define ROUND_SECONDS	1.0
#define PASS_SECONDS	0.3

/* Stop following a process.  If no pass was completed, count the results of the last one. */
static void drop(struct follow *follow, const struct followed *followed)
{
	const uint64_t *reason = followed->passed ? followed->reason : followed->pass;
	unsigned int r;

	for (r = DEVPUB_REASON_UNMAPPED; r < DEVPUB_REASONS_MAX; r++)
		follow->refused[r] += reason[r];
}

/* Return true if the process has ended; false also if that is unknown. */
static bool has_ended(struct follow *follow, const struct followed *followed)
{
	struct proc proc;
	int ret = family_open(&followed->member, &proc);

	if (!ret)
		proc_close(&proc);
	else if (ret != -ESRCH && ret != -EAGAIN)
		follow->error = ret;
	return ret == -ESRCH;
}

static bool is_same(const struct member *a, const struct member *b)
{
	return a->pid == b->pid && a->started == b->started;
}

/* Merge two lists, both in the order of the process numbers. */
static void merge(struct follow *follow, const struct family *family,
		  struct followed *list)
{
	size_t i = 0, j = 0, n = 0;

	while (i < follow->n || j < family->n) {
		struct followed *known = i < follow->n ? &follow->list[i] : NULL;
		const struct member *found = j < family->n ? &family->member[j] : NULL;

		if (known && found && is_same(&known->member, found)) {
			list[n++] = *known;
			i++;
			j++;
		} else if (known && (!found || known->member.pid <= found->pid)) {
			/* The search left the process out, or another process has its number now. */
			if (has_ended(follow, known))
				drop(follow, known);
			else
				list[n++] = *known;
			i++;
		} else if (found) {
			list[n++] = (struct followed) { .member = *found };
			follow->processes++;
			j++;
		}
	}
	free(follow->list);
	follow->list = list;
	follow->n = n;
}

static void find_processes(struct follow *follow, int until)
{
	struct followed *list;
	struct family family;
	int ret;

	ret = family_find(&family, until);
	if (ret)
		follow->error = ret;
	list = calloc(follow->n + family.n + 1, sizeof(*list));
	if (list)
		merge(follow, &family, list);
	else
		follow->error = -ENOMEM;
	family_free(&family);
}

/* Read the number of resident pages that belong to no file.  Return 0 or -errno. */
static int read_resident(const struct proc *proc, uint64_t *resident)
{
	uint64_t all, shared;
	char *text;
	int ret;

	ret = proc_read(proc, "statm", &text);
	if (ret)
		return ret;
	ret = sscanf(text, "%*u %" SCNu64 " %" SCNu64, &all, &shared) == 2 ? 0 : -EIO;
	free(text);
	*resident = ret ? 0 : all - shared;
	return ret;
}

static bool readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

/* Move the memory from the address on at which the last round has stopped. */
static int move(struct followed *followed, struct mover *mover, const struct maps *maps)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < maps->n && !ret; i++) {
		const struct mapping *mapping = &maps->mapping[i];

		if (mapping->kind == MAPPING_ANON && mapping->end > followed->at)
			ret = mover_move(mover, mapping, followed->at);
	}
	followed->at = ret == MOVER_STOPPED ? mover->at : 0;
	return ret;
}

static int move_memory(struct followed *followed, struct mover *mover,
		       const struct proc *proc)
{
	struct devpub_process *process;
	struct maps maps;
	int ret;

	ret = devpub_attach_fd(proc->pidfd, &process);
	if (ret)
		return ret;
	ret = mover_open(mover, proc, process);
	if (!ret) {
		ret = mover_maps(mover, &maps);
		if (!ret) {
			ret = move(followed, mover, &maps);
			maps_free(&maps);
		}
		mover_close(mover);
	}
	devpub_detach(process);
	return ret;
}

/* Return 0, MOVER_STOPPED or -errno. */
static int pass(struct follow *follow, struct followed *followed,
		const struct proc *proc, int until)
{
	struct mover mover = {
		.dev[0] = follow->dev, .n = 1, .to = true, .tries = 1,
		.until = until, .deadline = clock_now() + PASS_SECONDS,
	};
	uint64_t there;
	unsigned int r;
	int ret;

	if (!followed->at) {
		memset(followed->pass, 0, sizeof(followed->pass));
		follow->passes++;
	}
	ret = move_memory(followed, &mover, proc);
	follow->moved += mover.reason[DEVPUB_REASON_MOVED];
	for (r = 0; r < DEVPUB_REASONS_MAX; r++)
		followed->pass[r] += mover.reason[r];
	there = followed->pass[DEVPUB_REASON_MOVED] +
		followed->pass[DEVPUB_REASON_ALREADY];
	if (!ret) {
		memcpy(followed->reason, followed->pass, sizeof(followed->reason));
		followed->passed = true;
	}
	if (!ret || there > followed->there)
		followed->there = there;
	return ret;
}

static int look_at(struct follow *follow, struct followed *followed, int until)
{
	struct proc proc;
	uint64_t resident;
	int ret;

	ret = family_open(&followed->member, &proc);
	if (ret)
		return ret;
	ret = read_resident(&proc, &resident);
	if (!ret && (followed->at || resident != followed->resident ||
		     ++followed->idle >= IDLE_ROUNDS)) {
		followed->resident = resident;
		followed->idle = 0;
		ret = pass(follow, followed, &proc, until);
	}
	proc_close(&proc);
	return ret;
}

/* Handle the result.  Ignore a process that has ended: the next round drops it. */
static void judge(struct follow *follow, struct followed *followed, int ret)
{
	if (ret >= 0) {
		followed->failed = 0;
	} else if (ret == -EAGAIN && ++followed->failed < FAILED_ROUNDS) {
		followed->at = 0;
		followed->idle = IDLE_ROUNDS;
	} else if (ret != -ESRCH) {
		follow->error = ret;
	}
}

void follow_round(struct follow *follow, int until)
{
	const double begun = clock_now();
	uint64_t there = 0;
	size_t i, first;

	find_processes(follow, until);
	for (first = 0; first < follow->n; first++)
		if (follow->list[first].member.pid >= follow->next)
			break;
	for (i = 0; i < follow->n; i++) {
		struct followed *followed = &follow->list[(first + i) % follow->n];

		follow->next = followed->member.pid;
		if (readable(until) || clock_now() - begun > ROUND_SECONDS)
			break;
		judge(follow, followed, look_at(follow, followed, until));
		follow->next++;
	}
	for (i = 0; i < follow->n; i++)
		there += follow->list[i].there;
	if (there > follow->peak)
		follow->peak = there;
}

void follow_end(struct follow *follow)
{
	size_t i;

	for (i = 0; i < follow->n; i++)
		drop(follow, &follow->list[i]);
	free(follow->list);
	follow->list = NULL;
	follow->n = 0;
}
