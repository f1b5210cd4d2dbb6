/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_PGTABLE_H
#define DEVPUB_PGTABLE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* What one entry of a page table maps. */
enum devpub_entry {
	DEVPUB_ENTRY_NO_TABLE,	/* nothing, nor is there a page table */
	DEVPUB_ENTRY_NONE,	/* nothing */
	DEVPUB_ENTRY_PAGE,	/* a page */
	DEVPUB_ENTRY_HUGE,	/* a page, as part of a larger mapping */
	DEVPUB_ENTRY_OTHER,	/* a swap entry or another special one */
	DEVPUB_ENTRY_MOVING,	/* a page that is being migrated */
	DEVPUB_ENTRY_HUGE_MOVING, /* the same in place of a page table */
};

pte_t *devpub_pgtable_table(struct mm_struct *mm, unsigned long addr,
			    enum devpub_entry *entry, unsigned long *pfn,
			    unsigned long *next);
enum devpub_entry devpub_pgtable_look(struct mm_struct *mm, unsigned long addr,
				      unsigned long *pfn, unsigned long *next);

#endif /* DEVPUB_PGTABLE_H */
