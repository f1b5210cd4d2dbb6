// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Endpoints: functions that system memory and devices share. */
#include <linux/highmem.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "engine/endpoint.h"
#include "engine/gate.h"

/**
 * devpub_endpoint_enter() - begin to use an endpoint's memory
 * @endpoint: the endpoint
 *
 * Context: as for devpub_gate_enter().
 * Return: false when its gate is closed.
 */
bool devpub_endpoint_enter(const struct devpub_endpoint *endpoint)
{
	return !endpoint->gate || devpub_gate_enter(endpoint->gate);
}

/**
 * devpub_endpoint_exit() - end the use of an endpoint's memory
 * @endpoint: the endpoint
 *
 * Context: any.
 */
void devpub_endpoint_exit(const struct devpub_endpoint *endpoint)
{
	if (endpoint->gate)
		devpub_gate_exit(endpoint->gate);
}

/**
 * devpub_endpoint_is_closed() - must the caller exit the endpoint?
 * @endpoint: the endpoint
 *
 * Context: process context.
 * Return: as devpub_gate_is_closed(); false for system memory.
 */
bool devpub_endpoint_is_closed(const struct devpub_endpoint *endpoint)
{
	return endpoint->gate && devpub_gate_is_closed(endpoint->gate);
}

/**
 * devpub_endpoint_fill() - copy or clear pages by the CPU
 * @src: the source array of struct migrate_vma; a hole has no page
 * @dst: the destination array of struct migrate_vma; 0 for pages that stay
 * @n: number of entries of both arrays
 *
 * Context: process context, may sleep; the pages are locked.
 */
void devpub_endpoint_fill(const unsigned long *src, const unsigned long *dst,
			  unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		struct page *to = migrate_pfn_to_page(dst[i]);

		if (!(i % PTRS_PER_PTE))
			cond_resched();
		if (!to)
			continue;
		if (src[i] & MIGRATE_PFN_VALID)
			copy_highpage(to, migrate_pfn_to_page(src[i]));
		else
			clear_highpage(to);
	}
}
