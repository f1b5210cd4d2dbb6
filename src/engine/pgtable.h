/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_PGTABLE_H
#define DEVPUB_PGTABLE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* The content of one page table entry. */
enum devpub_entry {
	DEVPUB_ENTRY_NO_TABLE,	/* nothing, because there is no page table */
	DEVPUB_ENTRY_NONE,	/* nothing */
	DEVPUB_ENTRY_PAGE,	/* a page, mapped by a PTE */
	DEVPUB_ENTRY_HUGE,	/* a page, mapped as part of a PMD */
	DEVPUB_ENTRY_OTHER,	/* a swap entry or another special entry */
	DEVPUB_ENTRY_MOVING,	/* a migration entry in a PTE */
	DEVPUB_ENTRY_HUGE_MOVING, /* a migration entry in a PMD */
};

pte_t *devpub_pgtable_table(struct mm_struct *mm, unsigned long addr,
			    enum devpub_entry *entry, unsigned long *pfn,
			    unsigned long *next);
enum devpub_entry devpub_pgtable_look(struct mm_struct *mm, unsigned long addr,
				      unsigned long *pfn, unsigned long *next);

#endif /* DEVPUB_PGTABLE_H */
