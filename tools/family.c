// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "family.h"
#include "text.h"

/* More than there are process numbers, so that lists which grow during the read end. */
#define FAMILY_MAX	(1 << 22)

static int add(struct family *family, pid_t pid, uint64_t started)
{
	struct member *grown;

	if (family->n == FAMILY_MAX)
		return -E2BIG;
	grown = array_grow(family->member, &family->room, family->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	family->member = grown;
	family->member[family->n++] = (struct member) { pid, started };
	return 0;
}

/* Add a child from a list if it still is one: its number may have been reused since. */
static int add_child(struct family *family, pid_t child, pid_t parent)
{
	struct proc_stat stat;
	struct proc proc;
	int ret;

	ret = proc_open(child, &proc);
	if (!ret) {
		ret = proc_stat(&proc, &stat);
		proc_close(&proc);
	}
	/* A process that executes another program is found the next time. */
	if (ret)
		return ret == -ESRCH || ret == -EAGAIN ? 0 : ret;
	/* If the parent has ended, the new parent is this process or another subreaper. */
	if (stat.parent != parent && stat.parent != getpid())
		return 0;
	return add(family, child, stat.started);
}

static int add_children(struct family *family, pid_t parent, char *list)
{
	char *end;
	long child;
	int ret = 0;

	while (!ret) {
		child = strtol(list, &end, 10);
		if (end == list)
			break;
		list = end;
		ret = add_child(family, child, parent);
	}
	return ret;
}

/* Add the children of all threads: each thread has a list of its own. */
static int add_children_of(struct family *family, pid_t pid, int tasks)
{
	char path[64], *list;
	struct dirent *entry;
	int ret = 0, fd;
	uint64_t tid;
	DIR *dir;

	dir = fdopendir(tasks);
	if (!dir) {
		ret = -errno;
		close(tasks);
		return ret;
	}
	while (!ret && (entry = readdir(dir))) {
		if (!text_parse_number(entry->d_name, INT32_MAX, &tid))
			continue;
		snprintf(path, sizeof(path), "%d/children", (int)tid);
		fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
		ret = fd < 0 ? -errno : 0;
		list = NULL;
		if (!ret) {
			ret = proc_read_fd(fd, &list);
			close(fd);
		}
		if (!ret && list) {
			ret = add_children(family, pid, list);
			free(list);
		} else if (ret == -ESRCH || ret == -ENOENT) {
			/* The thread has ended. */
			ret = 0;
		}
	}
	closedir(dir);
	return ret;
}

static int look_below(struct family *family, pid_t pid)
{
	char path[32];
	int tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tasks < 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	return add_children_of(family, pid, tasks);
}

static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->started > y->started) - (x->started < y->started);
}

/* Sort the members.  Of several with the same number, keep the last. */
static void sort(struct family *family)
{
	size_t i, n = 0;

	if (family->n)
		qsort(family->member, family->n, sizeof(*family->member), compare);
	for (i = 0; i < family->n; i++) {
		if (n && family->member[n - 1].pid == family->member[i].pid)
			n--;
		family->member[n++] = family->member[i];
	}
	family->n = n;
}

int family_find(struct family *family, int until)
{
	struct pollfd stop = { .fd = until, .events = POLLIN };
	size_t i;
	int ret;

	*family = (struct family) { 0 };
	/* Some kernels do not have these lists. */
	if (access("/proc/thread-self/children", R_OK))
		return -errno;
	ret = look_below(family, getpid());
	for (i = 0; i < family->n && !ret; i++) {
		if (poll(&stop, 1, 0) > 0)
			break;
		ret = look_below(family, family->member[i].pid);
	}
	sort(family);
	return ret;
}

void family_free(struct family *family)
{
	free(family->member);
	*family = (struct family) { 0 };
}

int family_open(const struct member *member, struct proc *proc)
{
	struct proc_stat stat;
	int ret = proc_open(member->pid, proc);

	if (ret)
		return ret;
	ret = proc_stat(proc, &stat);
	if (!ret && stat.started != member->started)
		ret = -ESRCH;
	if (ret)
		proc_close(proc);
	return ret;
}
