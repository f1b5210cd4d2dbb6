/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRROR_LIMIT_H
#define DEVPUB_MIRROR_LIMIT_H

struct mm_struct;

/*
 * Maximum number of mirrors that a process has of its own memory.  Each change of its page
 * tables notifies all mirrors with a block there, and reclaim changes the page tables of any
 * process.
 */
#define DEVPUB_MIRROR_MAX	1024

int devpub_mirror_limit_take(struct mm_struct *mm);
void devpub_mirror_limit_give_back(struct mm_struct *mm);

#endif /* DEVPUB_MIRROR_LIMIT_H */
