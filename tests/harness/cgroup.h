/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* A version 2 control group for a case. */
#ifndef DEVPUB_TESTS_CGROUP_H
#define DEVPUB_TESTS_CGROUP_H

#include <stddef.h>

struct cgroup {
	char path[64];
};

/* Create a group with the controller ("memory", "io"), or skip the case. */
void cgroup_create(struct cgroup *group, const char *controller);
/* Wait until the group has no processes. */
void cgroup_remove(struct cgroup *group);

/* Put the calling process into the group, or back into the root. */
void cgroup_enter(const struct cgroup *group);
void cgroup_leave(void);

/* Read and write files of the group.  The case fails on errors. */
void cgroup_write(const struct cgroup *group, const char *file,
		  const char *text);
/* Limit the memory of the group, without swap. */
void cgroup_limit(const struct cgroup *group, const char *max);
unsigned long long cgroup_value(const struct cgroup *group, const char *file);
/* Return the value of a line "NAME VALUE", as in memory.stat. */
unsigned long long cgroup_field(const struct cgroup *group, const char *file,
				const char *name);

#endif /* DEVPUB_TESTS_CGROUP_H */
