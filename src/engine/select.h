/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_SELECT_H
#define DEVPUB_SELECT_H

#include <linux/types.h>

struct devpub_migration;
struct migrate_vma;
struct vm_area_struct;

u8 devpub_select_mapping(struct vm_area_struct *vma, bool to);
bool devpub_select_begin(struct devpub_migration *m, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end, u8 *reasons);
void devpub_select_end(struct devpub_migration *m);
unsigned long devpub_select_pages(const struct devpub_migration *m,
				  const struct migrate_vma *args, u8 *reasons);
u8 devpub_select_folio(struct folio *folio);

#endif /* DEVPUB_SELECT_H */
