// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "harness.h"

#define ROOT	"/sys/fs/cgroup"

static const char *path_of(const struct cgroup *group, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	return path;
}

void cgroup_create(struct cgroup *group, const char *controller)
{
	char enable[32], controllers[256];

	if (access(ROOT "/cgroup.controllers", R_OK))
		SKIP("no version 2 control groups at " ROOT);
	test_read_text(ROOT "/cgroup.controllers", controllers,
		       sizeof(controllers));
	if (!strstr(controllers, controller))
		SKIP("no %s controller at " ROOT, controller);
	snprintf(enable, sizeof(enable), "+%s", controller);
	CHECK_CALL(test_write_text(ROOT "/cgroup.subtree_control", enable));
	/*
	 * Create a cpuset that stays.  The kernel patches its page allocator with the first
	 * cpuset and after the last one.  During that, QEMU without hardware virtualisation can
	 * execute a breakpoint that no longer exists.
	 */
	if (mkdir(ROOT "/devpub-test-stays", 0755))
		CHECK_EQ(errno, EEXIST);
	snprintf(group->path, sizeof(group->path), ROOT "/devpub-test-%d",
		 getpid());
	CHECK_CALL(mkdir(group->path, 0755));
}

void cgroup_remove(struct cgroup *group)
{
	for (int i = 0; rmdir(group->path); i++) {
		if (errno != EBUSY || i == 100)
			FAIL("%s: %s", group->path, strerror(errno));
		test_sleep(20);
	}
}

void cgroup_enter(const struct cgroup *group)
{
	CHECK_CALL(test_write_text(path_of(group, "cgroup.procs"), "0"));
}

void cgroup_leave(void)
{
	CHECK_CALL(test_write_text(ROOT "/cgroup.procs", "0"));
}

void cgroup_write(const struct cgroup *group, const char *file,
		  const char *text)
{
	const char *path = path_of(group, file);

	if (test_write_text(path, text))
		FAIL("%s: '%s': %s", path, text, strerror(errno));
}

void cgroup_limit(const struct cgroup *group, const char *max)
{
	cgroup_write(group, "memory.max", max);
	/* The file exists only with CONFIG_SWAP. */
	if (!access(path_of(group, "memory.swap.max"), F_OK))
		cgroup_write(group, "memory.swap.max", "0");
}

unsigned long long cgroup_value(const struct cgroup *group, const char *file)
{
	const char *path = path_of(group, file);
	unsigned long long value;

	if (test_read_value(path, &value))
		FAIL("%s: no number in it", path);
	return value;
}

unsigned long long cgroup_field(const struct cgroup *group, const char *file,
				const char *name)
{
	return test_counter(path_of(group, file), name);
}
