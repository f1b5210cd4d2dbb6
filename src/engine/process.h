/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_PROCESS_H
#define DEVPUB_PROCESS_H

#include <linux/types.h>

struct mm_struct;
struct task_struct;

/**
 * struct devpub_process - the process whose memory a call acts on
 * @mm:		its memory; holds a reference
 * @task:	its thread group leader; holds a reference; NULL for the caller's own process
 */
struct devpub_process {
	struct mm_struct *mm;
	struct task_struct *task;
};

int devpub_process_get(struct devpub_process *process, bool other, s32 nr);
void devpub_process_put(struct devpub_process *process);
bool devpub_process_has_ended(const struct devpub_process *process);

#endif /* DEVPUB_PROCESS_H */
