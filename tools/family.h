/* SPDX-License-Identifier: GPL-2.0 */
/* The processes below this one, by the lists of children that /proc has. */
#ifndef DEVPUB_TOOLS_FAMILY_H
#define DEVPUB_TOOLS_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc.h"

/**
 * struct member - a process, for as long as no other has its number
 * @pid:	its number
 * @started:	when it began: another process of this number began later
 */
struct member {
	pid_t pid;
	uint64_t started;
};

struct family {
	struct member *member;
	size_t n;
	size_t room;
};

/*
 * Those that are found, each once, in the order of their numbers; the kernel may leave
 * some out while others end.  It takes few descriptors, however deep they are below each
 * other.  0 or -errno, with those that were found by then.
 */
int family_find(struct family *family, int until);
void family_free(struct family *family);

/* Open the member: 0 or -errno, -ESRCH also when another has its number. */
int family_open(const struct member *member, struct proc *proc);

#endif /* DEVPUB_TOOLS_FAMILY_H */
