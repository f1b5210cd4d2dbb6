/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_FOLIO_H
#define DEVPUB_FOLIO_H

#include <linux/mm_types.h>
#include <linux/types.h>

u8 devpub_mapping_refusal(struct vm_area_struct *vma);
u8 devpub_folio_refusal(struct folio *folio);
bool devpub_folio_is_huge_hole(struct vm_area_struct *vma, unsigned long pfn);

#endif /* DEVPUB_FOLIO_H */
