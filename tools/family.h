/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The descendants of this process, found by the lists of children in /proc. */
#ifndef DEVPUB_TOOLS_FAMILY_H
#define DEVPUB_TOOLS_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc.h"

/**
 * struct member - a process, identified by number and start time
 * @pid:	its number
 * @started:	its start time, which differs for another process with this number
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
 * Find the descendants.  The result has each once, in the order of their numbers; the kernel
 * may leave some out while others end.  The number of descriptors that this needs does not
 * depend on their depth.  Return 0, or -errno with the descendants found so far.
 */
int family_find(struct family *family, int until);
void family_free(struct family *family);

/* Open the process.  Return 0 or -errno; -ESRCH also if another process has its number. */
int family_open(const struct member *member, struct proc *proc);

#endif /* DEVPUB_TOOLS_FAMILY_H */
