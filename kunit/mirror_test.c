// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * mirror: the device's page tables (src/access/mirror*.c): what a fault adds, and what
 * changes of the process's page tables remove.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "access/mirror.h"
#include "access/mirror_block.h"
#include "fixture.h"
#include "mirror.h"
#include "pte.h"
#include "user.h"

#define MIRROR_PAGES	32UL

#define ADDR(user_addr, page)	((user_addr) + (page) * PAGE_SIZE)

/* The number of blocks is bounded, and those used last stay. */
static void mirror_limit(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	devpub_mirror_test_add_blocks(mirror, addr);
	KUNIT_EXPECT_EQ(test, mirror->nr_blocks, (unsigned int)DEVPUB_MIRROR_BLOCKS);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_EQ(test, mirror->nr_blocks, (unsigned int)DEVPUB_MIRROR_BLOCKS);
	KUNIT_EXPECT_NE(test, devpub_mirror_peek(mirror, addr), 0UL);
	atomic_set(&mirror->users, 10);
	devpub_mirror_test_add_blocks(mirror, addr);
	KUNIT_EXPECT_EQ(test, mirror->nr_blocks, DEVPUB_MIRROR_BLOCKS + 20U);
	/* After the operations have ended, the next new block reduces the number again. */
	atomic_set(&mirror->users, 0);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_EQ(test, mirror->nr_blocks, (unsigned int)DEVPUB_MIRROR_BLOCKS);
	KUNIT_EXPECT_NE(test, devpub_mirror_peek(mirror, addr), 0UL);
	devpub_mirror_destroy(mirror);
}

/* An invalidation of some pages leaves the others alone. */
static void mirror_range(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr, i;

	addr = devpub_user_mmap(test, user, MIRROR_PAGES, PROT_READ | PROT_WRITE);
	for (i = 0; i < MIRROR_PAGES; i++)
		KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, ADDR(addr, i), 1, true), 0);
	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_madvise, ADDR(addr, 5),
					       3 * PAGE_SIZE, MADV_DONTNEED), 0L);
	for (i = 0; i < MIRROR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, !devpub_mirror_peek(mirror, ADDR(addr, i)),
				    i >= 5 && i < 8, "page %lu", i);
	devpub_mirror_destroy(mirror);
}

/* On 6.1, uprobes invalidate a page from the address of an instruction on. */
static void mirror_range_unaligned(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct mmu_notifier_range range = { .mm = user->mm, .event = MMU_NOTIFY_CLEAR };
	struct devpub_mirror_block *block;
	unsigned long addr;

	addr = devpub_user_mmap(test, user, 2 * DEVPUB_BLOCK_PAGES, PROT_READ | PROT_WRITE);
	/* The last page of a block. */
	addr = ALIGN(addr + PAGE_SIZE, DEVPUB_BLOCK_SIZE) - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_NE(test, devpub_mirror_peek(mirror, addr), 0UL);
	block = devpub_mirror_get_block(mirror, addr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(block));
	range.start = addr + 0x123;
	range.end = range.start + PAGE_SIZE;
	KUNIT_EXPECT_TRUE(test, block->notifier.ops->invalidate(&block->notifier, &range,
								block->notifier.invalidate_seq));
	KUNIT_EXPECT_EQ(test, devpub_mirror_peek(mirror, addr), 0UL);
	devpub_mirror_block_put(block);
	devpub_mirror_destroy(mirror);
}

/* A fault also adds pages around the address that are present, and faults no other page in. */
static void mirror_around(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr, i, last, wanted;

	addr = devpub_user_mmap(test, user, 2 * MIRROR_PAGES, PROT_READ | PROT_WRITE);
	addr = ALIGN(addr, DEVPUB_MIRROR_AROUND * PAGE_SIZE);
	for (i = 0; i < MIRROR_PAGES; i += 2)
		KUNIT_EXPECT_EQ(test, devpub_user_write(user, ADDR(addr, i), i), 0);
	/* Page 10 gets a mapping of its own. */
	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_mprotect, ADDR(addr, 10),
					       PAGE_SIZE, PROT_READ), 0L);
	wanted = 4;
	last = 10;
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, ADDR(addr, wanted), 1, true), 0);
	for (i = 0; i < MIRROR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, !!devpub_mirror_peek(mirror, ADDR(addr, i)),
				    i < last && i % 2 == 0, "page %lu", i);
	for (i = 1; i < MIRROR_PAGES; i += 2)
		KUNIT_EXPECT_FALSE(test, devpub_pte_read(user->mm, ADDR(addr, i)).present);
	devpub_mirror_destroy(mirror);
}

/* A fault adds more of the pages that the device wants to access, but no others. */
static void mirror_ahead(struct kunit *test)
{
	static const struct {
		/* In pages: the fault, its length, and the entries that it adds. */
		unsigned long at, length, first, last;
	} rows[] = {
		{ 0, 40, 0, 40 },
		{ 0, 1, 0, DEVPUB_MIRROR_AROUND },
		{ 20, 300, 16, 16 + DEVPUB_MIRROR_AHEAD },
		{ DEVPUB_BLOCK_PAGES - 17, 40, DEVPUB_BLOCK_PAGES - 32, DEVPUB_BLOCK_PAGES },
		{ DEVPUB_BLOCK_PAGES, 600, DEVPUB_BLOCK_PAGES,
		  DEVPUB_BLOCK_PAGES + DEVPUB_MIRROR_AHEAD },
	};
	const unsigned long pages = DEVPUB_BLOCK_PAGES + 2 * DEVPUB_MIRROR_AHEAD;
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror;
	unsigned long addr, i;
	int row;

	addr = devpub_user_mmap(test, user, 2 * DEVPUB_BLOCK_PAGES + pages,
				PROT_READ | PROT_WRITE);
	addr = ALIGN(addr, DEVPUB_BLOCK_SIZE);
	/* A THP could be larger than what is added. */
	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_madvise, addr, pages * PAGE_SIZE,
					       MADV_NOHUGEPAGE), 0L);
	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, devpub_user_write(user, ADDR(addr, i), i), 0);
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		mirror = devpub_mirror_test_new(test, user);
		KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, ADDR(addr, rows[row].at),
							  rows[row].length * PAGE_SIZE, true),
				0);
		for (i = 0; i < pages; i++)
			KUNIT_EXPECT_EQ_MSG(test, !!devpub_mirror_peek(mirror, ADDR(addr, i)),
					    i >= rows[row].first && i < rows[row].last,
					    "row %d, page %lu", row, i);
		devpub_mirror_destroy(mirror);
	}
}

static void mirror_permissions(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;
	u64 value = 7;

	addr = devpub_user_mmap(test, user, 3, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, true, &value));

	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_mprotect, addr, PAGE_SIZE,
					       PROT_READ), 0L);
	KUNIT_EXPECT_FALSE(test, devpub_mirror_test_word(mirror, addr, false, &value));
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), -EFAULT);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), 0);
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, false, &value));
	KUNIT_EXPECT_FALSE(test, devpub_mirror_test_word(mirror, addr, true, &value));

	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_mprotect, addr, PAGE_SIZE,
					       PROT_NONE), 0L);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), -EFAULT);
	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_munmap, addr, PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), -EFAULT);
	/* Other pages are not affected. */
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, ADDR(addr, 1), 1, true), 0);
	devpub_mirror_destroy(mirror);
}

/* No device may access mappings with these flags, which the test sets itself. */
static void mirror_special(struct kunit *test)
{
	static const unsigned long flags[] = { VM_IO, VM_PFNMAP, VM_MIXEDMAP };
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct vm_area_struct *vma;
	unsigned long addr, old;
	int i;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		mmap_write_lock(user->mm);
		vma = vma_lookup(user->mm, addr);
		old = vma->vm_flags;
		vm_flags_set(vma, flags[i]);
		mmap_write_unlock(user->mm);
		KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), -EFAULT);
		mmap_write_lock(user->mm);
		*(unsigned long *)&vma->vm_flags = old;
		mmap_write_unlock(user->mm);
	}
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), 0);
	devpub_mirror_destroy(mirror);
}

/*
 * The kernel's entry says that the page can be written to, and the mapping that it can't, as in
 * a shadow stack.  A read must not make a write possible.
 */
static void mirror_shadow_stack(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct vm_area_struct *vma;
	unsigned long addr, old;
	u64 value = 7;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	mmap_write_lock(user->mm);
	vma = vma_lookup(user->mm, addr);
	old = vma->vm_flags;
	*(unsigned long *)&vma->vm_flags = old & ~VM_WRITE;
	mmap_write_unlock(user->mm);

	KUNIT_EXPECT_TRUE(test, devpub_pte_read(user->mm, addr).writable);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), 0);
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, false, &value));
	KUNIT_EXPECT_FALSE(test, devpub_mirror_test_word(mirror, addr, true, &value));
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), -EFAULT);

	mmap_write_lock(user->mm);
	*(unsigned long *)&vma->vm_flags = old;
	mmap_write_unlock(user->mm);
	devpub_mirror_destroy(mirror);
}

/* After fork the device's write must break the sharing, as the process's would. */
static void mirror_fork(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test), *child;
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;
	u64 value;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	child = devpub_user_fork(test, user);
	value = 2;
	KUNIT_EXPECT_FALSE(test, devpub_mirror_test_word(mirror, addr, true, &value));
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, true, &value));
	KUNIT_EXPECT_EQ(test, devpub_user_read(user, addr, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 2ULL);
	KUNIT_EXPECT_EQ(test, devpub_user_read(child, addr, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1ULL);
	devpub_mirror_destroy(mirror);
}

/* The mirror does not keep pages from moving, and drops their entries when they move. */
static void mirror_migration(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;
	u64 value;
	int to;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	devpub_fixture_drain_batches(fix);
	for (to = 1; to >= 0; to--) {
		KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
		KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, user, addr, to, false),
				(u8)DEVPUB_REASON_MOVED);
		KUNIT_EXPECT_EQ(test, devpub_mirror_peek(mirror, addr), 0UL);
		KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
		KUNIT_EXPECT_EQ(test, devpub_fixture_owns(fix,
							  devpub_mirror_peek(mirror, addr) &
							  ~HMM_PFN_FLAGS), (bool)to);
		value = 10 + to;
		KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, true, &value));
		KUNIT_EXPECT_EQ(test, devpub_user_read(user, addr, &value), 0);
		KUNIT_EXPECT_EQ(test, value, 10ULL + to);
	}
	devpub_mirror_destroy(mirror);
}

/* A page that is clean and writable, as after MADV_FREE, must be dirty after a write. */
static void mirror_dirty(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct page *page;
	unsigned long addr;
	u64 value;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	page = pfn_to_page(devpub_pte_read(user->mm, addr).pfn);
	folio_clear_dirty(page_folio(page));
	KUNIT_EXPECT_TRUE(test, devpub_pte_set_flags(user->mm, addr, false, false, false));
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, false, &value));
	KUNIT_EXPECT_FALSE(test, PageDirty(page));
	KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, addr, true, &value));
	KUNIT_EXPECT_TRUE(test, PageDirty(page));
	devpub_mirror_destroy(mirror);
}

/* Lock two spans in each order, in one block and in two.  The last place has no entry. */
static void mirror_two_spans(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct devpub_mirror_span spans[2] = {};
	unsigned long far = DEVPUB_BLOCK_SIZE / PAGE_SIZE, addr;
	const unsigned long places[] = { 0, 1, far, far + 1 };
	int i, j;

	addr = devpub_user_mmap(test, user, 2 * far, PROT_READ | PROT_WRITE);
	for (i = 0; i < ARRAY_SIZE(places) - 1; i++)
		KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, ADDR(addr, places[i]), 1, true),
				0);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			struct devpub_mirror_span *missing, *want = NULL;

			spans[0].addr = ADDR(addr, places[i]);
			spans[1].addr = ADDR(addr, places[j]);
			if (j == ARRAY_SIZE(places) - 1)
				want = &spans[1];
			if (i == ARRAY_SIZE(places) - 1)
				want = &spans[0];
			missing = devpub_mirror_lock(mirror, spans, 2);
			if (!missing)
				devpub_mirror_unlock(spans, 2);
			KUNIT_EXPECT_PTR_EQ(test, missing, want);
		}
	}
	devpub_mirror_put(spans, 2);
	devpub_mirror_destroy(mirror);
}

static void mirror_snapshot(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr, pfns[4];

	addr = devpub_user_mmap(test, user, 3, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, ADDR(addr, 1), 1), 0);
	KUNIT_EXPECT_EQ(test, devpub_mirror_snapshot(mirror, addr, 3, pfns), 0);
	KUNIT_EXPECT_EQ(test, pfns[0] | pfns[2], 0UL);
	KUNIT_EXPECT_EQ(test, pfns[1] & DEVPUB_ENTRY_FLAGS, (unsigned long)DEVPUB_ENTRY_FLAGS);
	KUNIT_EXPECT_EQ(test, devpub_mirror_peek(mirror, ADDR(addr, 1)), 0UL);
	devpub_mirror_destroy(mirror);
}

/* Which tasks may use a mirror. */
static void mirror_caller(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_user *other = devpub_user_start(test);
	struct devpub_mirror *mirror;

	/* This thread has the capability. */
	mirror = devpub_mirror_test_new(test, user);
	KUNIT_EXPECT_EQ(test, devpub_mirror_check_caller(mirror), 0);
	devpub_mirror_destroy(mirror);

	kthread_use_mm(user->mm);
	mirror = devpub_mirror_create(user->mm);
	KUNIT_EXPECT_FALSE(test, IS_ERR(mirror));
	KUNIT_EXPECT_EQ(test, devpub_mirror_check_caller(mirror), 0);
	kthread_unuse_mm(user->mm);
	KUNIT_EXPECT_EQ(test, devpub_mirror_check_caller(mirror), -EPERM);
	kthread_use_mm(other->mm);
	KUNIT_EXPECT_EQ(test, devpub_mirror_check_caller(mirror), -EPERM);
	kthread_unuse_mm(other->mm);
	devpub_mirror_destroy(mirror);
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(mirror_limit),
	KUNIT_CASE(mirror_range),
	KUNIT_CASE(mirror_range_unaligned),
	KUNIT_CASE(mirror_around),
	KUNIT_CASE(mirror_ahead),
	KUNIT_CASE(mirror_permissions),
	KUNIT_CASE(mirror_special),
	KUNIT_CASE(mirror_shadow_stack),
	KUNIT_CASE(mirror_fork),
	KUNIT_CASE(mirror_migration),
	KUNIT_CASE(mirror_dirty),
	KUNIT_CASE(mirror_two_spans),
	KUNIT_CASE(mirror_snapshot),
	KUNIT_CASE(mirror_caller),
	{}
};

struct kunit_suite devpub_mirror_suite = {
	.name		= "devpub_mirror",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= mirror_cases,
};
