// SPDX-License-Identifier: GPL-2.0
/*
 * The transfer: moves a window of a process's pages from one endpoint to another.
 *
 * A window passes through the kernel's four steps (mm/migrate_device.c) with three of this
 * module's between them:
 *
 *	leave out		finds pages that must not be collected
 *	migrate_vma_setup()	collects pages, locks and unmaps them
 *	select			decides which of the collected pages move
 *	fill			allocates their destinations and copies
 *	migrate_vma_pages()	moves what struct page holds
 *	account			tells moved pages from refused ones, while both are locked
 *	migrate_vma_finalize()	maps the pages at their new place, unlocks
 *	classify		finds out why the other pages were not collected
 *
 * In the end, each page of the window has an enum devpub_reason.
 *
 * MIGRATE_VMA_SELECT_COMPOUND is not used on any kernel: large folios of coherent memory
 * are not safe to unmap partly (Documentation/kernel-bugs.md).
 */
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmalloc.h>

#include "engine/classify.h"
#include "engine/range.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "export.h"
#include "memory/pagemap.h"
#include "memory/pool.h"
#include "trace.h"

/**
 * devpub_transfer_alloc_array() - allocate an array with entries for the pages of windows
 * @size: bytes
 *
 * A large array must not be physically contiguous: freeing such pages between two windows
 * would empty the processor's list of free pages, from which the next window's pages would
 * have come (mm/page_alloc.c, free_unref_page_commit()).
 *
 * Context: process context, may sleep.
 * Return: memory for kvfree(), or NULL.
 */
void *devpub_transfer_alloc_array(size_t size)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return __vmalloc(size, gfp);
	return kvmalloc(size, gfp);
}

/**
 * devpub_transfer_device() - the device that a transfer counts for
 * @spec: which pages move where
 *
 * Return: the destination if that is a device, else the source.
 */
const struct devpub_endpoint *
devpub_transfer_device(const struct devpub_transfer_spec *spec)
{
	return spec->destination->pagemap ? spec->destination : spec->source;
}

/**
 * devpub_transfer_drain() - empty this processor's batches of LRU pages
 * @spec: which pages move where; the device's pagemap is registered
 *
 * A page in a batch has one more reference, which keeps it from moving.  lru_add_drain()
 * is not exported, but each migration begins with it, even one of no pages
 * (mm/migrate_device.c, migrate_device_unmap()).
 *
 * Context: process context.
 */
void devpub_transfer_drain(const struct devpub_transfer_spec *spec)
{
	migrate_device_range(NULL, devpub_transfer_device(spec)->pagemap->pool->base_pfn,
			     0);
}

/**
 * devpub_transfer_begin() - get ready to move windows
 * @transfer: receives what devpub_transfer_end() releases
 * @spec: which pages move where
 * @mm: whose pages, or NULL to set it later
 *
 * The memory used is that of one window, however long the range.
 *
 * Context: process context, may sleep; the endpoints stay until devpub_transfer_end().
 * Return: 0 or -ENOMEM.
 */
int devpub_transfer_begin(struct devpub_transfer *transfer,
			  const struct devpub_transfer_spec *spec,
			  struct mm_struct *mm)
{
	unsigned int window = devpub_transfer_device(spec)->window;
	size_t size = window * sizeof(*transfer->src);
	size_t entries = size * DEVPUB_COMPAT_ENTRIES_A_PAGE;

	*transfer = (struct devpub_transfer) {
		.spec	= *spec,
		.window	= window,
		.src	= devpub_transfer_alloc_array(entries),
		.dst	= devpub_transfer_alloc_array(entries),
		.pfns	= devpub_transfer_alloc_array(size),
	};
	if (!transfer->src || !transfer->dst || !transfer->pfns) {
		devpub_transfer_end(transfer);
		return -ENOMEM;
	}
	if (mm)
		devpub_transfer_set_mm(transfer, mm);
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_transfer_begin);

/**
 * devpub_transfer_end() - release what devpub_transfer_begin() allocated
 * @transfer: the transfer
 *
 * Context: process context, may sleep.
 */
void devpub_transfer_end(struct devpub_transfer *transfer)
{
	devpub_relatives_free(&transfer->relatives);
	kvfree(transfer->pfns);
	kvfree(transfer->dst);
	kvfree(transfer->src);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_transfer_end);

/**
 * devpub_transfer_set_mm() - set whose pages move from now on
 * @transfer: the transfer
 * @mm: the memory, which stays as long as it is set
 *
 * Context: process context.
 */
void devpub_transfer_set_mm(struct devpub_transfer *transfer, struct mm_struct *mm)
{
	const struct devpub_endpoint *destination = transfer->spec.destination;

	transfer->mm = mm;
	if (destination->ops->set_mm)
		destination->ops->set_mm(transfer);
}

/**
 * devpub_transfer_enter() - begin to use both endpoints
 * @spec: which pages move where
 *
 * Context: as of devpub_gate_enter().
 * Return: false when the gate of one is closed.
 */
bool devpub_transfer_enter(const struct devpub_transfer_spec *spec)
{
	if (!devpub_endpoint_enter(spec->source))
		return false;
	if (devpub_endpoint_enter(spec->destination))
		return true;
	devpub_endpoint_exit(spec->source);
	return false;
}

/**
 * devpub_transfer_exit() - end what devpub_transfer_enter() began
 * @spec: which pages move where
 *
 * Context: any.
 */
void devpub_transfer_exit(const struct devpub_transfer_spec *spec)
{
	devpub_endpoint_exit(spec->destination);
	devpub_endpoint_exit(spec->source);
}

/*
 * POPULATE does what a write fault would do.  It must not fill holes that userfaultfd
 * handles, nor those of a mapping that can't be written to: a read fault gives that the
 * zero page, and overcommit does not account for more.
 */
static bool transfer_may_populate(const struct devpub_transfer *transfer,
				  struct vm_area_struct *vma)
{
	return transfer->spec.populate && vma_is_anonymous(vma) &&
	       vma->vm_flags & VM_WRITE && !userfaultfd_armed(vma);
}

/*
 * Which of the collected pages move?
 *
 * Return: how many.
 */
static unsigned long transfer_select(struct devpub_transfer *transfer,
				     const struct migrate_vma *args, u8 *states)
{
	const struct devpub_endpoint_ops *ops = transfer->spec.source->ops;
	bool populate = transfer_may_populate(transfer, args->vma);
	const unsigned long *src = transfer->src;
	unsigned long i, selected = 0;
	u8 reason;

	for (i = 0; i < args->npages; i++) {
		if (!(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (src[i] & MIGRATE_PFN_VALID)
			reason = ops->select_folio(page_folio(migrate_pfn_to_page(src[i])));
		else
			reason = populate ? 0 : DEVPUB_REASON_ABSENT;
		states[i] = reason ?: DEVPUB_PAGE_SELECTED;
		selected += !reason;
	}
	return selected;
}

/* Give each selected page a destination with its content. */
static void transfer_fill(struct devpub_transfer *transfer,
			  const struct migrate_vma *args, unsigned long selected,
			  u8 *states)
{
	const struct devpub_endpoint_ops *ops = transfer->spec.destination->ops;
	unsigned long i, used = 0, got = 0;
	unsigned long *dst = transfer->dst;
	bool more = true;

	for (i = 0; i < args->npages; i++) {
		if (states[i] != DEVPUB_PAGE_SELECTED)
			continue;
		if (used == got && more) {
			selected -= used;
			used = 0;
			got = ops->alloc(transfer, args->vma,
					 args->start + (i << PAGE_SHIFT), selected,
					 &more);
		}
		if (used == got) {
			states[i] = DEVPUB_REASON_NO_SPACE;
			continue;
		}
		dst[i] = migrate_pfn(transfer->pfns[used++]);
	}
	ops->fill(transfer->src, dst, args->npages);
}

/*
 * Which of the pages with a destination moved?  Another one is held by somebody who got
 * its reference after migrate_vma_setup() and not from a page table: that is no pin.
 *
 * Return: how many moved or came into being.
 */
static unsigned long transfer_account(const struct devpub_transfer *transfer,
				      const struct migrate_vma *args, u8 *states)
{
	const unsigned long *src = transfer->src, *dst = transfer->dst;
	unsigned long i, moved = 0;

	for (i = 0; i < args->npages; i++) {
		if (!dst[i])
			continue;
		states[i] = DEVPUB_REASON_BUSY;
		if (src[i] & MIGRATE_PFN_MIGRATE) {
			states[i] = src[i] & MIGRATE_PFN_VALID ?
				    DEVPUB_REASON_MOVED :
				    DEVPUB_REASON_POPULATED;
			moved++;
		}
	}
	return moved;
}

/* The time that a trace event counts from; 0 while nobody listens. */
static u64 transfer_clock(void)
{
	return trace_devpub_migrate_step_enabled() ? ktime_get_ns() : 0;
}

/* The next step counts from here. */
static void transfer_step(const struct devpub_transfer *transfer,
			  const struct migrate_vma *args, enum devpub_step step,
			  u64 *since)
{
	u64 now = transfer_clock();

	if (*since && now)
		trace_devpub_migrate_step(devpub_transfer_device(&transfer->spec)->index,
					  step, args->start, args->npages, now - *since);
	*since = now;
}

/* Give back what was collected. */
static void transfer_undo(struct migrate_vma *args)
{
	/* No page has a destination. */
	migrate_vma_pages(args);
	migrate_vma_finalize(args);
}

/* Move pages of one mapping, at most a window of them. */
static void transfer_pages(struct devpub_transfer *transfer, struct vm_area_struct *vma,
			   unsigned long start, unsigned long end, u8 *states)
{
	const struct devpub_transfer_spec *spec = &transfer->spec;
	unsigned long npages = devpub_range_pages(start, end);
	struct migrate_vma args = {
		.vma		= vma,
		.src		= transfer->src,
		.dst		= transfer->dst,
		.start		= start,
		.end		= end,
		.pgmap_owner	= devpub_transfer_device(spec)->pagemap,
		.flags		= spec->source->ops->collect,
	};
	u64 since = transfer_clock();
	unsigned long selected, moved = 0;

	if (migrate_vma_setup(&args)) {
		/* The kernel refuses mappings that @select_mapping let through. */
		memset(states, spec->source->ops->uncollectable, npages);
		return;
	}
	transfer_step(transfer, &args, DEVPUB_STEP_SETUP, &since);

	/* See DEVPUB_COMPAT_ENTRIES_A_PAGE: entries and addresses don't correspond. */
	if (args.npages != npages) {
		transfer_undo(&args);
		memset(states, DEVPUB_REASON_BUSY, npages);
		return;
	}
	if (args.cpages) {
		selected = transfer_select(transfer, &args, states);
		if (selected)
			transfer_fill(transfer, &args, selected, states);
		transfer_step(transfer, &args, DEVPUB_STEP_FILL, &since);
		migrate_vma_pages(&args);
		moved = transfer_account(transfer, &args, states);
		transfer_step(transfer, &args, DEVPUB_STEP_PAGES, &since);
		migrate_vma_finalize(&args);
		transfer_step(transfer, &args, DEVPUB_STEP_FINALIZE, &since);
	}

	if (moved < npages && !spec->unclassified)
		devpub_classify(transfer, vma, start, npages, states);
}

/* Move pages of one mapping, but for those that must not be collected. */
static void transfer_mapping(struct devpub_transfer *transfer,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *states)
{
	unsigned long i, first, n = devpub_range_pages(start, end);

	memset(states, DEVPUB_PAGE_UNDECIDED, n);
	/* See devpub_transfer_window(). */
	if (transfer->spec.populate && devpub_thp_by_hand())
		vma_start_write(vma);
	transfer->spec.source->ops->leave_out(transfer, vma, start, end, states);
	for (i = 0; i < n; i++) {
		for (first = i; i < n && states[i] == DEVPUB_PAGE_UNDECIDED; i++)
			;
		if (first < i)
			transfer_pages(transfer, vma, start + (first << PAGE_SHIFT),
				       start + (i << PAGE_SHIFT), states + first);
	}
	devpub_relatives_unlock(&transfer->relatives);
}

/**
 * devpub_transfer_window_locked() - move the pages of a window
 * @transfer: a transfer that has begun
 * @start: page-aligned first address
 * @end: page-aligned end, at most a window further; any mappings and gaps may lie between
 * @reasons: receives an enum devpub_reason a page
 *
 * Context: process context, between devpub_transfer_enter() and devpub_transfer_exit();
 * mmap_lock held for reading.  Nothing in here waits for user space.
 */
void devpub_transfer_window_locked(struct devpub_transfer *transfer,
				   unsigned long start, unsigned long end, u8 *reasons)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;
	u8 refusal, *r;

	mmap_assert_locked(transfer->mm);
	memset(reasons, DEVPUB_REASON_UNMAPPED, devpub_range_pages(start, end));
	for (addr = start; addr < end; addr = next) {
		vma = find_vma(transfer->mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min(end, vma->vm_end);
		r = reasons + devpub_range_pages(start, addr);

		refusal = transfer->spec.source->ops->select_mapping(vma);
		if (refusal)
			memset(r, refusal, devpub_range_pages(addr, next));
		else
			transfer_mapping(transfer, vma, addr, next, r);
	}
}

/*
 * With mmap_lock held.  The endpoints are entered last, so that the removal of a device
 * waits for nothing that user space can hold up.
 */
static int transfer_window_entered(struct devpub_transfer *transfer,
				   unsigned long start, unsigned long end, u8 *reasons)
{
	if (!devpub_transfer_enter(&transfer->spec))
		return -ENODEV;
	devpub_transfer_window_locked(transfer, start, end, reasons);
	devpub_transfer_exit(&transfer->spec);
	return 0;
}

/**
 * devpub_transfer_window() - move the pages of a window
 * @transfer: a transfer that has begun
 * @start: page-aligned first address
 * @end: page-aligned end, as of devpub_transfer_window_locked()
 * @reasons: receives an enum devpub_reason a page
 *
 * Context: process context; takes mmap_lock, for writing where THPs have to be split by
 * hand, and enters the endpoints.
 * Return: 0; with nothing done, -EINTR when a fatal signal came before the lock was
 * acquired, or -ENODEV.
 */
int devpub_transfer_window(struct devpub_transfer *transfer, unsigned long start,
			   unsigned long end, u8 *reasons)
{
	const struct devpub_endpoint_ops *ops = transfer->spec.source->ops;
	struct mm_struct *mm = transfer->mm;
	int ret;

	if (ops->prepare && !ops->prepare(mm, start, end))
		return -EINTR;
	/* A fault must not put a THP where a hole has just been collected. */
	if (transfer->spec.populate && devpub_thp_by_hand()) {
		if (mmap_write_lock_killable(mm))
			return -EINTR;
		ret = transfer_window_entered(transfer, start, end, reasons);
		mmap_write_unlock(mm);
		return ret;
	}
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	ret = transfer_window_entered(transfer, start, end, reasons);
	mmap_read_unlock(mm);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_transfer_window);
