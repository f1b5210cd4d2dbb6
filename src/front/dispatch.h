/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_DISPATCH_H
#define DEVPUB_DISPATCH_H

#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* Maximum size of a command's struct in bytes. */
#define DEVPUB_COMMAND_MAX_SIZE	128

/**
 * struct devpub_command - a command of the ABI
 * @size:	current size of its struct in bytes
 * @min_size:	size of the first version of its struct in bytes
 * @run:	executes it; @target is the object that the file represents.  Sets *@answered
 *		to true if there are results to write back, also with an error (for example
 *		-EINTR)
 */
struct devpub_command {
	unsigned int size;
	unsigned int min_size;
	int (*run)(void *target, void *arg, bool *answered);
};

/**
 * DEVPUB_COMMAND() - define an entry of a table that is indexed by command number
 * @cmd: the command, DEVPUB_IOC_...
 * @type: the type of its struct
 * @first_size: the size of the struct's first version, DEVPUB_..._SIZE_VER0
 * @last_of_first: the last member of the first version
 * @run_: executes it
 *
 * The build fails if the struct's size differs from that in the command number or exceeds the
 * buffer, or if the first version's size differs from @first_size.
 */
#define DEVPUB_COMMAND(cmd, type, first_size, last_of_first, run_)		\
	[_IOC_NR(cmd)] = {							\
		.size = sizeof(type) +						\
			BUILD_BUG_ON_ZERO(sizeof(type) > DEVPUB_COMMAND_MAX_SIZE) + \
			BUILD_BUG_ON_ZERO(sizeof(type) != _IOC_SIZE(cmd)),	\
		.min_size = (first_size) +					\
			BUILD_BUG_ON_ZERO(offsetofend(type, last_of_first) !=	\
					  (first_size)),			\
		.run = (run_),							\
	}

long devpub_dispatch(const struct devpub_command *commands, unsigned int n,
		     void *target, unsigned int cmd, void __user *user);

#endif /* DEVPUB_DISPATCH_H */
