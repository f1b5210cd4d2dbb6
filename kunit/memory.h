/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MEMORY_H
#define DEVPUB_MEMORY_H

#include <linux/types.h>

struct devpub_device;
struct devpub_user;
struct kunit;

/**
 * struct devpub_memory - pages of a process, each with content of its own
 * @user:	the process
 * @addr:	address of the first page
 * @npages:	number of pages
 * @seed:	word N of the memory contains @seed + N
 */
struct devpub_memory {
	struct devpub_user *user;
	unsigned long addr;
	unsigned long npages;
	u64 seed;
};

void devpub_memory_create(struct kunit *test, struct devpub_memory *mem,
			  unsigned long npages);
u64 devpub_memory_word(const struct devpub_memory *mem, unsigned long page,
		       unsigned int word);
void devpub_memory_fill(struct kunit *test, const struct devpub_memory *mem);
void devpub_memory_expect(struct kunit *test, const struct devpub_memory *mem);
unsigned long devpub_memory_on_device(struct kunit *test,
				      const struct devpub_memory *mem);
unsigned long devpub_memory_migrate_to(struct devpub_device *ddev,
				       const struct devpub_memory *mem,
				       u8 *reasons);
void devpub_memory_move_to(struct kunit *test, const struct devpub_memory *mem);
struct page *devpub_memory_get_page(struct kunit *test,
				    const struct devpub_memory *mem,
				    unsigned long page);

#endif /* DEVPUB_MEMORY_H */
