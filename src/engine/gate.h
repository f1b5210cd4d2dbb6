/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_GATE_H
#define DEVPUB_GATE_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>

struct task_struct;

/**
 * struct devpub_gate - admits calls that use a device's memory, and waits for their end
 * @users:	number of calls inside
 * @closer:	NULL while the gate is open, the task that has closed the gate and may
 *		reopen it, or GATE_CLOSED_FOR_GOOD (gate.c)
 * @changed:	woken when a call leaves a closed gate, and when the gate closes for good
 *
 * While @users is above 0, the device's pagemap stays registered.
 */
struct devpub_gate {
	atomic_t users;
	struct task_struct *closer;
	wait_queue_head_t changed;
};

void devpub_gate_init(struct devpub_gate *gate);
bool devpub_gate_enter(struct devpub_gate *gate);
void devpub_gate_exit(struct devpub_gate *gate);
unsigned int devpub_gate_users(const struct devpub_gate *gate);
bool devpub_gate_is_closed(const struct devpub_gate *gate);
bool devpub_gate_is_closed_for_good(const struct devpub_gate *gate);
int devpub_gate_close(struct devpub_gate *gate);
void devpub_gate_open(struct devpub_gate *gate);
void devpub_gate_close_for_good(struct devpub_gate *gate);
bool devpub_gate_wait(struct devpub_gate *gate, unsigned long timeout);

#endif /* DEVPUB_GATE_H */
