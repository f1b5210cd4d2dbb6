// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: moves a window of a process's pages to the device or back.
 *
 * A window passes through the kernel's four steps (mm/migrate_device.c) with two
 * of ours between them:
 *
 *	migrate_vma_setup()	collects, locks, unmaps
 *	select			which of the collected pages shall move
 *	fill			allocates where they go and copies
 *	migrate_vma_pages()	moves what struct page knows
 *	account			tells moved from refused, while both are still locked
 *	migrate_vma_finalize()	maps the pages where they are now, unlocks
 *
 * and then "classify" looks up why pages were not collected at all.  Every page of
 * a window ends with a reason.
 *
 * MIGRATE_VMA_SELECT_COMPOUND is not used on any kernel: large folios of coherent
 * memory are not safe to unmap partly (Documentation/kernel-bugs.md).
 */
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "device/device.h"
#include "engine/classify.h"
#include "engine/location.h"
#include "engine/range.h"
#include "engine/select.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "export.h"
#include "trace.h"

/**
 * devpub_migrate_begin() - get ready to migrate windows
 * @m: ddev, mm, to and populate are set
 *
 * The memory used is that of a window, however long the range.
 *
 * Context: process context, may sleep; the device's struct stays until
 * devpub_migrate_end().
 * Return: 0 or -ENOMEM.
 */
int devpub_migrate_begin(struct devpub_migration *m)
{
	size_t size = m->ddev->window * sizeof(*m->src);

	m->src = devpub_migrate_alloc(size);
	m->dst = devpub_migrate_alloc(size);
	m->pfns = devpub_migrate_alloc(size);
	if (!m->src || !m->dst || !m->pfns) {
		devpub_migrate_end(m);
		return -ENOMEM;
	}
	if (m->mm)
		devpub_migrate_set_mm(m, m->mm);
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_begin);

/**
 * devpub_migrate_end() - release what devpub_migrate_begin() allocated
 * @m: the migration
 */
void devpub_migrate_end(struct devpub_migration *m)
{
	devpub_relatives_free(&m->relatives);
	kvfree(m->pfns);
	kvfree(m->dst);
	kvfree(m->src);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_end);

/**
 * devpub_migrate_set_mm() - set whose pages move from now on
 * @m: a migration that has begun
 * @mm: the memory, which stays for as long as it is set
 *
 * Context: process context; the caller's policy counts for its own memory.
 */
void devpub_migrate_set_mm(struct devpub_migration *m, struct mm_struct *mm)
{
	m->mm = mm;
	/* Pages of the device have a node of their own. */
	if (!m->to)
		devpub_nodes_of(&m->nodes, mm);
}

/*
 * System pages, at most @n, for those that come back to @addr and further on.  A page
 * that has to leave the device is worth more than a policy.
 */
static unsigned long migrate_alloc_system(struct devpub_migration *m,
					  struct vm_area_struct *vma,
					  unsigned long addr, unsigned long n)
{
	unsigned long got = devpub_system_alloc(&m->nodes, vma, addr, m->pfns, n);

	if (!got && m->insist) {
		got = devpub_system_alloc_anywhere(m->nodes.near, m->pfns, n);
		if (got)
			trace_devpub_evict_elsewhere(m->ddev->index, addr, got);
	}
	return got;
}

/* Give each selected page a destination that holds its content. */
static void migrate_fill(struct devpub_migration *m,
			 const struct migrate_vma *args, unsigned long selected,
			 u8 *reasons)
{
	const unsigned long *src = m->src, *pfns = m->pfns;
	unsigned long i, n = args->npages, used = 0, got = 0;
	unsigned long *dst = m->dst;
	bool out = m->to;

	if (m->to)
		got = devpub_pool_alloc(&m->ddev->pool, m->pfns, selected);

	for (i = 0; i < n; i++) {
		unsigned long entry = src[i], pfn;

		if (!(i % PTRS_PER_PTE))
			cond_resched();
		if (!(entry & MIGRATE_PFN_MIGRATE) || reasons[i])
			continue;

		if (used == got && !out) {
			selected -= used;
			used = 0;
			got = migrate_alloc_system(m, args->vma, args->start +
						   (i << PAGE_SHIFT), selected);
			/* Memory is short: do not let the pages wait, which are unmapped. */
			out = !got && !vma_policy(args->vma);
		}
		if (used == got) {
			reasons[i] = DEVPUB_REASON_NO_SPACE;
			continue;
		}

		pfn = pfns[used++];
		if (entry & MIGRATE_PFN_VALID)
			copy_highpage(pfn_to_page(pfn), migrate_pfn_to_page(entry));
		else
			clear_highpage(pfn_to_page(pfn));
		dst[i] = migrate_pfn(pfn);
	}
}

/*
 * Which of the pages with a destination moved?  Who holds another one has got hold of it
 * since migrate_vma_setup(), from elsewhere than a page table: that is no pin.
 *
 * Return: how many moved or came into being.
 */
static unsigned long migrate_account(const struct devpub_migration *m,
				     const struct migrate_vma *args,
				     u8 *reasons)
{
	const unsigned long *src = m->src, *dst = m->dst;
	unsigned long i, moved = 0;

	for (i = 0; i < args->npages; i++) {
		if (!dst[i])
			continue;
		reasons[i] = DEVPUB_REASON_BUSY;
		if (src[i] & MIGRATE_PFN_MIGRATE) {
			reasons[i] = src[i] & MIGRATE_PFN_VALID ?
				     DEVPUB_REASON_MOVED :
				     DEVPUB_REASON_POPULATED;
			moved++;
		}
	}
	return moved;
}

/* The time that a trace event counts from; 0 while nobody listens. */
static u64 migrate_clock(void)
{
	return trace_devpub_migrate_step_enabled() ? ktime_get_ns() : 0;
}

/* The next step counts from here. */
static void migrate_step(const struct devpub_migration *m,
			 const struct migrate_vma *args, enum devpub_step step,
			 u64 *since)
{
	u64 now = migrate_clock();

	if (*since && now)
		trace_devpub_migrate_step(m->ddev->index, step, args->start,
					  args->npages, now - *since);
	*since = now;
}

/* Migrate pages of one mapping, at most a window of them. */
static void migrate_mapping(struct devpub_migration *m,
			    struct vm_area_struct *vma, unsigned long start,
			    unsigned long end, u8 *reasons)
{
	unsigned long npages = devpub_range_pages(start, end);
	struct migrate_vma args = {
		.vma		= vma,
		.src		= m->src,
		.dst		= m->dst,
		.start		= start,
		.end		= end,
		.pgmap_owner	= &m->ddev->pool,
		.flags		= m->to ? MIGRATE_VMA_SELECT_SYSTEM :
					  MIGRATE_VMA_SELECT_DEVICE_COHERENT,
	};
	u64 since = migrate_clock();
	unsigned long selected, moved = 0;

	if (migrate_vma_setup(&args)) {
		/* The kernel refuses mappings that devpub_select_mapping() let by. */
		memset(reasons, m->to ? DEVPUB_REASON_SPECIAL :
		       DEVPUB_REASON_ALREADY, npages);
		return;
	}
	migrate_step(m, &args, DEVPUB_STEP_SETUP, &since);

	if (args.cpages) {
		selected = devpub_select_pages(m, &args, reasons);
		if (selected)
			migrate_fill(m, &args, selected, reasons);
		migrate_step(m, &args, DEVPUB_STEP_FILL, &since);
		migrate_vma_pages(&args);
		moved = migrate_account(m, &args, reasons);
		migrate_step(m, &args, DEVPUB_STEP_PAGES, &since);
		migrate_vma_finalize(&args);
		migrate_step(m, &args, DEVPUB_STEP_FINALIZE, &since);
	}

	if (moved < npages)
		devpub_classify(m, vma, start, npages, reasons);
}

/* The parts of a mapping whose pages may be collected, each by itself. */
static void migrate_parts(struct devpub_migration *m, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 *reasons)
{
	unsigned long i, first, n = devpub_range_pages(start, end);

	if (m->populate && devpub_thp_by_hand())
		vma_start_write(vma);
	if (!devpub_select_begin(m, vma, start, end, reasons)) {
		migrate_mapping(m, vma, start, end, reasons);
		devpub_select_end(m);
		return;
	}
	for (i = 0; i < n; i++) {
		for (first = i; i < n && !reasons[i]; i++)
			;
		if (first < i)
			migrate_mapping(m, vma, start + (first << PAGE_SHIFT),
					start + (i << PAGE_SHIFT), reasons + first);
	}
	devpub_select_end(m);
}

/**
 * devpub_migrate_window_locked() - migrate the pages of a window
 * @m: a migration that has begun
 * @start: page-aligned first address
 * @end: page-aligned end, at most a window further; any mappings and gaps may
 *	 lie between
 * @reasons: receives an enum devpub_reason a page
 *
 * Context: process context, between devpub_device_enter() and devpub_device_exit();
 * mmap_lock held for reading, and nothing in here waits for user space.
 */
void devpub_migrate_window_locked(struct devpub_migration *m, unsigned long start,
				  unsigned long end, u8 *reasons)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;
	u8 refusal;

	mmap_assert_locked(m->mm);
	memset(reasons, DEVPUB_REASON_UNMAPPED, devpub_range_pages(start, end));
	for (addr = start; addr < end; addr = next) {
		u8 *r;

		vma = find_vma(m->mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min(end, vma->vm_end);
		r = reasons + devpub_range_pages(start, addr);

		refusal = devpub_select_mapping(vma, m->to);
		memset(r, refusal, devpub_range_pages(addr, next));
		if (!refusal)
			migrate_parts(m, vma, addr, next, r);
	}
}

/*
 * With mmap_lock held.  The device is entered last, so that its removal waits for nothing
 * that user space can hold up.
 */
static int migrate_window_entered(struct devpub_migration *m, unsigned long start,
				  unsigned long end, u8 *reasons)
{
	if (!devpub_device_enter(m->ddev))
		return -ENODEV;
	devpub_migrate_window_locked(m, start, end, reasons);
	devpub_device_exit(m->ddev);
	return 0;
}

/**
 * devpub_migrate_window() - migrate the pages of a window
 * @m: a migration that has begun
 * @start: page-aligned first address
 * @end: page-aligned end, as of devpub_migrate_window_locked()
 * @reasons: receives an enum devpub_reason a page
 *
 * Context: process context; takes mmap_lock, for writing where THPs have to be split by
 * hand, and enters the device.
 * Return: 0; -EINTR when a fatal signal came before the lock was had, or -ENODEV, and
 * nothing was done.
 */
int devpub_migrate_window(struct devpub_migration *m, unsigned long start,
			  unsigned long end, u8 *reasons)
{
	int ret;

	if (m->to && !devpub_thp_split(m->mm, start, end))
		return -EINTR;
	/* A fault must not put a THP where a hole is just collected. */
	if (m->populate && devpub_thp_by_hand()) {
		if (mmap_write_lock_killable(m->mm))
			return -EINTR;
		ret = migrate_window_entered(m, start, end, reasons);
		mmap_write_unlock(m->mm);
		return ret;
	}
	if (mmap_read_lock_killable(m->mm))
		return -EINTR;
	ret = migrate_window_entered(m, start, end, reasons);
	mmap_read_unlock(m->mm);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_window);
