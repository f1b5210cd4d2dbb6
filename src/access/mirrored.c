// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* What the mirrors of one process have in common: their number, and the end of those released. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hashtable.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "access/mirrored.h"

/* Protects the table, and the numbers in its entries. */
static DEFINE_SPINLOCK(mirrored_lock);
static DEFINE_HASHTABLE(mirrored_table, 8);

static struct devpub_mirrored *mirrored_find(struct mm_struct *mm)
{
	struct devpub_mirrored *entry;

	lockdep_assert_held(&mirrored_lock);
	hash_for_each_possible(mirrored_table, entry, node, (unsigned long)mm)
		if (entry->mm == mm)
			return entry;
	return NULL;
}

/**
 * devpub_mirrored_get() - count another mirror of a process's memory
 * @mm: the memory, whose struct the mirror keeps until devpub_mirrored_put()
 * @own: the process makes the mirror itself.  Others do not count for the limit, so that no
 *	 process can keep root from accessing its memory
 * @release: the function of the work that destroys released mirrors
 *
 * Context: process context, may sleep.
 * Return: what the mirrors of this memory have in common; or an ERR_PTR() of -ENOMEM, or of
 * -EMFILE when there are too many.
 */
struct devpub_mirrored *devpub_mirrored_get(struct mm_struct *mm, bool own,
					    work_func_t release)
{
	const struct devpub_mirrored none = { .mm = mm };
	struct devpub_mirrored *fresh, *entry;

	fresh = kmemdup(&none, sizeof(none), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	init_llist_head(&fresh->released);
	INIT_WORK(&fresh->release, release);
	spin_lock(&mirrored_lock);
	entry = mirrored_find(mm);
	if (!entry) {
		entry = fresh;
		fresh = NULL;
		hash_add(mirrored_table, &entry->node, (unsigned long)mm);
	}
	if (own && entry->own == DEVPUB_MIRROR_MAX) {
		entry = ERR_PTR(-EMFILE);
	} else {
		entry->own += own;
		entry->mirrors++;
	}
	spin_unlock(&mirrored_lock);
	kfree(fresh);
	return entry;
}

/**
 * devpub_mirrored_put() - undo devpub_mirrored_get()
 * @mirrored: what it has returned, which may be freed
 * @own: as then
 *
 * Context: process context.  The work may do this for the last mirror of its list.
 */
void devpub_mirrored_put(struct devpub_mirrored *mirrored, bool own)
{
	spin_lock(&mirrored_lock);
	mirrored->own -= own;
	if (--mirrored->mirrors)
		mirrored = NULL;
	else
		hash_del(&mirrored->node);
	spin_unlock(&mirrored_lock);
	kfree(mirrored);
}
