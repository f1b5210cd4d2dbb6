// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The transfer: moves a window of a process's pages from one endpoint to another.
 *
 * A window passes through three steps of the kernel (mm/migrate_device.c) and five of this
 * module:
 *
 *	leave out		finds pages that must not be collected
 *	migrate_vma_setup()	collects pages, locks and unmaps them
 *	select			decides which of the collected pages move
 *	fill			allocates their destinations and copies
 *	migrate_vma_pages()	moves the state in struct page to the destination
 *	account			tells moved pages from refused ones, while both are locked
 *	migrate_vma_finalize()	maps the pages at their new location, unlocks
 *	classify		finds out why the other pages were not collected
 *
 * In the end, each page of the window has an enum devpub_reason.
 *
 * MIGRATE_VMA_SELECT_COMPOUND is not used on any kernel, because it is not safe to unmap
 * large folios of coherent memory partly (Documentation/kernel-bugs.md).
 */
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmalloc.h>

#include "engine/array.h"
#include "engine/classify.h"
#include "engine/range.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "export.h"
#include "memory/pagemap.h"
#include "memory/pool.h"
#include "trace.h"

/* Up to so many mappings that may have the same pages, a window is collected at once. */
#define TRANSFER_MAPPINGS	64U
/* With more, so many looks at a mapping by the kernel come between two looks at signals. */
#define TRANSFER_LOOKS		(TRANSFER_MAPPINGS * 512U)

/**
 * devpub_transfer_device() - get the device that a transfer is accounted to
 * @spec: direction and options of the transfer
 *
 * Context: any.
 * Return: the destination if that is a device, else the source.
 */
const struct devpub_endpoint *
devpub_transfer_device(const struct devpub_transfer_spec *spec)
{
	return spec->destination->pagemap ? spec->destination : spec->source;
}

/**
 * devpub_transfer_drain() - drain this processor's LRU batches
 * @device: any device, whose pagemap is registered
 *
 * A batch holds a reference to each of its pages, which keeps the page from moving.
 * lru_add_drain() is not exported, but each migration calls it first, even a migration of
 * no pages (mm/migrate_device.c, migrate_device_unmap()).
 *
 * Context: process context.
 */
void devpub_transfer_drain(const struct devpub_endpoint *device)
{
	migrate_device_range(NULL, device->pagemap->pool->base_pfn, 0);
}

/**
 * devpub_transfer_begin() - allocate the memory to move windows
 * @transfer: the transfer to initialize; the caller calls devpub_transfer_end()
 * @spec: direction and options
 * @mm: the memory of the process whose pages move, or NULL to set it later
 * @pages: the number of pages of the whole range
 *
 * The memory that this allocates is that of one window, however long the range.
 *
 * Context: process context, may sleep; the endpoints stay until devpub_transfer_end().
 * Return: 0 or -ENOMEM.
 */
int devpub_transfer_begin(struct devpub_transfer *transfer,
			  const struct devpub_transfer_spec *spec,
			  struct mm_struct *mm, u64 pages)
{
	unsigned int window = devpub_transfer_device(spec)->window;
	size_t size = min_t(u64, window, pages) * sizeof(*transfer->src);
	size_t entries = size * DEVPUB_COMPAT_ENTRIES_A_PAGE;

	*transfer = (struct devpub_transfer) {
		.spec	= *spec,
		.task	= current,
		.window	= window,
		.src	= devpub_array_alloc(entries),
		.dst	= devpub_array_alloc(entries),
		.pfns	= devpub_array_alloc(size),
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
 * devpub_transfer_end() - free the memory that devpub_transfer_begin() allocated
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
 * devpub_transfer_set_mm() - set the process whose pages move from now on
 * @transfer: the transfer
 * @mm: the process's memory, which must stay as long as it is set
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
 * @spec: direction and options of the transfer
 *
 * Context: as for devpub_gate_enter().
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
 * devpub_transfer_exit() - end the use of both endpoints
 * @spec: direction and options of the transfer
 *
 * Context: any.
 */
void devpub_transfer_exit(const struct devpub_transfer_spec *spec)
{
	devpub_endpoint_exit(spec->destination);
	devpub_endpoint_exit(spec->source);
}

/*
 * POPULATE does the same as a write fault.  It must not fill holes that userfaultfd handles.
 * Nor must it fill holes of a mapping that is not writable: a read fault maps the zero page
 * there, and overcommit does not account for real pages.
 */
static bool transfer_may_populate(const struct devpub_transfer *transfer,
				  struct vm_area_struct *vma)
{
	return transfer->spec.populate && vma_is_anonymous(vma) &&
	       vma->vm_flags & VM_WRITE && !userfaultfd_armed(vma);
}

/*
 * Decide which of the collected pages move.
 *
 * Return: the number of selected pages.
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

/* Allocate a destination for each selected page, and copy the content. */
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
 * Find out which of the pages with a destination moved.  If a page did not, another user
 * took a reference after migrate_vma_setup() had unmapped the page.  That user did not get
 * the reference from a page table, so the page is busy and not pinned.
 *
 * Return: the number of pages that moved or were populated.
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

/* Return the current time for a trace event in ns; 0 while the event is disabled. */
static u64 transfer_clock(void)
{
	return trace_devpub_migrate_step_enabled() ? ktime_get_ns() : 0;
}

/* Trace the duration of a step that began at *@since, and begin the next step. */
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
		/* The kernel refuses some mappings that @select_mapping accepts. */
		memset(states, spec->source->ops->uncollectable, npages);
		return;
	}
	transfer_step(transfer, &args, DEVPUB_STEP_SETUP, &since);

	/* The entries do not correspond to addresses, see DEVPUB_COMPAT_ENTRIES_A_PAGE. */
	if (args.npages != npages) {
		/* Give back what was collected: no page has a destination. */
		migrate_vma_pages(&args);
		migrate_vma_finalize(&args);
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
		devpub_classify(spec->source, spec->destination, vma, start, npages,
				states);
}

/* Must a window end early?  The device may be wanted back, or the caller killed. */
static bool transfer_must_stop(const struct devpub_transfer *transfer)
{
	const struct devpub_transfer_spec *spec = &transfer->spec;

	return !spec->unstoppable &&
	       (fatal_signal_pending(transfer->task) ||
		devpub_endpoint_is_closed(spec->source) ||
		devpub_endpoint_is_closed(spec->destination));
}

/*
 * How many pages to collect at a time: for each one, the kernel looks at all mappings that
 * may have it, of which a process may make tens of thousands.
 */
static unsigned long transfer_piece(struct vm_area_struct *vma, unsigned long start,
				    unsigned long end)
{
	unsigned int mappings;

	if (end - start == PAGE_SIZE)
		return PAGE_SIZE;
	mappings = devpub_rmap_count(vma, start, end);
	if (mappings <= TRANSFER_MAPPINGS)
		return end - start;
	return max(1U, TRANSFER_LOOKS / mappings) * PAGE_SIZE;
}

/* Move pages of one mapping in pieces, with a look at what may end the window. */
static void transfer_run(struct devpub_transfer *transfer, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end, u8 *states)
{
	unsigned long piece = transfer_piece(vma, start, end);
	unsigned long addr, next;

	for (addr = start; addr < end; addr = next) {
		next = addr + min(piece, end - addr);
		if (addr > start && transfer_must_stop(transfer)) {
			memset(states + devpub_range_pages(start, addr),
			       DEVPUB_REASON_BUSY, devpub_range_pages(addr, end));
			return;
		}
		transfer_pages(transfer, vma, addr, next,
			       states + devpub_range_pages(start, addr));
	}
}

/* Move pages of one mapping, except those that must not be collected. */
static void transfer_mapping(struct devpub_transfer *transfer,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *states)
{
	unsigned long i, first, n = devpub_range_pages(start, end);

	memset(states, DEVPUB_PAGE_UNDECIDED, n);
	/* Keep faults from mapping a THP over collected holes, see devpub_transfer_window(). */
	if (transfer->spec.populate && devpub_thp_by_hand())
		vma_start_write(vma);
	transfer->spec.source->ops->leave_out(transfer, vma, start, end, states);
	for (i = 0; i < n; i++) {
		for (first = i; i < n && states[i] == DEVPUB_PAGE_UNDECIDED; i++)
			;
		if (first < i)
			transfer_run(transfer, vma, start + (first << PAGE_SHIFT),
				     start + (i << PAGE_SHIFT), states + first);
	}
	devpub_relatives_unlock(&transfer->relatives);
}

/**
 * devpub_transfer_window_locked() - move the pages of a window
 * @transfer: a transfer that has begun
 * @start: page-aligned first address
 * @end: page-aligned end address, at most a window further; the range may contain any
 *	 mappings and gaps
 * @reasons: receives one enum devpub_reason per page
 *
 * Context: process context, between devpub_transfer_enter() and devpub_transfer_exit();
 * mmap_lock held for reading.  This never waits for user space.
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
		if (addr > start && transfer_must_stop(transfer)) {
			memset(r, DEVPUB_REASON_BUSY, devpub_range_pages(addr, end));
			break;
		}

		refusal = transfer->spec.source->ops->select_mapping(vma);
		if (refusal)
			memset(r, refusal, devpub_range_pages(addr, next));
		else
			transfer_mapping(transfer, vma, addr, next, r);
	}
}

/*
 * Enter the gates after the caller has taken mmap_lock: the removal of a device waits for its
 * gate, and user space can delay mmap_lock.
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
 * @end: page-aligned end address, as for devpub_transfer_window_locked()
 * @reasons: receives one enum devpub_reason per page
 *
 * Context: process context; takes mmap_lock, for writing if this module must split THPs
 * itself (devpub_thp_by_hand()), and enters the endpoints.
 * Return: 0; with nothing done, -EINTR when a fatal signal arrived before the lock was
 * taken, or -ENODEV when a gate is closed.
 */
int devpub_transfer_window(struct devpub_transfer *transfer, unsigned long start,
			   unsigned long end, u8 *reasons)
{
	const struct devpub_endpoint_ops *ops = transfer->spec.source->ops;
	struct mm_struct *mm = transfer->mm;
	int ret;

	if (ops->prepare && !ops->prepare(mm, start, end))
		return -EINTR;
	/* Keep faults from mapping a THP over a hole that has just been collected. */
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
