// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: moves a window of a process's pages to the device or back.
 *
 * A window passes through the kernel's four steps (mm/migrate_device.c) with two
 * of ours between them:
 *
 *	migrate_vma_setup()	collects, locks, unmaps
 *	choose			which of the collected pages shall move
 *	fill			allocates where they go and copies
 *	migrate_vma_pages()	moves what struct page knows
 *	account			tells moved from refused, while both are still locked
 *	migrate_vma_finalize()	maps the pages where they are now, unlocks
 *
 * and then "explain" looks up why pages were not collected at all.  Every page of
 * a window ends with a reason.
 *
 * MIGRATE_VMA_SELECT_COMPOUND is not used on any kernel: large folios of coherent
 * memory are not safe to unmap partly (Documentation/kernel-bugs.md).
 */
#include <linux/dax.h>
#include <linux/highmem.h>
#include <linux/hugetlb_inline.h>
#include <linux/ktime.h>
#include <linux/mempolicy.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "device.h"
#include "export.h"
#include "migrate.h"
#include "query.h"
#include "range.h"
#include "trace.h"

#define EXPLAIN_BATCH	16

/* System pages on the way back: what is short there stays on the device. */
#define MIGRATE_GFP	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY)
/* Where the device must be emptied: retry, but leave the OOM killer out. */
#define MIGRATE_GFP_INSIST \
	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

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
	m->node = numa_mem_id();
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_begin);

/**
 * devpub_migrate_end() - release what devpub_migrate_begin() allocated
 * @m: the migration
 */
void devpub_migrate_end(struct devpub_migration *m)
{
	kvfree(m->pfns);
	kvfree(m->dst);
	kvfree(m->src);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_end);

/* May pages of this mapping live on a device at all?  0 when they may. */
static u8 migrate_vma_refusal(struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma))
		return DEVPUB_REASON_HUGETLB;
	if (vma->vm_flags & VM_SPECIAL || vma_is_dax(vma))
		return DEVPUB_REASON_SPECIAL;
	if (vma->vm_flags & VM_SHARED)
		return DEVPUB_REASON_SHARED;
	/* Private, but never written to: all its pages are the file's. */
	if (!vma_is_anonymous(vma) && !vma->anon_vma)
		return DEVPUB_REASON_FILE;
	return 0;
}

/* May this page live on a device?  0 when it may. */
static u8 migrate_folio_refusal(struct folio *folio)
{
	if (!folio_test_anon(folio))
		return DEVPUB_REASON_FILE;
	/*
	 * KSM finds its pages again by frame number, and nothing tells it when
	 * a device's page array goes away (mm/ksm.c, ksm_get_folio()).
	 */
	if (folio_test_ksm(folio))
		return DEVPUB_REASON_KSM;
	/*
	 * 6.12 up to 6.12.107 moves such a page on with the swap cache's idea
	 * of its references, after which nothing can move it again.
	 */
	if (folio_test_swapcache(folio))
		return DEVPUB_REASON_SWAPCACHE;
	return 0;
}

/*
 * migrate_vma_check_page() (mm/migrate_device.c) expects one reference too many of
 * a device page: each had one of its own before Linux 5.3.  So somebody else may
 * hold this page once.  He may write to it after the copy is made, and let go before
 * folio_migrate_mapping() counts again, and what he wrote would be lost.  A page
 * whose only reference is the migration's can't be written to: it is unmapped, and
 * nobody gets a new reference to write by.
 *
 * Return: 0, or the reason why the page must stay.
 */
static u8 migrate_device_refusal(struct folio *folio)
{
	if (folio_ref_count(folio) == 1)
		return 0;
	return folio_maybe_dma_pinned(folio) ? DEVPUB_REASON_PINNED :
					       DEVPUB_REASON_BUSY;
}

/*
 * POPULATE does what a write fault would.  It must not fill holes that userfaultfd
 * handles, nor those of a mapping that can't be written to: a fault gives that the
 * zero page, and overcommit does not account for more.
 */
static bool migrate_may_populate(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && vma->vm_flags & VM_WRITE &&
	       !userfaultfd_armed(vma);
}

/*
 * Mark the pages of a collected window that shall move: their reason stays
 * DEVPUB_REASON_UNSEEN and their entry valid.  The others get their reason.
 *
 * Return: how many shall move.
 */
static unsigned long migrate_choose(const struct devpub_migration *m,
				    const struct migrate_vma *args, u8 *reasons)
{
	bool populate = m->populate && migrate_may_populate(args->vma);
	const unsigned long *src = m->src;
	unsigned long i, chosen = 0;

	for (i = 0; i < args->npages; i++) {
		u8 reason = DEVPUB_REASON_UNSEEN;
		struct folio *folio;

		if (!(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (src[i] & MIGRATE_PFN_VALID) {
			folio = page_folio(migrate_pfn_to_page(src[i]));
			reason = m->to ? migrate_folio_refusal(folio) :
					 migrate_device_refusal(folio);
		} else if (!populate) {
			reason = DEVPUB_REASON_ABSENT;
		}
		if (reason)
			reasons[i] = reason;
		else
			chosen++;
	}
	return chosen;
}

/* Is it all the same to everybody on which node the memory of a mapping is? */
static bool migrate_any_node(struct vm_area_struct *vma)
{
	/* That of a file may have a policy, too. */
	if (!vma_is_anonymous(vma) || vma_policy(vma))
		return false;
#ifdef CONFIG_NUMA
	if (current->mempolicy)
		return false;
#endif
	return true;
}

/*
 * System pages, at most @n, for those that come back to @addr and further on; locked, as
 * devpub_pool_alloc() has its own.  The page allocator has many at a time for a quarter
 * of the price, but then knows of no policy.
 *
 * Return: how many were got.
 */
static unsigned long migrate_alloc_system(struct devpub_migration *m,
					  struct vm_area_struct *vma,
					  unsigned long addr, unsigned long n)
{
	gfp_t gfp = m->insist ? MIGRATE_GFP_INSIST : MIGRATE_GFP;
	unsigned long *pfns = m->pfns, i, got;
	struct page **pages = (struct page **)pfns;

	if (migrate_any_node(vma)) {
		/* It may give them one by one, and wants what is free in a zone to be more. */
		n = min(n, PTRS_PER_PTE);
		memset(pages, 0, n * sizeof(*pages));
		got = alloc_pages_bulk_node(gfp, m->node, n, pages);
	} else {
		pages[0] = alloc_page_vma(gfp, vma, addr);
		got = !!pages[0];
	}

	for (i = 0; i < got; i++) {
		/* Nobody else knows it yet. */
		__folio_set_locked(page_folio(pages[i]));
		pfns[i] = page_to_pfn(pages[i]);
	}
	return got;
}

/* Give each chosen page a destination that holds its content. */
static void migrate_fill(struct devpub_migration *m,
			 const struct migrate_vma *args, unsigned long chosen,
			 u8 *reasons)
{
	const unsigned long *src = m->src, *pfns = m->pfns;
	unsigned long i, n = args->npages, used = 0, got = 0;
	unsigned long *dst = m->dst;
	bool out = m->to;

	if (m->to)
		got = devpub_pool_alloc(&m->ddev->pool, m->pfns, chosen);

	for (i = 0; i < n; i++) {
		unsigned long entry = src[i], pfn;

		if (!(i % PTRS_PER_PTE))
			cond_resched();
		if (!(entry & MIGRATE_PFN_MIGRATE) || reasons[i])
			continue;

		if (used == got && !out) {
			chosen -= used;
			used = 0;
			got = migrate_alloc_system(m, args->vma, args->start +
						   (i << PAGE_SHIFT), chosen);
			/* Nor will others be had from everywhere: their owner waits. */
			out = !got && migrate_any_node(args->vma);
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

/* Why was this page, which is there, not collected? */
static u8 migrate_explain_page(const struct devpub_migration *m,
			       struct page *page)
{
	struct folio *folio = page_folio(page);
	struct devpub_pool *home = devpub_pool_of_page(page);
	u8 reason;

	if (home && home != &m->ddev->pool)
		return DEVPUB_REASON_OTHER_DEVICE;
	if (m->to ? !!home : !home)
		return DEVPUB_REASON_ALREADY;
	if (is_zone_device_page(page) && !home)
		return DEVPUB_REASON_SPECIAL;

	reason = m->to ? migrate_folio_refusal(folio) : 0;
	if (reason)
		return reason;
	if (folio_maybe_dma_pinned(folio))
		return DEVPUB_REASON_PINNED;
	if (folio_test_large(folio))
		return DEVPUB_REASON_LARGE;
	return DEVPUB_REASON_BUSY;
}

/* Give the pages of one mapping that have no reason yet their reason. */
static void migrate_explain(const struct devpub_migration *m,
			    struct vm_area_struct *vma, unsigned long start,
			    unsigned long npages, u8 *reasons)
{
	/* What is no page and was not collected as a hole is a swap entry. */
	u8 no_page = m->to && vma_is_anonymous(vma) ? DEVPUB_REASON_SWAPPED :
						      DEVPUB_REASON_ABSENT;
	struct page *pages[EXPLAIN_BATCH];
	unsigned long i, n;
	unsigned int got, j;

	for (i = 0; i < npages; i += n) {
		for (n = 0; i + n < npages && n < EXPLAIN_BATCH &&
		     reasons[i + n] == DEVPUB_REASON_UNSEEN; n++)
			;
		if (!n) {
			n = 1;
			continue;
		}

		got = devpub_query_pages(m->mm, start + (i << PAGE_SHIFT),
					 pages, n);
		for (j = 0; j < got; j++) {
			reasons[i + j] = no_page;
			if (!pages[j])
				continue;
			reasons[i + j] = migrate_explain_page(m, pages[j]);
			put_page(pages[j]);
		}
		n = got;
	}
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
	unsigned long chosen, moved = 0;

	if (migrate_vma_setup(&args)) {
		/* The kernel refuses mappings that migrate_vma_refusal() let by. */
		memset(reasons, m->to ? DEVPUB_REASON_SPECIAL :
		       DEVPUB_REASON_ALREADY, npages);
		return;
	}
	migrate_step(m, &args, DEVPUB_STEP_SETUP, &since);

	if (args.cpages) {
		chosen = migrate_choose(m, &args, reasons);
		if (chosen)
			migrate_fill(m, &args, chosen, reasons);
		migrate_step(m, &args, DEVPUB_STEP_FILL, &since);
		migrate_vma_pages(&args);
		moved = migrate_account(m, &args, reasons);
		migrate_step(m, &args, DEVPUB_STEP_PAGES, &since);
		migrate_vma_finalize(&args);
		migrate_step(m, &args, DEVPUB_STEP_FINALIZE, &since);
	}

	if (moved < npages)
		migrate_explain(m, vma, start, npages, reasons);
}

/*
 * Bring the pages of one mapping back, but leave alone what stays in system memory
 * anyway: kernels up to 6.12 at least split every THP that migrate_vma_setup()
 * passes, also when only device pages are asked for (mm/migrate_device.c,
 * migrate_vma_collect_pmd()).
 */
static void migrate_mapping_from(struct devpub_migration *m,
				 struct vm_area_struct *vma,
				 unsigned long start, unsigned long end,
				 u8 *reasons)
{
	unsigned long addr, next, npages;
	struct page *page;
	bool large;
	u8 *r;

	for (addr = start; addr < end; addr = next) {
		next = devpub_range_window_end(addr, end, PTRS_PER_PTE);
		devpub_query_pages(m->mm, addr, &page, 1);
		large = page && folio_test_large(page_folio(page));
		if (page)
			put_page(page);
		if (!large)
			continue;

		npages = devpub_range_pages(addr, next);
		r = reasons + devpub_range_pages(start, addr);
		migrate_explain(m, vma, addr, npages, r);
		if (memchr(r, DEVPUB_REASON_BUSY, npages) ||
		    memchr(r, DEVPUB_REASON_PINNED, npages)) {
			/* Some are on the device all the same. */
			memset(r, DEVPUB_REASON_UNSEEN, npages);
			continue;
		}
		if (addr > start)
			migrate_mapping(m, vma, start, addr, reasons);
		reasons = r + npages;
		start = next;
	}
	if (start < end)
		migrate_mapping(m, vma, start, end, reasons);
}

/**
 * devpub_migrate_window() - migrate the pages of a window
 * @m: a migration that has begun
 * @start: page-aligned first address
 * @end: page-aligned end, at most a window further; any mappings and gaps may
 *	 lie between
 * @reasons: receives an enum devpub_reason a page
 *
 * Context: process context, between devpub_device_enter() and devpub_device_exit(); takes
 * mmap_lock for reading.
 * Return: 0, or -EINTR when a fatal signal came before the lock was had, and
 * nothing was done.
 */
int devpub_migrate_window(struct devpub_migration *m, unsigned long start,
			  unsigned long end, u8 *reasons)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;
	u8 refusal;

	if (mmap_read_lock_killable(m->mm))
		return -EINTR;

	memset(reasons, DEVPUB_REASON_UNMAPPED, devpub_range_pages(start, end));
	for (addr = start; addr < end; addr = next) {
		u8 *r;

		vma = find_vma(m->mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min(end, vma->vm_end);
		r = reasons + devpub_range_pages(start, addr);

		refusal = migrate_vma_refusal(vma);
		/* What may not live on a device is already back from it. */
		if (refusal && !m->to)
			refusal = DEVPUB_REASON_ALREADY;
		/*
		 * migrate_vma_setup() unmaps a page that KSM is about to merge
		 * and can't map it again (Documentation/kernel-bugs.md).
		 */
		if (!refusal && m->to && vma->vm_flags & VM_MERGEABLE)
			refusal = DEVPUB_REASON_KSM;
		memset(r, refusal, devpub_range_pages(addr, next));
		if (refusal)
			continue;
		if (m->to)
			migrate_mapping(m, vma, addr, next, r);
		else
			migrate_mapping_from(m, vma, addr, next, r);
	}

	mmap_read_unlock(m->mm);
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_migrate_window);
