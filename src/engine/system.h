/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_SYSTEM_H
#define DEVPUB_SYSTEM_H

#include <linux/nodemask.h>
#include <linux/types.h>

struct mm_struct;
struct vm_area_struct;
struct workqueue_struct;

/**
 * struct devpub_nodes - the NUMA nodes for the system pages of a process
 * @near:	the node to prefer when no policy names another
 * @mode:	the mode of the task's memory policy, MPOL_...
 * @policy:	the nodes that this policy names
 * @allowed:	the nodes that the task's cpuset allows
 */
struct devpub_nodes {
	int near;
	unsigned short mode;
	nodemask_t policy;
	nodemask_t allowed;
};

void devpub_system_init(struct workqueue_struct *queue);
void devpub_nodes_of(struct devpub_nodes *nodes, struct mm_struct *mm);
unsigned long devpub_system_alloc(struct devpub_nodes *nodes,
				  struct vm_area_struct *vma, unsigned long addr,
				  unsigned long *pfns, unsigned long n);
unsigned long devpub_system_alloc_anywhere(int near, unsigned long *pfns,
					   unsigned long n);

#endif /* DEVPUB_SYSTEM_H */
