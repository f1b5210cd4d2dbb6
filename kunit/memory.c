// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Memory of processes, whose content depends on its position.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "engine/location.h"
#include "engine/range.h"
#include "engine/transfer.h"
#include "fixture.h"
#include "memory.h"
#include "user.h"

#define MEMORY_WORDS	(PAGE_SIZE / sizeof(u64))

#define MEMORY_BATCH	64

/* Only the first word of a page, the last one and some in between are checked. */
#define MEMORY_STEP	73

/**
 * devpub_memory_word() - get the expected content of a word
 * @mem: the memory
 * @page: number of the page
 * @word: number of the word in the page
 *
 * Return: the content.
 */
u64 devpub_memory_word(const struct devpub_memory *mem, unsigned long page,
		       unsigned int word)
{
	return mem->seed + page * MEMORY_WORDS + word;
}

/**
 * devpub_memory_fill() - write the content in the process's address space
 * @test: the case; asserts that this succeeds
 * @mem: the memory
 */
void devpub_memory_fill(struct kunit *test, const struct devpub_memory *mem)
{
	unsigned long page, bad = 0;
	unsigned int word;

	kthread_use_mm(mem->user->mm);
	for (page = 0; page < mem->npages; page++) {
		u64 __user *at = (u64 __user *)(mem->addr + page * PAGE_SIZE);

		for (word = 0; word < MEMORY_WORDS; word += MEMORY_STEP)
			bad += !!put_user(devpub_memory_word(mem, page, word),
					  at + word);
	}
	kthread_unuse_mm(mem->user->mm);
	KUNIT_ASSERT_EQ(test, bad, 0UL);
}

/**
 * devpub_memory_expect() - expect the content to be unchanged
 * @test: the case
 * @mem: the memory
 */
void devpub_memory_expect(struct kunit *test, const struct devpub_memory *mem)
{
	unsigned long page, bad = 0;
	unsigned int word;
	u64 value;

	kthread_use_mm(mem->user->mm);
	for (page = 0; page < mem->npages; page++) {
		u64 __user *at = (u64 __user *)(mem->addr + page * PAGE_SIZE);

		for (word = 0; word < MEMORY_WORDS; word += MEMORY_STEP)
			bad += get_user(value, at + word) ||
			       value != devpub_memory_word(mem, page, word);
	}
	kthread_unuse_mm(mem->user->mm);
	KUNIT_EXPECT_EQ_MSG(test, bad, 0UL, "wrong words");
}

/**
 * devpub_memory_on_device() - count the pages on devpub0
 * @test: the case, of a suite with the fixture
 * @mem: the memory
 *
 * Context: process context; takes mmap_lock.  Makes no assertion, so the caller may hold
 * resources that an assertion would leak.
 * Return: the number of pages.
 */
unsigned long devpub_memory_on_device(struct kunit *test,
				      const struct devpub_memory *mem)
{
	unsigned long addr = mem->addr, end = addr + mem->npages * PAGE_SIZE;
	struct devpub_fixture *fix = test->priv;
	unsigned long i, next, on_device = 0;
	u8 locations[MEMORY_BATCH];

	for (; addr < end; addr = next) {
		next = min(addr + MEMORY_BATCH * PAGE_SIZE, end);
		mmap_read_lock(mem->user->mm);
		devpub_location_window(&fix->ddev->pagemap, mem->user->mm, addr, next,
				       locations);
		mmap_read_unlock(mem->user->mm);
		for (i = 0; i < devpub_range_pages(addr, next); i++)
			on_device += locations[i] == DEVPUB_LOCATION_DEVICE;
	}
	return on_device;
}

/**
 * devpub_memory_migrate_to() - migrate as many pages as possible to a device
 * @ddev: the device
 * @mem: the memory
 * @reasons: array for the reasons of a window
 *
 * Return: the number of pages that moved.
 */
unsigned long devpub_memory_migrate_to(struct devpub_device *ddev,
				       const struct devpub_memory *mem,
				       u8 *reasons)
{
	unsigned long addr = mem->addr, end = addr + mem->npages * PAGE_SIZE;
	const struct devpub_transfer_spec spec = {
		.source		= &devpub_endpoint_system,
		.destination	= &ddev->endpoint,
	};
	struct devpub_transfer transfer;
	unsigned long i, next, moved = 0;

	if (devpub_transfer_begin(&transfer, &spec, mem->user->mm, mem->npages))
		return 0;
	for (; addr < end; addr = next) {
		next = devpub_range_window_end(addr, end, ddev->endpoint.window);
		if (devpub_transfer_window(&transfer, addr, next, reasons))
			break;
		for (i = 0; i < devpub_range_pages(addr, next); i++)
			moved += reasons[i] == DEVPUB_REASON_MOVED;
	}
	devpub_transfer_end(&transfer);
	return moved;
}

/**
 * devpub_memory_move_to() - migrate all pages to devpub0
 * @test: the case, of a suite with the fixture; asserts that this succeeds
 * @mem: the memory, none of which is on a device
 */
void devpub_memory_move_to(struct kunit *test, const struct devpub_memory *mem)
{
	struct devpub_fixture *fix = test->priv;
	u8 *reasons;

	reasons = kunit_kzalloc(test, fix->ddev->endpoint.window, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reasons);
	KUNIT_ASSERT_EQ(test, devpub_memory_migrate_to(fix->ddev, mem, reasons),
			mem->npages);
	KUNIT_ASSERT_EQ(test, devpub_memory_on_device(test, mem), mem->npages);
}

/**
 * devpub_memory_create() - create a process with pages on devpub0
 * @test: the case, of a suite with the fixture; asserts that this succeeds
 * @mem: the memory to set up
 * @npages: number of pages
 */
void devpub_memory_create(struct kunit *test, struct devpub_memory *mem,
			  unsigned long npages)
{
	mem->npages = npages;
	mem->seed = 0xdeb0000000000000ULL;
	mem->user = devpub_user_start(test);
	mem->addr = devpub_user_mmap(test, mem->user, npages,
				     PROT_READ | PROT_WRITE);
	devpub_memory_fill(test, mem);
	devpub_memory_move_to(test, mem);
}

/**
 * devpub_memory_get_page() - get a page of the memory
 * @test: the case; asserts that there is a page
 * @mem: the memory
 * @page: number of the page
 *
 * Return: the page, with a reference for the caller.
 */
struct page *devpub_memory_get_page(struct kunit *test,
				    const struct devpub_memory *mem,
				    unsigned long page)
{
	struct page *found = NULL;

	mmap_read_lock(mem->user->mm);
	devpub_location_get_pages(mem->user->mm, mem->addr + page * PAGE_SIZE, &found,
				  1);
	mmap_read_unlock(mem->user->mm);
	KUNIT_ASSERT_NOT_NULL(test, found);
	return found;
}
