/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_CONTROL_H
#define DEVPUB_CONTROL_H

int devpub_control_register(unsigned int window);
void devpub_control_unregister(void);

#endif /* DEVPUB_CONTROL_H */
