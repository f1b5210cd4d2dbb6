// SPDX-License-Identifier: GPL-2.0
/*
 * System memory for pages that come back from a device: from the nodes that the
 * owner's memory policy and cpuset name, whoever asks for the migration.
 *
 * The page allocator's own functions obey the policy and the cpuset of the calling
 * task.  The caller may be another process, or a kernel thread.  Its cpuset bounds what
 * it gets, as well, which for a kernel thread is no bound.
 */
#include <linux/cpuset.h>
#include <linux/gfp.h>
#include <linux/mempolicy.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "engine/system.h"
#include "export.h"

/* A page stays on the device when memory is short. */
#define SYSTEM_GFP	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY)
/* The device must be emptied: retry, but do not let the OOM killer in. */
#define SYSTEM_GFP_HARD	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static void nodes_of_task(struct devpub_nodes *nodes, struct task_struct *task)
{
	task_lock(task);
#ifdef CONFIG_CPUSETS
	nodes->allowed = task->mems_allowed;
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
 * devpub_nodes_of() - find out where a process's system pages come from
 * @nodes: receives the answer
 * @mm: the process's memory
 *
 * Each thread has a policy of its own: that of the caller counts for its own memory,
 * that of the memory's owner (mm_struct.owner) for another process's.
 *
 * Context: process context.
 */
void devpub_nodes_of(struct devpub_nodes *nodes, struct mm_struct *mm)
{
	struct task_struct *task = mm == current->mm ? current : NULL;

	nodes->near = numa_mem_id();
	nodes->mode = MPOL_DEFAULT;
	nodes->allowed = node_states[N_MEMORY];

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
	rcu_read_unlock();
	nodes_and(nodes->allowed, nodes->allowed, node_states[N_MEMORY]);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_nodes_of);

/*
 * Allocate at most @n pages, locked, as devpub_pool_alloc() has its own.  The page
 * allocator gives many at a time for a quarter of the price.
 */
static unsigned long system_alloc(gfp_t gfp, int nid, nodemask_t *mask,
				  unsigned long *pfns, unsigned long n)
{
	struct page **pages = (struct page **)pfns;
	unsigned long i, got;

	/* It may allocate one by one, and wants more free in a zone than it gives. */
	n = min(n, PTRS_PER_PTE);
	memset(pages, 0, n * sizeof(*pages));
	got = alloc_pages_bulk_nodes(gfp, nid, mask, n, pages);
	for (i = 0; i < got; i++) {
		/* Nobody else knows it yet. */
		__folio_set_locked(page_folio(pages[i]));
		pfns[i] = page_to_pfn(pages[i]);
	}
	return got;
}

/* The @nth node of a policy that spreads pages. */
static int nodes_nth(const nodemask_t *nodes, unsigned long nth)
{
	int nid = first_node(*nodes);

	for (nth %= nodes_weight(*nodes); nth; nth--)
		nid = next_node_in(nid, *nodes);
	return nid;
}

/**
 * devpub_system_alloc() - allocate system pages where policy and cpuset say
 * @nodes: of the process, by devpub_nodes_of()
 * @vma: the mapping that the pages are for, whose policy goes first
 * @addr: the first address that they are for
 * @pfns: receives their frame numbers
 * @n: how many are wanted, for consecutive addresses
 *
 * Each page is locked and has reference count 1.
 *
 * Context: process context, may sleep; mmap_lock held for reading.
 * Return: how many were allocated; a policy that spreads pages has them one by one.
 */
unsigned long devpub_system_alloc(const struct devpub_nodes *nodes,
				  struct vm_area_struct *vma, unsigned long addr,
				  unsigned long *pfns, unsigned long n)
{
	nodemask_t named = nodes->policy, allowed = nodes->allowed;
	unsigned short mode = nodes->mode;
	int nid = nodes->near;
	unsigned long got;

	mmap_assert_locked(vma->vm_mm);
#ifdef CONFIG_NUMA
	if (vma_policy(vma)) {
		mode = vma_policy(vma)->mode;
		named = vma_policy(vma)->nodes;
	}
#endif
	/* One by one, as the page allocator does for a mapping that says so. */
	if (vma_policy(vma) && mode == MPOL_LOCAL)
		n = 1;
	nodes_and(named, named, allowed);
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL || nodes_empty(named))
		return system_alloc(SYSTEM_GFP, nid, &allowed, pfns, n);
	switch (mode) {
	case MPOL_PREFERRED:
		return system_alloc(SYSTEM_GFP, first_node(named), &allowed, pfns, n);
	case MPOL_BIND:
	case MPOL_PREFERRED_MANY:
		if (!node_isset(nid, named))
			nid = first_node(named);
		got = system_alloc(SYSTEM_GFP, nid, &named, pfns, n);
		if (got || mode == MPOL_BIND)
			return got;
		return system_alloc(SYSTEM_GFP, nid, &allowed, pfns, n);
	default:
		nid = nodes_nth(&named, addr >> PAGE_SHIFT);
		return system_alloc(SYSTEM_GFP, nid, &allowed, pfns, 1);
	}
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_system_alloc);

/**
 * devpub_system_alloc_anywhere() - allocate system pages, no matter from which node
 * @near: the node to ask first
 * @pfns: receives their frame numbers
 * @n: how many are wanted
 *
 * For pages that have to leave the device when devpub_system_alloc() has none.  Each
 * page is locked and has reference count 1.
 *
 * Context: process context, may sleep for long.
 * Return: how many were allocated, at most @n.
 */
unsigned long devpub_system_alloc_anywhere(int near, unsigned long *pfns,
					   unsigned long n)
{
	unsigned long got = system_alloc(SYSTEM_GFP, near, NULL, pfns, n);

	return got ?: system_alloc(SYSTEM_GFP_HARD, near, NULL, pfns, 1);
}
