/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_KSM_H
#define DEVPUB_KSM_H

#include <linux/kconfig.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "engine/pgtable.h"

struct devpub_relatives;

#ifdef CONFIG_KSM

bool devpub_ksm_may_share(enum devpub_entry entry, unsigned long pfn);
bool devpub_ksm_may_share_any(pte_t *ptep, unsigned long n);
void devpub_ksm_leave_out(struct devpub_relatives *relatives,
			  struct vm_area_struct *vma, unsigned long start,
			  unsigned long end, u8 *states);

#else

static inline bool devpub_ksm_may_share(enum devpub_entry entry, unsigned long pfn)
{
	return false;
}

static inline bool devpub_ksm_may_share_any(pte_t *ptep, unsigned long n)
{
	return false;
}

static inline void devpub_ksm_leave_out(struct devpub_relatives *relatives,
					struct vm_area_struct *vma, unsigned long start,
					unsigned long end, u8 *states)
{
}

#endif

#endif /* DEVPUB_KSM_H */
