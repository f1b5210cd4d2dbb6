/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_COMMAND_H
#define DEVPUB_COMMAND_H

#include <linux/types.h>

/* Bytes of the longest struct of a command. */
#define DEVPUB_COMMAND_MAX_SIZE	128

/**
 * struct devpub_command - a command of the ABI
 * @size:	bytes of its struct now, at most DEVPUB_COMMAND_MAX_SIZE
 * @min_size:	bytes of its struct's first version
 * @run:	does it, for the file's @target.  Sets the flag when there are results
 *		to write back, which may come with an error (-EINTR, say)
 *
 * An entry of a table that is indexed by the command's number; one without @run is no
 * command.
 */
struct devpub_command {
	unsigned int size;
	unsigned int min_size;
	int (*run)(void *target, void *arg, bool *answered);
};

long devpub_command_run(const struct devpub_command *commands, unsigned int n,
			void *target, unsigned int cmd, void __user *user);

#endif /* DEVPUB_COMMAND_H */
