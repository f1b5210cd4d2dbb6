// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The context: an open file of /dev/devpubN. */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "access/engine.h"
#include "front/context.h"

/**
 * devpub_context_open() - allocate the context of a file
 * @file: the file that is being opened
 * @ddev: the device that the file represents
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int devpub_context_open(struct file *file, struct devpub_device *ddev)
{
	const struct devpub_context context = { .ddev = ddev };

	file->private_data = kmemdup(&context, sizeof(context), GFP_KERNEL_ACCOUNT);
	return file->private_data ? 0 : -ENOMEM;
}

/**
 * devpub_context_release() - undo devpub_context_open()
 * @file: the file that is being released; no call is inside
 *
 * Context: process context, may sleep.
 */
void devpub_context_release(struct file *file)
{
	struct devpub_context *context = file->private_data;

	devpub_channel_destroy(context->channel);
	kfree(context);
}
