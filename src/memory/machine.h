/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MACHINE_H
#define DEVPUB_MACHINE_H

#include <linux/types.h>

bool devpub_machine_is_locked_down(void);
u64 devpub_machine_last_address(void);
bool devpub_machine_keeps_memory(void);

#endif /* DEVPUB_MACHINE_H */
