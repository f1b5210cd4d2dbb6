// SPDX-License-Identifier: GPL-2.0
/*
 * From pages to the processes that map them.
 *
 * An anonymous page names an anon_vma, whose tree has all mappings that the page
 * may be in.  The kernel's own walk over them (mm/rmap.c) is not exported; the
 * structures and the tree are in its headers.
 */
#include <linux/interval_tree_generic.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/rmap.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "engine/pgtable.h"
#include "engine/rmap.h"

#define RELATIVES_ROOM	64U
#define RELATIVES_MAX	65536U

static inline unsigned long chain_first(struct anon_vma_chain *chain)
{
	return vma_start_anon_pgoff(chain->vma);
}

static inline unsigned long chain_last(struct anon_vma_chain *chain)
{
	return vma_start_anon_pgoff(chain->vma) + vma_pages(chain->vma) - 1;
}

INTERVAL_TREE_DEFINE(struct anon_vma_chain, rb, unsigned long, rb_subtree_last,
		     chain_first, chain_last, static inline, rmap_tree)

/*
 * What put_anon_vma() does, whose slow part is not exported.  Whoever tries the lock
 * under RCU may have it still, and has to be waited for (mm/rmap.c, anon_vma_free()).
 */
static void rmap_put(struct anon_vma *anon_vma)
{
	struct anon_vma *root = anon_vma->root;

	while (atomic_dec_and_test(&anon_vma->refcount)) {
		if (rwsem_is_locked(&root->rwsem)) {
			down_write(&root->rwsem);
			up_write(&root->rwsem);
		}
		kfree(anon_vma);
		if (anon_vma == root)
			return;
		anon_vma = root;
	}
}

/*
 * The anon_vma of a folio that is locked, with a reference; NULL when nobody maps the
 * folio.  A freed anon_vma stays one until RCU's grace period is over, and a folio that
 * is mapped once the reference is had says that it was not freed (mm/rmap.c,
 * folio_get_anon_vma()).
 */
static struct anon_vma *rmap_anon_vma_get(struct folio *folio)
{
	struct anon_vma *anon_vma = NULL;

	rcu_read_lock();
	if (folio_test_anon(folio) && !folio_test_ksm(folio) &&
	    folio_mapped(folio)) {
		anon_vma = (void *)((unsigned long)READ_ONCE(folio->mapping) -
				    FOLIO_MAPPING_ANON);
		if (!atomic_inc_not_zero(&anon_vma->refcount))
			anon_vma = NULL;
	}
	if (anon_vma && !folio_mapped(folio)) {
		rcu_read_unlock();
		rmap_put(anon_vma);
		return NULL;
	}
	rcu_read_unlock();
	return anon_vma;
}

static bool rmap_maps(struct mm_struct *mm, unsigned long addr, unsigned long pfn)
{
	unsigned long there, next;
	enum devpub_entry entry;

	rcu_read_lock();
	entry = devpub_pgtable_look(mm, addr, &there, &next);
	rcu_read_unlock();
	return entry == DEVPUB_ENTRY_PAGE && there == pfn;
}

/* A process's memory with its mmap_lock, or NULL when it exits or the lock is taken. */
static struct mm_struct *rmap_lock_mm(struct mm_struct *mm, bool *busy)
{
	if (!mmap_read_trylock(mm)) {
		*busy = true;
		return NULL;
	}
	/* A process that exits frees its pages by itself. */
	if (mmget_not_zero(mm))
		return mm;
	mmap_read_unlock(mm);
	return NULL;
}

/* The first process in the tree that maps the page and whose lock is free. */
static struct mm_struct *rmap_find(struct anon_vma *anon_vma, pgoff_t index,
				   unsigned long pfn, unsigned long *addr,
				   bool *busy)
{
	struct anon_vma_chain *chain;
	struct vm_area_struct *vma;
	struct mm_struct *mm;

	for (chain = rmap_tree_iter_first(&anon_vma->rb_root, index, index); chain;
	     chain = rmap_tree_iter_next(chain, index, index)) {
		cond_resched();
		vma = chain->vma;
		*addr = vma->vm_start +
			((index - vma_start_anon_pgoff(vma)) << PAGE_SHIFT);
		if (!rmap_maps(vma->vm_mm, *addr, pfn))
			continue;
		mm = rmap_lock_mm(vma->vm_mm, busy);
		if (mm)
			return mm;
	}
	return NULL;
}

/**
 * devpub_rmap_lock() - find a process that maps a page, and lock its memory
 * @page: a page of a device, free or in use
 * @addr: receives where the process maps it
 * @busy: set when a process that maps it has its mmap_lock taken
 *
 * One call costs as much as there are mappings that the page may be in, as a walk of
 * the kernel's does.  The anon_vma lock is waited for: it is contended as long as any
 * process of a family forks or changes its mappings, but nobody holds it for long.
 * mmap_lock, which its process may hold for ever, is only tried.
 *
 * The page may have gone from @addr when this returns.
 *
 * Context: process context, may sleep; no mmap_lock is held.
 * Return: the process's memory, with mmap_lock held for reading.  The caller gives it back
 * by mmput_async(), since the end of an address space waits for all kinds of I/O.
 * NULL when nobody maps the page, somebody else has it locked, all who map it exit or
 * have their lock taken, or a fatal signal came.
 */
struct mm_struct *devpub_rmap_lock(struct page *page, unsigned long *addr, bool *busy)
{
	struct folio *folio = page_folio(page);
	struct anon_vma *anon_vma;
	struct mm_struct *mm = NULL;

	if (!folio_try_get(folio))
		return NULL;
	/* Its mapping and index change under the lock only. */
	if (!folio_trylock(folio))
		goto put;
	anon_vma = rmap_anon_vma_get(folio);
	if (anon_vma) {
		if (!down_read_killable(&anon_vma->root->rwsem)) {
			mm = rmap_find(anon_vma, folio->index, page_to_pfn(page),
				       addr, busy);
			up_read(&anon_vma->root->rwsem);
		}
		rmap_put(anon_vma);
	}
	folio_unlock(folio);
put:
	folio_put(folio);
	return mm;
}

/* Lock the memory of one relative.  Its mapping can't change then. */
static bool relatives_add(struct devpub_relatives *relatives,
			  struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	/* Only tried: two that lock each other's memory must not wait for each other. */
	if (!mmap_read_trylock(mm))
		return false;
	/* Lockdep keeps account of 48 locks of a task. */
	rwsem_release(&mm->mmap_lock.dep_map, _THIS_IP_);
	/* The struct must outlive the lock, which exit_mmap() (mm/mmap.c) waits for. */
	mmgrab(mm);
	relatives->mms[relatives->n++] = mm;
	relatives->mergeable |= vma->vm_flags & VM_MERGEABLE;
	return true;
}

/* Return: how many there are, or -EAGAIN when one of them can't be locked. */
static int relatives_collect(struct devpub_relatives *relatives,
			     struct vm_area_struct *vma, pgoff_t first,
			     pgoff_t last)
{
	struct anon_vma_chain *of_vma, *chain;
	int found = 0;

	list_for_each_entry(of_vma, &vma->anon_vma_chain, same_vma) {
		for (chain = rmap_tree_iter_first(&of_vma->anon_vma->rb_root, first, last);
		     chain; chain = rmap_tree_iter_next(chain, first, last)) {
			cond_resched();
			if (chain->vma->vm_mm == vma->vm_mm)
				continue;
			if (found > RELATIVES_MAX)
				return found;
			if (found++ < relatives->room &&
			    !relatives_add(relatives, chain->vma))
				return -EAGAIN;
		}
	}
	return found;
}

/* Make room for at least @n. */
static bool relatives_grow(struct devpub_relatives *relatives, unsigned int n)
{
	if (n > RELATIVES_MAX)
		return false;
	n = max(RELATIVES_ROOM, n + n / 4);
	devpub_relatives_free(relatives);
	relatives->mms = kvmalloc_array(n, sizeof(*relatives->mms),
					GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!relatives->mms)
		return false;
	relatives->room = n;
	return true;
}

/**
 * devpub_relatives_lock() - hold all others still that may map the pages of a mapping
 * @relatives: zeroed before the first call
 * @vma: the mapping
 * @start: first address of the pages
 * @end: their end
 *
 * Until devpub_relatives_unlock() no relative changes its mappings, and none that
 * is not KSM's to merge becomes so.
 *
 * Context: process context, mmap_lock of @vma held for reading.
 * Return: false when one of them can't be had at present.
 */
bool devpub_relatives_lock(struct devpub_relatives *relatives,
			   struct vm_area_struct *vma, unsigned long start,
			   unsigned long end)
{
	pgoff_t first = vma_start_anon_pgoff(vma) +
			((start - vma->vm_start) >> PAGE_SHIFT);
	pgoff_t last = first + ((end - start) >> PAGE_SHIFT) - 1;
	struct rw_semaphore *lock;
	int found;

	mmap_assert_locked(vma->vm_mm);
	relatives->n = 0;
	relatives->mergeable = false;
	if (!vma->anon_vma)
		return true;

	lock = &vma->anon_vma->root->rwsem;
	for (;;) {
		if (down_read_killable(lock))
			return false;
		found = relatives_collect(relatives, vma, first, last);
		up_read(lock);
		if (found >= 0 && found <= relatives->room)
			return true;
		devpub_relatives_unlock(relatives);
		/* Memory may be reclaimed for this, for which rmap locks are needed. */
		if (found < 0 || !relatives_grow(relatives, found))
			return false;
	}
}

/**
 * devpub_relatives_unlock() - undo devpub_relatives_lock()
 * @relatives: the relatives
 */
void devpub_relatives_unlock(struct devpub_relatives *relatives)
{
	while (relatives->n) {
		struct mm_struct *mm = relatives->mms[--relatives->n];

		rwsem_acquire_read(&mm->mmap_lock.dep_map, 0, 1, _THIS_IP_);
		mmap_read_unlock(mm);
		mmdrop(mm);
	}
	relatives->mergeable = false;
}

/**
 * devpub_relatives_free() - free what devpub_relatives_lock() allocated
 * @relatives: not locked
 */
void devpub_relatives_free(struct devpub_relatives *relatives)
{
	kvfree(relatives->mms);
	relatives->mms = NULL;
	relatives->room = 0;
}
