/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRRORED_H
#define DEVPUB_MIRRORED_H

#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct mm_struct;

/*
 * Maximum number of mirrors that a process has of its own memory, with those that are about to
 * be destroyed.  Each change of its page tables notifies all mirrors with a block there, and
 * reclaim changes the page tables of any process.
 */
#define DEVPUB_MIRROR_MAX	1024

/**
 * struct devpub_mirrored - memory that has mirrors
 * @node:	entry of the table
 * @mm:		the memory; each mirror keeps the struct
 * @mirrors:	number of mirrors, each of which keeps this struct
 * @own:	number of those that the process made itself
 * @released:	mirrors of closed files
 * @release:	destroys them, one after the other: a process that delays that delays its own
 */
struct devpub_mirrored {
	struct hlist_node node;
	struct mm_struct *mm;
	unsigned int mirrors;
	unsigned int own;
	struct llist_head released;
	struct work_struct release;
};

struct devpub_mirrored *devpub_mirrored_get(struct mm_struct *mm, bool own,
					    work_func_t release);
void devpub_mirrored_put(struct devpub_mirrored *mirrored, bool own);

#endif /* DEVPUB_MIRRORED_H */
