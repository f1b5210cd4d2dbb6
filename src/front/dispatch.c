// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The dispatcher: finds a command, and copies its struct in and out.  It accepts shorter and
 * longer versions of the struct as include/uapi/linux/devpub.h describes.
 */
#include <linux/ioctl.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "front/dispatch.h"

/**
 * devpub_dispatch() - find a command and execute it
 * @commands: the commands of the file, indexed by number
 * @n: number of entries of the table
 * @target: the object that the file represents, for the command
 * @cmd: the command from user space
 * @user: its struct in user space
 *
 * Context: process context, may sleep.
 * Return: the return value of the command, or -ENOTTY, -EINVAL, -E2BIG or -EFAULT.
 */
long devpub_dispatch(const struct devpub_command *commands, unsigned int n,
		     void *target, unsigned int cmd, void __user *user)
{
	u8 arg[DEVPUB_COMMAND_MAX_SIZE] __aligned(8);
	const struct devpub_command *command;
	size_t user_size = _IOC_SIZE(cmd);
	unsigned int nr = _IOC_NR(cmd);
	bool answered = false;
	size_t known;
	int ret;

	if (_IOC_TYPE(cmd) != DEVPUB_IOC_MAGIC || nr >= n)
		return -ENOTTY;
	command = &commands[array_index_nospec(nr, n)];
	if (!command->run)
		return -ENOTTY;

	if (user_size < command->min_size)
		return -EINVAL;
	ret = copy_struct_from_user(arg, command->size, user, user_size);
	if (ret)
		return ret;

	/* If the results can't be written, fail before the command does anything. */
	known = min_t(size_t, user_size, command->size);
	if (copy_to_user(user, arg, known))
		return -EFAULT;

	ret = command->run(target, arg, &answered);

	if (answered && copy_to_user(user, arg, known))
		return -EFAULT;
	return ret;
}
