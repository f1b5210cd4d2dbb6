/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_DRIVER_PLATFORM_H
#define DEVPUB_DRIVER_PLATFORM_H

int devpub_driver_platform_register(void);
void devpub_driver_platform_unregister(void);

#endif /* DEVPUB_DRIVER_PLATFORM_H */
