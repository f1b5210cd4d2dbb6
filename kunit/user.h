/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_USER_H
#define DEVPUB_USER_H

#include <linux/list.h>
#include <linux/unistd.h>

#include "helper.h"

struct kunit;
struct mm_struct;

/**
 * struct devpub_user - a process that makes system calls for a test
 * @mm:		its address space; only the test accesses it, because the process itself
 *		just waits
 * @pid:	its number
 * @list:	entry of the list of all processes
 * @state:	its state
 * @call:	the system call that it is to make or has made
 */
struct devpub_user {
	struct mm_struct *mm;
	pid_t pid;
	struct list_head list;
	enum {
		DEVPUB_USER_NEW,	/* no test has claimed it yet */
		DEVPUB_USER_IDLE,	/* waits for a call to make */
		DEVPUB_USER_ASKED,	/* has a call to make */
		DEVPUB_USER_BUSY,	/* makes the call */
		DEVPUB_USER_END,	/* must exit */
	} state;
	struct devpub_helper_call call;
};

int devpub_users_begin(void);
void devpub_users_end(struct kunit *test);

struct devpub_user *devpub_user_start(struct kunit *test);
struct devpub_user *devpub_user_fork(struct kunit *test,
				     struct devpub_user *user);
void devpub_user_stop(struct kunit *test, struct devpub_user *user);

long devpub_user_call_args(struct devpub_user *user, long nr, const u64 args[6]);
#define devpub_user_call(user, nr, ...)					\
	devpub_user_call_args(user, nr, (const u64 [6]) { __VA_ARGS__ })

unsigned long devpub_user_mmap(struct kunit *test, struct devpub_user *user,
			       unsigned long npages, int prot);
int devpub_user_write(struct devpub_user *user, unsigned long addr, u64 value);
int devpub_user_read(struct devpub_user *user, unsigned long addr, u64 *value);

#endif /* DEVPUB_USER_H */
