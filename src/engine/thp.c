// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * THPs on kernels up to 6.12: splits them one by one, before their pages are collected.
 *
 * migrate_vma_collect_pmd() (mm/migrate_device.c) takes a reference to the THP and leaks it
 * if the folio is locked: 2 MiB are lost until a reboot (Documentation/kernel-bugs.md).
 * Therefore only this file lets that function see a THP.  It detects afterwards if the
 * function has leaked a reference, and drops that reference.
 */
#include <linux/huge_mm.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/vmstat.h>

#include "engine/folio.h"
#include "engine/location.h"
#include "engine/pgtable.h"
#include "engine/thp.h"

#define THP_TRIES	3

/*
 * Processes that share a THP by fork split it under their own mmap_locks.  A mutex serializes
 * them, so that none finds the folio locked by another.
 */
#define THP_LOCKS	64
static struct mutex thp_locks[THP_LOCKS];

/* This kernel leaks references.  A distribution may have fixed the bug. */
static bool thp_forgets;

/**
 * struct thp_witness - state to detect if the task has tried to split a THP
 * @events:	number of split events of @cpu
 * @cpu:	the processor that the task ran on
 * @switches:	number of context switches of the task
 */
struct thp_witness {
	unsigned long events;
	int cpu;
	unsigned long switches;
};

static unsigned long thp_events(int cpu)
{
#if defined(CONFIG_VM_EVENT_COUNTERS) && defined(CONFIG_TRANSPARENT_HUGEPAGE)
	struct vm_event_state *state = &per_cpu(vm_event_states, cpu);

	return READ_ONCE(state->event[THP_SPLIT_PAGE]) +
	       READ_ONCE(state->event[THP_SPLIT_PAGE_FAILED]);
#else
	return 0;
#endif
}

static struct thp_witness thp_witness(void)
{
	struct thp_witness witness = {
		.cpu		= raw_smp_processor_id(),
		.switches	= current->nvcsw + current->nivcsw,
	};

	witness.events = thp_events(witness.cpu);
	return witness;
}

/*
 * Return true if it is certain that this task has not tried to split a folio since @before.
 * Each attempt on an anonymous folio counts one of the events, on the processor on which it
 * ends (mm/huge_memory.c, split_huge_page_to_list_to_order()).
 */
static bool thp_tried_nothing(const struct thp_witness *before)
{
	struct thp_witness now = thp_witness();

	return IS_ENABLED(CONFIG_VM_EVENT_COUNTERS) &&
	       now.switches == before->switches && now.cpu == before->cpu &&
	       now.events == before->events;
}

/*
 * Let the kernel split a THP.  A module has only one way to do that: collecting the device
 * pages of the range, of which there are none, splits a THP first.
 */
static bool thp_collect(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long src = 0, dst = 0;
	struct migrate_vma args = {
		.vma		= vma,
		.src		= &src,
		.dst		= &dst,
		.start		= addr,
		.end		= addr + PAGE_SIZE,
		.pgmap_owner	= &thp_forgets,
		.flags		= MIGRATE_VMA_SELECT_DEVICE_COHERENT,
	};

	if (migrate_vma_setup(&args))
		return false;
	/* migrate_vma_setup() collects holes, so the migration must be completed. */
	migrate_vma_pages(&args);
	migrate_vma_finalize(&args);
	return true;
}

/*
 * Return the frame number of @addr in an anonymous THP that is mapped by a PMD, or 0.
 * Large folios of files do not move, and the kernel does not count all of their splits.
 */
static unsigned long thp_pfn(struct mm_struct *mm, unsigned long addr)
{
	unsigned long pfn = 0, next;

	rcu_read_lock();
	if (devpub_pgtable_look(mm, addr, &pfn, &next) != DEVPUB_ENTRY_HUGE ||
	    !pfn_valid(pfn) || !folio_test_anon(page_folio(pfn_to_page(pfn))))
		pfn = 0;
	rcu_read_unlock();
	return pfn;
}

/* Wait until the folio is unlocked, so that the kernel's trylock is likely to succeed. */
static bool thp_wait(struct mm_struct *mm, unsigned long addr)
{
	struct page *page;
	bool waited = true;

	devpub_location_get_pages(mm, addr, &page, 1);
	if (!page)
		return true;
	if (folio_lock_killable(page_folio(page)))
		waited = false;
	else
		folio_unlock(page_folio(page));
	/* Drop the reference now, because it would keep the folio from being split. */
	put_page(page);
	return waited;
}

/*
 * Is nobody about to move the THP?  On 6.12 the kernel spins while it finds a migration
 * entry.  When the task that moves the THP waits for the same processor, that never ends
 * (Documentation/kernel-bugs.md).  Such a task isolates the folio before it unmaps it, and
 * move_pages(2) of this process can't isolate it while mmap_lock is held for writing.
 * Reschedule first, so that migrate_vma_setup() has no reason to do so.
 */
static bool thp_is_unmoved(struct mm_struct *mm, unsigned long addr, unsigned long pfn)
{
	cond_resched();
	return folio_test_lru(page_folio(pfn_to_page(pfn))) && thp_pfn(mm, addr) == pfn;
}

/*
 * Split the THP at @addr.  mmap_lock and the VMA lock are held for writing, so no fault can
 * replace the folio at @addr and map it again.  So if the folio is mapped at @addr before and
 * after an attempt, it was mapped there throughout, except during a migration that failed.
 * 6.12 waits for the migration entry; 6.1 skips it (devpub_thp_init()).
 */
static void thp_split_locked(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long pfn)
{
	struct thp_witness before;
	unsigned int i;

	mmap_assert_write_locked(vma->vm_mm);
	for (i = 0; i < THP_TRIES; i++) {
		if (thp_pfn(vma->vm_mm, addr) != pfn ||
		    !thp_wait(vma->vm_mm, addr) ||
		    !thp_is_unmoved(vma->vm_mm, addr, pfn))
			return;
		before = thp_witness();
		if (!thp_collect(vma, addr) || thp_pfn(vma->vm_mm, addr) != pfn)
			return;
		/* The kernel neither tries nor counts a folio under writeback. */
		if (thp_forgets && thp_tried_nothing(&before) &&
		    !folio_test_swapcache(pfn_folio(pfn)))
			folio_put(pfn_folio(pfn));
	}
}

static void thp_split_one(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long pfn = thp_pfn(vma->vm_mm, addr);
	struct mutex *lock = &thp_locks[pfn / PTRS_PER_PTE % THP_LOCKS];

	/* Not waited for: the THP is busy then, and is tried again. */
	if (!pfn || !mutex_trylock(lock))
		return;
	thp_split_locked(vma, addr, pfn);
	mutex_unlock(lock);
}

static bool thp_any(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long addr;

	for (addr = start; addr < end; addr = (addr & PMD_MASK) + PMD_SIZE)
		if (thp_pfn(mm, addr))
			return true;
	return false;
}

/**
 * devpub_thp_split() - split the THPs of a range that may move
 * @mm: the memory of the process
 * @start: page-aligned first address
 * @end: page-aligned end address
 *
 * A THP that the kernel can't split stays a THP.
 *
 * Context: process context; takes mmap_lock, for writing if the range contains a THP.
 * Return: false after a fatal signal.
 */
bool devpub_thp_split(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;
	bool any;

	if (mmap_read_lock_killable(mm))
		return false;
	any = thp_any(mm, start, end);
	mmap_read_unlock(mm);
	if (!any)
		return true;

	if (mmap_write_lock_killable(mm))
		return false;
	for (addr = start; addr < end && !fatal_signal_pending(current); addr = next) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min3(end, vma->vm_end, (addr & PMD_MASK) + PMD_SIZE);
		if (devpub_mapping_refusal(vma) || vma->vm_flags & VM_MERGEABLE ||
		    !thp_pfn(mm, addr))
			continue;
		vma_start_write(vma);
		thp_split_one(vma, addr);
	}
	mmap_write_unlock(mm);
	return !fatal_signal_pending(current);
}

/* Let the kernel see a locked THP.  Return true if each attempt leaks one reference. */
static bool thp_loses(struct vm_area_struct *vma, unsigned long addr,
		      struct folio *folio)
{
	unsigned int i, lost = 0;
	int before;

	if (!folio_trylock(folio))
		return false;
	for (i = 0; i < THP_TRIES; i++) {
		before = folio_ref_count(folio);
		thp_collect(vma, addr);
		lost += folio_ref_count(folio) == before + 1;
	}
	folio_unlock(folio);
	if (lost < THP_TRIES)
		return false;
	while (lost--)
		folio_put(folio);
	return true;
}

/**
 * devpub_thp_init() - find out if this kernel leaks references to THPs
 *
 * Tests that with a new THP of the calling process (insmod), to which no other task has a
 * reference.  If there is no THP, for example because THPs are disabled, the result is no:
 * dropping a reference that was not leaked would free memory in use.  The result is also no
 * on 6.1, where migrate_vma_collect_pmd() skips a migration entry without taking a reference
 * and without counting an event, which looks like a leak.
 *
 * Context: module init.
 */
void devpub_thp_init(void)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct page *page = NULL;
	unsigned long addr, huge;
	unsigned int i;

	for (i = 0; i < THP_LOCKS; i++)
		mutex_init(&thp_locks[i]);
	if (!mm || !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ||
	    !DEVPUB_COMPAT_COLLECT_WAITS)
		return;
	addr = vm_mmap(NULL, 0, 2 * PMD_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return;
	huge = ALIGN(addr, PMD_SIZE);

	mmap_write_lock(mm);
	vma = vma_lookup(mm, huge);
	if (vma && vma->vm_end >= huge + PMD_SIZE) {
		vm_flags_set(vma, VM_HUGEPAGE);
		if (get_user_pages_remote(mm, huge, 1, FOLL_WRITE, &page, NULL) == 1) {
			if (thp_pfn(mm, huge))
				thp_forgets = thp_loses(vma, huge, page_folio(page));
			put_page(page);
		}
	}
	mmap_write_unlock(mm);
	vm_munmap(addr, 2 * PMD_SIZE);
}
