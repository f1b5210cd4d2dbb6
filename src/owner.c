// SPDX-License-Identifier: GPL-2.0
/*
 * The owner of a page: a process that maps it, found from the page.
 *
 * An anonymous page names an anon_vma, which has all mappings that the page may be
 * in.  The kernel's own walk over them (mm/rmap.c) is not exported; the
 * structures are in its headers.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/rmap.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>

#include "owner.h"
#include "query.h"

/*
 * Lock the anon_vma of a folio that is locked and mapped, which keeps it and its
 * mappings.  One that was freed stays an anon_vma until RCU's grace period is
 * over, so that its lock may be tried; a folio that is still mapped when the lock
 * is had says that it was not freed before, and who frees it waits for the lock
 * (mm/rmap.c, folio_lock_anon_vma_read(), anon_vma_free()).
 *
 * Return: the lock, or NULL when nobody maps the folio or the lock is taken.
 */
static struct rw_semaphore *owner_lock(struct folio *folio,
				       struct anon_vma **anon_vma)
{
	struct rw_semaphore *lock = NULL;

	rcu_read_lock();
	if (!folio_test_anon(folio) || folio_test_ksm(folio) ||
	    !folio_mapped(folio))
		goto unlock_rcu;

	*anon_vma = (void *)((unsigned long)READ_ONCE(folio->mapping) -
			     FOLIO_MAPPING_ANON);
	lock = &READ_ONCE((*anon_vma)->root)->rwsem;
	if (!down_read_trylock(lock)) {
		lock = NULL;
	} else if (!folio_mapped(folio)) {
		up_read(lock);
		lock = NULL;
	}

unlock_rcu:
	rcu_read_unlock();
	return lock;
}

/* The @nth process that has a mapping for the @index, and the address. */
static struct mm_struct *owner_walk(struct anon_vma *anon_vma, pgoff_t index,
				    unsigned int nth, unsigned long *addr)
{
	struct vm_area_struct *vma;
	struct rb_node *node;
	pgoff_t first;

	for (node = rb_first_cached(&anon_vma->rb_root); node;
	     node = rb_next(node)) {
		vma = rb_entry(node, struct anon_vma_chain, rb)->vma;
		first = vma_start_anon_pgoff(vma);
		if (first > index)
			break;
		if (index - first >= vma_pages(vma))
			continue;
		if (nth) {
			nth--;
			continue;
		}
		*addr = vma->vm_start + ((index - first) << PAGE_SHIFT);
		/* Not when it exits, which frees its pages. */
		if (mmget_not_zero(vma->vm_mm))
			return vma->vm_mm;
	}
	return NULL;
}

/* The @nth process that may map the page; the caller calls mmput_async(). */
static struct mm_struct *owner_candidate(struct page *page, unsigned int nth,
					 unsigned long *addr)
{
	struct folio *folio = page_folio(page);
	struct mm_struct *mm = NULL;
	struct anon_vma *anon_vma;
	struct rw_semaphore *lock;

	if (!folio_try_get(folio))
		return NULL;
	/* Its mapping and index change under the lock only. */
	if (!folio_trylock(folio))
		goto put;
	lock = owner_lock(folio, &anon_vma);
	if (lock) {
		mm = owner_walk(anon_vma, folio->index, nth, addr);
		up_read(lock);
	}
	folio_unlock(folio);
put:
	folio_put(folio);
	return mm;
}

/* A mapping that the page may be in may have another one there. */
static bool owner_maps(struct mm_struct *mm, unsigned long addr,
		       const struct page *page)
{
	struct vm_area_struct *vma;
	struct page *there = NULL;

	if (mmap_read_lock_killable(mm))
		return false;
	/*
	 * A fork that failed leaves its parent's mappings in the child's tree (6.12,
	 * kernel/fork.c, dup_mmap()), and says so before it lets go of the lock.
	 */
	vma = check_stable_address_space(mm) ? NULL : vma_lookup(mm, addr);
	if (vma && !(vma->vm_flags & (VM_IO | VM_PFNMAP)) &&
	    !is_vm_hugetlb_page(vma))
		devpub_query_pages(mm, addr, &there, 1);
	if (there)
		put_page(there);
	mmap_read_unlock(mm);
	return there == page;
}

/**
 * devpub_owner_get() - find a process that maps a page
 * @page: a page of a device, free or in use
 * @addr: receives where the process maps it
 *
 * The answer may be old when it is looked at.
 *
 * Context: process context, takes mmap_lock of other processes for reading.
 * Return: the process's memory, which the caller gives back by mmput_async(), for the
 * end of an address space waits for all kinds of I/O; or NULL
 * when nobody maps the page, somebody works on it, or all who map it exit.
 */
struct mm_struct *devpub_owner_get(struct page *page, unsigned long *addr)
{
	struct mm_struct *mm;
	unsigned int nth;

	for (nth = 0;; nth++) {
		mm = owner_candidate(page, nth, addr);
		if (!mm || owner_maps(mm, *addr, page))
			return mm;
		mmput_async(mm);
		cond_resched();
	}
}
