// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Reverse mapping: finds the processes that map a page.
 *
 * An anonymous page refers to an anon_vma, whose tree contains all mappings that may map
 * the page.  The kernel's own walk of that tree (mm/rmap.c) is not exported; the structures
 * and the tree functions are in its headers.
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
 * Do the work of put_anon_vma(), whose slow path __put_anon_vma() is not exported.  A task
 * that took the lock by a trylock under RCU may still hold it; wait for that task before
 * freeing (mm/rmap.c, anon_vma_free()).
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
 * Get a reference to the anon_vma of a locked folio; return NULL if no process maps the
 * folio.  The memory of a freed anon_vma stays an anon_vma during the RCU read-side critical
 * section.  If the folio is still mapped after the reference is taken, the anon_vma was not
 * freed (mm/rmap.c, folio_get_anon_vma()).
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

/* Try to take the mmap_lock.  Return NULL if it is not free or the process is exiting. */
static struct mm_struct *rmap_lock_mm(struct mm_struct *mm, bool *busy)
{
	if (!mmap_read_trylock(mm)) {
		*busy = true;
		return NULL;
	}
	/* A process that is exiting frees its pages by itself. */
	if (mmget_not_zero(mm))
		return mm;
	mmap_read_unlock(mm);
	return NULL;
}

/* Find the first process in the tree that maps the page and whose mmap_lock is free. */
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

static bool rmap_lock_anon_vma(struct anon_vma *anon_vma, bool wait, bool *busy)
{
	if (wait)
		return !down_read_killable(&anon_vma->root->rwsem);
	if (down_read_trylock(&anon_vma->root->rwsem))
		return true;
	*busy = true;
	return false;
}

/**
 * devpub_rmap_lock() - find a process that maps a page, and take its mmap_lock
 * @page: a page of a device, free or in use
 * @addr: receives the address at which the process maps it
 * @wait: wait for the anon_vma lock
 * @busy: set to true when the mmap_lock of a process that maps the page is not free, or the
 *	anon_vma lock is not free and was not waited for
 *
 * The time for a call is proportional to the number of mappings that may map the page, as
 * for the kernel's own walk.  This waits for the anon_vma lock: the lock is contended while
 * related processes fork or change their mappings, but each holds it for a short time only.
 * This does not wait for an mmap_lock, which a process may hold forever.
 *
 * The process may unmap the page from @addr before this returns.
 *
 * Context: process context, may sleep; no mmap_lock is held.
 * Return: the process's memory, with mmap_lock held for reading.  The caller drops the
 * reference by mmput_async(), because the last mmput() waits for all kinds of I/O.
 * NULL when no process maps the page, the folio is locked, each process that maps it is
 * exiting or has its mmap_lock taken, or a fatal signal arrived.
 */
struct mm_struct *devpub_rmap_lock(struct page *page, unsigned long *addr, bool wait,
				   bool *busy)
{
	struct folio *folio = page_folio(page);
	struct anon_vma *anon_vma;
	struct mm_struct *mm = NULL;

	if (!folio_try_get(folio))
		return NULL;
	/* The folio lock keeps folio->mapping and folio->index from changing. */
	if (!folio_trylock(folio))
		goto put;
	anon_vma = rmap_anon_vma_get(folio);
	if (anon_vma) {
		if (rmap_lock_anon_vma(anon_vma, wait, busy)) {
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

/* A mapping whose pages can't be in another one, which is the common case. */
static bool rmap_is_alone(const struct vm_area_struct *vma)
{
	const struct anon_vma *anon_vma = vma->anon_vma;

	return !anon_vma ||
	       (list_is_singular(&vma->anon_vma_chain) && anon_vma->root == anon_vma &&
		READ_ONCE(anon_vma->num_children) == 1 &&
		READ_ONCE(anon_vma->num_active_vmas) == 1);
}

/**
 * devpub_rmap_count() - count the mappings that may have pages of a range
 * @vma: the mapping of the range
 * @start: first address
 * @end: end address
 *
 * The kernel looks at so many mappings for each page that it unmaps.
 *
 * Context: process context, may sleep; mmap_lock of @vma held for reading.
 * Return: the number, at least 1; also 1 when a fatal signal arrived.
 */
unsigned int devpub_rmap_count(struct vm_area_struct *vma, unsigned long start,
			       unsigned long end)
{
	pgoff_t first = vma_start_anon_pgoff(vma) +
			((start - vma->vm_start) >> PAGE_SHIFT);
	pgoff_t last = first + ((end - start) >> PAGE_SHIFT) - 1;
	struct anon_vma_chain *of_vma, *chain;
	unsigned int count = 0;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	if (rmap_is_alone(vma) || down_read_killable(&vma->anon_vma->root->rwsem))
		return 1;
	list_for_each_entry(of_vma, &vma->anon_vma_chain, same_vma) {
		for (chain = rmap_tree_iter_first(&of_vma->anon_vma->rb_root, first, last);
		     chain; chain = rmap_tree_iter_next(chain, first, last)) {
			cond_resched();
			count++;
		}
	}
	up_read(&vma->anon_vma->root->rwsem);
	return max(count, 1U);
}

/* Take the mmap_lock of one relative, which keeps its mapping from changing. */
static bool relatives_add(struct devpub_relatives *relatives,
			  struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	/* Two tasks that lock each other's memory would deadlock if they waited. */
	if (!mmap_read_trylock(mm))
		return false;
	/* Hide the lock from lockdep, which tracks at most 48 locks per task. */
	rwsem_release(&mm->mmap_lock.dep_map, _THIS_IP_);
	/* Keep the struct until the unlock.  exit_mmap() (mm/mmap.c) waits for mmap_lock. */
	mmgrab(mm);
	relatives->mms[relatives->n++] = mm;
	relatives->mergeable |= vma->vm_flags & VM_MERGEABLE;
	return true;
}

/* Return the number of relatives, or -EAGAIN if the mmap_lock of one is not free. */
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

/* Allocate @mms for at least @n entries.  Return false if that fails. */
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
 * devpub_relatives_lock() - lock all other processes that may map the pages of a mapping
 * @relatives: the relatives, zeroed before the first call
 * @vma: the mapping
 * @start: first address
 * @end: end address
 *
 * Until devpub_relatives_unlock(), no relative changes its mappings or makes one of them
 * mergeable by KSM.
 *
 * Context: process context, mmap_lock of @vma held for reading.
 * Return: false if the mmap_lock of one of them is not free, there are too many, memory is
 * short, or a fatal signal arrived.
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

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
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
		/* Allocate without the anon_vma lock, because reclaim may need it. */
		if (found < 0 || !relatives_grow(relatives, found))
			return false;
	}
}

/**
 * devpub_relatives_unlock() - undo devpub_relatives_lock()
 * @relatives: the relatives
 *
 * Context: process context.
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
 * devpub_relatives_free() - free the memory that devpub_relatives_lock() allocated
 * @relatives: the relatives, which are not locked
 *
 * Context: process context, may sleep.
 */
void devpub_relatives_free(struct devpub_relatives *relatives)
{
	kvfree(relatives->mms);
	relatives->mms = NULL;
	relatives->room = 0;
}
