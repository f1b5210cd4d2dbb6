/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * The interface between devpub_kunit.ko and its helper process; see user.c and helper.c.
 */
#ifndef DEVPUB_HELPER_H
#define DEVPUB_HELPER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DEVPUB_HELPER_NAME	"devpub_kunit"

/**
 * struct devpub_helper_call - the result of the last system call, and the next one to make
 * @result:	in: the result of the last call, a value or a negative error
 * @nr:		out: number of the next system call
 * @args:	out: its arguments
 */
struct devpub_helper_call {
	__s64 result;
	__u64 nr;
	__u64 args[6];
};

#define DEVPUB_HELPER_NEXT	_IOWR(0xDE, 0xF0, struct devpub_helper_call)

#endif /* DEVPUB_HELPER_H */
