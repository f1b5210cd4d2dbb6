/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* "devpubctl access check": tests the operations of a device on memory of its own. */
#ifndef DEVPUB_TOOLS_ACCESS_CHECK_H
#define DEVPUB_TOOLS_ACCESS_CHECK_H

#include "ctl.h"

/*
 * Test the device that @device names, or the first, on memory of the size that @size says, or of
 * the default size if it is NULL.  Return an exit status.
 */
int access_check(const struct command *command, const char *device, const char *size);

#endif /* DEVPUB_TOOLS_ACCESS_CHECK_H */
