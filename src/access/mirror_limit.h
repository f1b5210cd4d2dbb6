/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRROR_LIMIT_H
#define DEVPUB_MIRROR_LIMIT_H

struct mm_struct;

/*
 * Maximum number of mirrors of a process's memory.  Each change of its page tables calls all of
 * those that have a block there, and the kernel changes page tables of any process to make room
 * for others.
 */
#define DEVPUB_MIRROR_MAX	1024

int devpub_mirror_limit_take(struct mm_struct *mm);
void devpub_mirror_limit_give_back(struct mm_struct *mm);

#endif /* DEVPUB_MIRROR_LIMIT_H */
