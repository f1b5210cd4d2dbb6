/* SPDX-License-Identifier: GPL-2.0 */
/* A version 2 control group of a case's own. */
#ifndef DEVPUB_TESTS_CGROUP_H
#define DEVPUB_TESTS_CGROUP_H

#include <stddef.h>

struct cgroup {
	char path[64];
};

/* A group with the controller ("memory", "io"), or the case is skipped. */
void cgroup_create(struct cgroup *group, const char *controller);
/* Waits until the group has no more processes. */
void cgroup_remove(struct cgroup *group);

/* Put the calling process into the group, or back into the root. */
void cgroup_enter(const struct cgroup *group);
void cgroup_leave(void);

/* Files of the group; the case fails when one can't be read or written. */
void cgroup_write(const struct cgroup *group, const char *file,
		  const char *text);
/* The most memory that the group may have, none of which goes to swap. */
void cgroup_limit(const struct cgroup *group, const char *max);
unsigned long long cgroup_value(const struct cgroup *group, const char *file);
/* The value of a line "NAME VALUE", such as those of memory.stat. */
unsigned long long cgroup_field(const struct cgroup *group, const char *file,
				const char *name);

#endif /* DEVPUB_TESTS_CGROUP_H */
