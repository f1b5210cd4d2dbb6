/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_IOCTL_H
#define DEVPUB_IOCTL_H

#include <linux/fs.h>

extern const struct file_operations devpub_ioctl_fops;

#endif /* DEVPUB_IOCTL_H */
