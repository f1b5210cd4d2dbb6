// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * System memory for pages that move off a device.  It comes from the nodes that the memory
 * policy and the cpuset of the pages' owner name, regardless of the calling task.
 *
 * The page allocator's own functions obey the policy and the cpuset of the calling task,
 * which may be another process or a kernel thread.  The caller's cpuset would restrict these
 * allocations as well; a kernel thread's cpuset restricts nothing.
 */
#include <linux/cpuset.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mempolicy.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include "engine/system.h"
#include "export.h"

/* When memory is short, the page stays on the device. */
#define SYSTEM_GFP	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY)
/* When the device must be emptied, reclaim harder, but without the OOM killer. */
#define SYSTEM_GFP_HARD	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static struct workqueue_struct *system_queue;

/**
 * devpub_system_init() - set where pages are allocated for callers that a cpuset binds
 * @queue: the work queue, with a rescuer since memory may be short
 *
 * Context: module init.
 */
void devpub_system_init(struct workqueue_struct *queue)
{
	system_queue = queue;
}

static void nodes_of_task(struct devpub_nodes *nodes, struct task_struct *task)
{
	task_lock(task);
#ifdef CONFIG_CPUSETS
	nodes->allowed = task->mems_allowed;
#else
	nodes->allowed = node_states[N_MEMORY];
#endif
#ifdef CONFIG_NUMA
	if (task->mempolicy) {
		nodes->mode = task->mempolicy->mode;
		nodes->policy = task->mempolicy->nodes;
	}
#endif
	task_unlock(task);
}

/**
 * devpub_nodes_of() - find the nodes to allocate a process's system pages from
 * @nodes: receives the nodes
 * @mm: the process's memory
 *
 * Each thread has a memory policy of its own.  For the caller's own memory this uses the
 * policy of the calling thread, and for another process's memory that of its owner
 * (mm_struct.owner).
 *
 * Context: process context.
 */
void devpub_nodes_of(struct devpub_nodes *nodes, struct mm_struct *mm)
{
	struct task_struct *task = mm == current->mm ? current : NULL;

	nodes->near = numa_mem_id();
	nodes->mode = MPOL_DEFAULT;

	rcu_read_lock();
#ifdef CONFIG_MEMCG
	if (!task) {
		task = rcu_dereference(mm->owner);
		if (task)
			nodes->near = cpu_to_mem(task_cpu(task));
	}
#endif
	if (task)
		nodes_of_task(nodes, task);
	else
		nodes->allowed = node_states[N_MEMORY];
	rcu_read_unlock();
	nodes_and(nodes->allowed, nodes->allowed, node_states[N_MEMORY]);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_nodes_of);

/*
 * Allocate at most @n locked pages, as devpub_pagemap_alloc() does.  Bulk allocation takes
 * a quarter of the time of single allocations.
 */
static unsigned long system_alloc_here(gfp_t gfp, int nid, nodemask_t *mask,
				       unsigned long *pfns, unsigned long n)
{
	struct page **pages = (struct page **)pfns;
	unsigned long i, got;

	/*
	 * __alloc_pages_bulk() may fall back to one page at a time, and requires more free
	 * pages in a zone than it allocates.
	 */
	n = min(n, PTRS_PER_PTE);
	memset(pages, 0, n * sizeof(*pages));
	got = alloc_pages_bulk_nodes(gfp, nid, mask, n, pages);
	for (i = 0; i < got; i++) {
		/* A non-atomic store suffices: the page is not visible to others yet. */
		__folio_set_locked(page_folio(pages[i]));
		pfns[i] = page_to_pfn(pages[i]);
	}
	return got;
}

/**
 * struct system_request - an allocation that a worker makes
 * @work:	its place in the queue
 * @gfp:	flags
 * @nid:	the node to prefer
 * @mask:	the nodes that may be used, or NULL for all
 * @pfns:	receives frame numbers
 * @n:		how many are wanted
 * @got:	receives how many were allocated
 */
struct system_request {
	struct work_struct work;
	gfp_t gfp;
	int nid;
	nodemask_t *mask;
	unsigned long *pfns;
	unsigned long n;
	unsigned long got;
};

static void system_work(struct work_struct *work)
{
	struct system_request *request = container_of(work, struct system_request, work);

	request->got = system_alloc_here(request->gfp, request->nid, request->mask,
					 request->pfns, request->n);
}

/* Does the cpuset of the calling task keep it from some of the nodes? */
static bool system_is_bound(const nodemask_t *mask)
{
#ifdef CONFIG_CPUSETS
	if (!mask)
		mask = &node_states[N_MEMORY];
	return !(current->flags & PF_KTHREAD) &&
	       !nodes_subset(*mask, current->mems_allowed);
#else
	return false;
#endif
}

/*
 * Allocate system pages whatever the cpuset of the calling task is: the owner's cpuset is
 * in @mask already.  A worker's cpuset has all nodes, and it waits for nothing but memory.
 */
static unsigned long system_alloc(gfp_t gfp, int nid, nodemask_t *mask,
				  unsigned long *pfns, unsigned long n)
{
	struct system_request request = {
		.gfp	= gfp,
		.nid	= nid,
		.mask	= mask,
		.pfns	= pfns,
		.n	= n,
	};

	if (!system_is_bound(mask))
		return system_alloc_here(gfp, nid, mask, pfns, n);
	INIT_WORK_ONSTACK(&request.work, system_work);
	queue_work(system_queue, &request.work);
	flush_work(&request.work);
	destroy_work_on_stack(&request.work);
	return request.got;
}

/* Return the @nth node, counted modulo the number of nodes, for an interleaving policy. */
static int nodes_nth(const nodemask_t *nodes, unsigned long nth)
{
	int nid = first_node(*nodes);

	for (nth %= nodes_weight(*nodes); nth; nth--)
		nid = next_node_in(nid, *nodes);
	return nid;
}

/**
 * devpub_system_alloc() - allocate system pages from the nodes of policy and cpuset
 * @nodes: the nodes of the process, from devpub_nodes_of()
 * @vma: the mapping that the pages are for; its policy overrides the task's
 * @addr: the first address that the pages are for
 * @pfns: receives their frame numbers
 * @n: number of pages to allocate, for consecutive addresses
 *
 * Each page is locked and has reference count 1.
 *
 * Context: process context, may sleep; mmap_lock held for reading.
 * Return: the number of allocated pages, at most @n.  It is at most 1 for an interleaving
 * policy, and for a mapping with MPOL_LOCAL.
 */
unsigned long devpub_system_alloc(struct devpub_nodes *nodes,
				  struct vm_area_struct *vma, unsigned long addr,
				  unsigned long *pfns, unsigned long n)
{
	const nodemask_t *policy = &nodes->policy;
	nodemask_t *allowed = &nodes->allowed, named;
	unsigned short mode = nodes->mode;
	int nid = nodes->near;
	unsigned long got;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
#ifdef CONFIG_NUMA
	if (vma_policy(vma)) {
		mode = vma_policy(vma)->mode;
		policy = &vma_policy(vma)->nodes;
	}
#endif
	/* The page allocator also allocates single pages for a mapping with MPOL_LOCAL. */
	if (vma_policy(vma) && mode == MPOL_LOCAL)
		n = 1;
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
		return system_alloc(SYSTEM_GFP, nid, allowed, pfns, n);
	nodes_and(named, *policy, *allowed);
	if (nodes_empty(named))
		return system_alloc(SYSTEM_GFP, nid, allowed, pfns, n);
	switch (mode) {
	case MPOL_PREFERRED:
		return system_alloc(SYSTEM_GFP, first_node(named), allowed, pfns, n);
	case MPOL_BIND:
	case MPOL_PREFERRED_MANY:
		if (!node_isset(nid, named))
			nid = first_node(named);
		got = system_alloc(SYSTEM_GFP, nid, &named, pfns, n);
		if (got || mode == MPOL_BIND)
			return got;
		return system_alloc(SYSTEM_GFP, nid, allowed, pfns, n);
	default:
		nid = nodes_nth(&named, addr >> PAGE_SHIFT);
		return system_alloc(SYSTEM_GFP, nid, allowed, pfns, 1);
	}
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_system_alloc);

/**
 * devpub_system_alloc_anywhere() - allocate system pages from any node
 * @near: the node to prefer
 * @pfns: receives their frame numbers
 * @n: number of pages to allocate
 *
 * For pages that must leave the device after devpub_system_alloc() has failed.  Each page
 * is locked and has reference count 1.
 *
 * Context: process context, may sleep for long.
 * Return: the number of allocated pages, at most @n.
 */
unsigned long devpub_system_alloc_anywhere(int near, unsigned long *pfns,
					   unsigned long n)
{
	unsigned long got = system_alloc(SYSTEM_GFP, near, NULL, pfns, n);

	return got ?: system_alloc(SYSTEM_GFP_HARD, near, NULL, pfns, 1);
}
