// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "follow.h"
#include "maps.h"
#include "mover.h"
#include "text.h"

/* Memory may be freed and taken anew without the sum telling. */
#define IDLE_ROUNDS	20

static struct followed *find(struct follow *follow, pid_t pid)
{
	size_t i;

	for (i = 0; i < follow->n; i++)
		if (follow->list[i].pid == pid)
			return &follow->list[i];
	return NULL;
}

static void add(struct follow *follow, pid_t pid)
{
	struct devpub_process *process;
	struct followed *grown;

	if (devpub_attach(pid, &process))
		return;
	if (follow->n == follow->room) {
		grown = realloc(follow->list,
				(2 * follow->room + 16) * sizeof(*grown));
		if (!grown) {
			devpub_detach(process);
			follow->error = -ENOMEM;
			return;
		}
		follow->list = grown;
		follow->room = 2 * follow->room + 16;
	}
	follow->list[follow->n++] = (struct followed) {
		.pid = pid, .process = process, .seen = true,
	};
	follow->processes++;
}

static void add_children(struct follow *follow, pid_t pid);

static void add_children_of_thread(struct follow *follow, const char *path)
{
	FILE *file = fopen(path, "re");
	struct followed *known;
	pid_t child;

	if (!file)
		return;
	while (fscanf(file, "%d", &child) == 1) {
		known = find(follow, child);
		if (known)
			known->seen = true;
		else
			add(follow, child);
		add_children(follow, child);
	}
	fclose(file);
}

/* Each thread has children of its own. */
static void add_children(struct follow *follow, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	uint64_t tid;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!text_parse_number(entry->d_name, INT32_MAX, &tid))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid,
			 (int)tid);
		add_children_of_thread(follow, path);
	}
	closedir(dir);
}

static void drop(struct follow *follow, size_t i)
{
	struct followed *followed = &follow->list[i];
	unsigned int r;

	for (r = DEVPUB_REASON_UNMAPPED; r < DEVPUB_REASONS_MAX; r++)
		follow->refused[r] += followed->reason[r];
	devpub_detach(followed->process);
	*followed = follow->list[--follow->n];
}

static void find_processes(struct follow *follow)
{
	size_t i;

	for (i = 0; i < follow->n; i++)
		follow->list[i].seen = false;
	add_children(follow, getpid());
	for (i = follow->n; i--;)
		if (!follow->list[i].seen)
			drop(follow, i);
}

/* Pages in memory that are not a file's. */
static uint64_t resident(pid_t pid)
{
	uint64_t all, shared;
	char path[32], text[128];

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (!text_file(path, text, sizeof(text)) ||
	    sscanf(text, "%*u %" SCNu64 " %" SCNu64, &all, &shared) != 2)
		return 0;
	return all - shared;
}

static bool readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static void pass(struct follow *follow, struct followed *followed, int until)
{
	struct mover mover = { .n = 1, .to = true, .tries = 1 };
	struct maps maps;
	size_t i;
	int ret;

	ret = maps_read(followed->pid, &maps);
	if (ret)
		return;
	mover.dev[0] = follow->dev;
	mover_open(&mover, followed->pid, followed->process);
	for (i = 0; i < maps.n && !ret && !readable(until); i++)
		if (maps.mapping[i].kind == MAPPING_ANON)
			ret = mover_move(&mover, maps.mapping[i].start,
					 maps.mapping[i].end);
	mover_close(&mover);
	maps_free(&maps);
	if (ret && ret != -ESRCH)
		follow->error = ret;
	follow->passes++;
	follow->moved += mover.reason[DEVPUB_REASON_MOVED];
	followed->there = mover.reason[DEVPUB_REASON_MOVED] +
			  mover.reason[DEVPUB_REASON_ALREADY];
	memcpy(followed->reason, mover.reason, sizeof(followed->reason));
}

void follow_round(struct follow *follow, int until)
{
	uint64_t there = 0, now;
	size_t i;

	find_processes(follow);
	for (i = 0; i < follow->n && !readable(until); i++) {
		struct followed *followed = &follow->list[i];

		now = resident(followed->pid);
		if (now != followed->resident || ++followed->idle >= IDLE_ROUNDS) {
			followed->resident = now;
			followed->idle = 0;
			pass(follow, followed, until);
		}
		there += followed->there;
	}
	if (there > follow->peak)
		follow->peak = there;
}

void follow_end(struct follow *follow)
{
	while (follow->n)
		drop(follow, follow->n - 1);
	free(follow->list);
	follow->list = NULL;
	follow->room = 0;
}
