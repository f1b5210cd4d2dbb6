// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The number of mirrors that each process has of its own memory. */
#include <linux/errno.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "access/mirror_limit.h"

/**
 * struct mirrored - memory that has mirrors
 * @node:	entry of the table
 * @mm:		the memory; each mirror keeps the struct
 * @mirrors:	their number
 */
struct mirrored {
	struct hlist_node node;
	struct mm_struct *mm;
	unsigned int mirrors;
};

/* Protects the table. */
static DEFINE_SPINLOCK(mirrored_lock);
static DEFINE_HASHTABLE(mirrored_table, 8);

static struct mirrored *mirrored_find(struct mm_struct *mm)
{
	struct mirrored *entry;

	hash_for_each_possible(mirrored_table, entry, node, (unsigned long)mm)
		if (entry->mm == mm)
			return entry;
	return NULL;
}

/**
 * devpub_mirror_limit_take() - count another mirror
 * @mm: the memory that it mirrors
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, or -EMFILE when there are too many.
 */
int devpub_mirror_limit_take(struct mm_struct *mm)
{
	const struct mirrored none = { .mm = mm };
	struct mirrored *fresh, *entry;
	int ret = 0;

	fresh = kmemdup(&none, sizeof(none), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return -ENOMEM;
	spin_lock(&mirrored_lock);
	entry = mirrored_find(mm);
	if (!entry) {
		entry = fresh;
		fresh = NULL;
		hash_add(mirrored_table, &entry->node, (unsigned long)mm);
	}
	if (entry->mirrors < DEVPUB_MIRROR_MAX)
		entry->mirrors++;
	else
		ret = -EMFILE;
	spin_unlock(&mirrored_lock);
	kfree(fresh);
	return ret;
}

/**
 * devpub_mirror_limit_give_back() - undo devpub_mirror_limit_take()
 * @mm: the memory
 *
 * Context: process context.
 */
void devpub_mirror_limit_give_back(struct mm_struct *mm)
{
	struct mirrored *entry;

	spin_lock(&mirrored_lock);
	entry = mirrored_find(mm);
	if (--entry->mirrors)
		entry = NULL;
	else
		hash_del(&entry->node);
	spin_unlock(&mirrored_lock);
	kfree(entry);
}
