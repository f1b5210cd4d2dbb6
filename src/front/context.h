/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_CONTEXT_H
#define DEVPUB_CONTEXT_H

struct devpub_channel;
struct devpub_device;
struct file;

/**
 * struct devpub_context - an open file of /dev/devpubN
 * @ddev:	the device.  The file holds a reference to the cdev, which keeps the device's
 *		struct
 * @channel:	the memory that the file is bound to, and the operations on it; NULL before
 *		DEVPUB_IOC_BIND, and set only once
 */
struct devpub_context {
	struct devpub_device *ddev;
	struct devpub_channel *channel;
};

int devpub_context_open(struct file *file, struct devpub_device *ddev);
void devpub_context_release(struct file *file);

#endif /* DEVPUB_CONTEXT_H */
