/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_OWNER_H
#define DEVPUB_OWNER_H

struct mm_struct;
struct page;

struct mm_struct *devpub_owner_get(struct page *page, unsigned long *addr);

#endif /* DEVPUB_OWNER_H */
