// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * pte: checks the page table entry of a page on the device, and the flags that it keeps when
 * it has moved.  expect_pte.c contains the expected values.
 */
#include <kunit/test.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/swapops.h>

#include "engine/transfer.h"
#include "expect.h"
#include "fault.h"
#include "fixture.h"
#include "memory.h"
#include "pte.h"
#include "spy.h"
#include "user.h"

#define SOME_PFN	0x12345UL
#define PTE_WALK_PAGES	16

/*
 * Controls: a test that finds a flag clear proves nothing unless the reader finds the flag when
 * it is set.
 */
enum control {
	CONTROL_NONE,
	CONTROL_PRESENT,
	CONTROL_WRITABLE,
	CONTROL_DIRTY,
	CONTROL_YOUNG,
	CONTROL_SOFT_DIRTY,
	CONTROL_SPECIAL,
	CONTROL_DEVMAP,
	CONTROL_SWAP,
	CONTROL_SWAP_SOFT_DIRTY,
	CONTROL_MIGRATION_READ,
	CONTROL_MIGRATION_WRITE,
};

struct control_param {
	const char *name;
	enum control control;
	struct devpub_pte want;
};

static const struct control_param control_params[] = {
	{ "none", CONTROL_NONE, { 0 } },
	{ "present", CONTROL_PRESENT, { .present = true, .pfn = SOME_PFN } },
	{ "writable", CONTROL_WRITABLE,
	  { .present = true, .pfn = SOME_PFN, .writable = true } },
	/* A dirty entry is also soft-dirty. */
	{ "dirty", CONTROL_DIRTY,
	  { .present = true, .pfn = SOME_PFN, .dirty = true, .soft_dirty = true } },
	{ "young", CONTROL_YOUNG,
	  { .present = true, .pfn = SOME_PFN, .young = true } },
	{ "soft-dirty", CONTROL_SOFT_DIRTY,
	  { .present = true, .pfn = SOME_PFN, .soft_dirty = true } },
	{ "special", CONTROL_SPECIAL,
	  { .present = true, .pfn = SOME_PFN, .special = true } },
	/* A devmap entry is also special, so that code that does not know devmap ignores it. */
	{ "devmap", CONTROL_DEVMAP,
	  { .present = true, .pfn = SOME_PFN, .special = true, .devmap = true } },
	{ "swap", CONTROL_SWAP, { .swap = true } },
	{ "swap, soft-dirty", CONTROL_SWAP_SOFT_DIRTY,
	  { .swap = true, .soft_dirty = true } },
	{ "migration", CONTROL_MIGRATION_READ,
	  { .migration = true, .pfn = SOME_PFN } },
	{ "migration, writable", CONTROL_MIGRATION_WRITE,
	  { .migration = true, .pfn = SOME_PFN, .writable = true } },
};

static void control_describe(const struct control_param *param, char *text)
{
	strscpy(text, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(control, control_params, control_describe);

static pte_t control_make(enum control control)
{
	/* This entry is neither dirty, young nor writable. */
	pte_t pte = pte_mkold(pfn_pte(SOME_PFN, PAGE_READONLY));

	switch (control) {
	case CONTROL_NONE:
		return __pte(0);
	case CONTROL_PRESENT:
		return pte;
	case CONTROL_WRITABLE:
		return pte_mkold(pfn_pte(SOME_PFN, PAGE_SHARED));
	case CONTROL_DIRTY:
		return pte_mkdirty(pte);
	case CONTROL_YOUNG:
		return pte_mkyoung(pte);
	case CONTROL_SOFT_DIRTY:
		return pte_mksoft_dirty(pte);
	case CONTROL_SPECIAL:
		return pte_mkspecial(pte);
	case CONTROL_DEVMAP:
		return devpub_compat_pte_mkdevmap(pte);
	case CONTROL_SWAP:
		return swp_entry_to_pte(swp_entry(1, SOME_PFN));
	case CONTROL_SWAP_SOFT_DIRTY:
		return pte_swp_mksoft_dirty(swp_entry_to_pte(swp_entry(1, SOME_PFN)));
	case CONTROL_MIGRATION_READ:
		return swp_entry_to_pte(make_readable_migration_entry(SOME_PFN));
	case CONTROL_MIGRATION_WRITE:
		return swp_entry_to_pte(make_writable_migration_entry(SOME_PFN));
	}
	return __pte(0);
}

static void pte_control(struct kunit *test)
{
	const struct control_param *param = test->param_value;
	struct devpub_pte now;

	if (param->control == CONTROL_DEVMAP && !DEVPUB_COMPAT_DEVMAP)
		kunit_skip(test, "this kernel has no devmap mark");
	if (param->want.soft_dirty && !IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
		kunit_skip(test, "needs CONFIG_MEM_SOFT_DIRTY");

	now = devpub_pte_decode(control_make(param->control));
	KUNIT_EXPECT_EQ(test, now.present, param->want.present);
	KUNIT_EXPECT_EQ(test, now.swap, param->want.swap);
	KUNIT_EXPECT_EQ(test, now.migration, param->want.migration);
	KUNIT_EXPECT_EQ(test, now.writable, param->want.writable);
	KUNIT_EXPECT_EQ(test, now.dirty, param->want.dirty);
	KUNIT_EXPECT_EQ(test, now.young, param->want.young);
	KUNIT_EXPECT_EQ(test, now.soft_dirty, param->want.soft_dirty);
	KUNIT_EXPECT_EQ(test, now.special, param->want.special);
	KUNIT_EXPECT_EQ(test, now.devmap, param->want.devmap);
	KUNIT_EXPECT_EQ(test, now.pfn, param->want.pfn);
}

/* Create a process with a page of its own. */
static struct devpub_user *pte_make_page(struct kunit *test, unsigned long *addr)
{
	struct devpub_user *user = devpub_user_start(test);

	*addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_write(user, *addr, 1), 0);
	return user;
}

static struct devpub_user *pte_make_device_page(struct kunit *test,
						unsigned long *addr)
{
	struct devpub_user *user = pte_make_page(test, addr);

	KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, user, *addr, true, false),
			DEVPUB_REASON_MOVED);
	return user;
}

struct marks_param {
	bool writable;
	bool dirty;
	bool young;
	bool soft_dirty;
};

/* All combinations of writable, dirty, young and soft-dirty. */
static const struct marks_param marks_params[] = {
	{ 0, 0, 0, 0 }, { 0, 0, 0, 1 }, { 0, 0, 1, 0 }, { 0, 0, 1, 1 },
	{ 0, 1, 0, 0 }, { 0, 1, 0, 1 }, { 0, 1, 1, 0 }, { 0, 1, 1, 1 },
	{ 1, 0, 0, 0 }, { 1, 0, 0, 1 }, { 1, 0, 1, 0 }, { 1, 0, 1, 1 },
	{ 1, 1, 0, 0 }, { 1, 1, 0, 1 }, { 1, 1, 1, 0 }, { 1, 1, 1, 1 },
};

static void marks_describe(const struct marks_param *param, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%s, %s, %s, %s",
		 param->writable ? "writable" : "read-only",
		 param->dirty ? "dirty" : "clean", param->young ? "young" : "old",
		 param->soft_dirty ? "soft-dirty" : "soft-clean");
}

KUNIT_ARRAY_PARAM(marks, marks_params, marks_describe);

/* Set the flags of the parameter in the entry of a writable page. */
static void pte_mark(struct kunit *test, struct devpub_user *user,
		     unsigned long addr)
{
	const struct marks_param *marks = test->param_value;

	if (!marks->writable)
		KUNIT_ASSERT_EQ(test, 0, devpub_user_call(user, __NR_mprotect, addr,
							  PAGE_SIZE, PROT_READ));
	KUNIT_ASSERT_TRUE(test, devpub_pte_set_flags(user->mm, addr, marks->dirty,
						     marks->young,
						     marks->soft_dirty));
}

static void pte_expect_marks(struct kunit *test, const struct devpub_pte *pte)
{
	const struct marks_param *marks = test->param_value;

	KUNIT_EXPECT_EQ(test, pte->writable, marks->writable);
	KUNIT_EXPECT_EQ(test, pte->dirty, marks->dirty);
	KUNIT_EXPECT_EQ(test, pte->young, marks->young);
	KUNIT_EXPECT_EQ(test, pte->soft_dirty, marks->soft_dirty);
}

static void pte_moved_there_and_back(struct kunit *test)
{
	struct devpub_pte before, there;
	struct devpub_user *user;
	unsigned long addr;

	user = pte_make_page(test, &addr);
	pte_mark(test, user, addr);
	before = devpub_pte_read(user->mm, addr);
	pte_expect_marks(test, &before);

	KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, user, addr, true, false),
			DEVPUB_REASON_MOVED);
	there = devpub_pte_read(user->mm, addr);
	devpub_expect_pte(test, DEVPUB_EVENT_MOVED_TO, &before, there);

	KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, user, addr, false, false),
			DEVPUB_REASON_MOVED);
	devpub_expect_pte(test, DEVPUB_EVENT_MOVED_FROM, &there,
			  devpub_pte_read(user->mm, addr));
}

/* A spy that checks the entry of a collected page. */
struct pte_spy {
	struct devpub_spy spy;
	struct kunit *test;
	struct devpub_user *user;
	unsigned long addr;
	struct devpub_pte before;
	int seen;
};

static void pte_look(struct devpub_spy *spy, enum devpub_phase phase,
		     unsigned long *src, unsigned long *dst, unsigned long npages)
{
	struct pte_spy *s = container_of(spy, struct pte_spy, spy);
	struct devpub_pte now;

	if (phase != DEVPUB_PHASE_SETUP)
		return;
	s->seen++;
	now = devpub_pte_read(s->user->mm, s->addr);
	devpub_expect_pte(s->test, DEVPUB_EVENT_COLLECTED, &s->before, now);
	KUNIT_EXPECT_EQ(s->test, now.pfn, s->before.pfn);
}

static void pte_collected(struct kunit *test)
{
	struct pte_spy s = { .spy.look = pte_look, .test = test };
	int to;

	s.user = pte_make_page(test, &s.addr);
	pte_mark(test, s.user, s.addr);
	for (to = 1; to >= 0; to--) {
		s.before = devpub_pte_read(s.user->mm, s.addr);
		devpub_spy_set(&s.spy);
		KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, s.user, s.addr, to,
							     false),
				DEVPUB_REASON_MOVED);
		devpub_spy_set(NULL);
	}
	KUNIT_EXPECT_EQ(test, s.seen, 2);
}

/* Refusals in both directions; from the device, by the engine and by migrate_vma_setup(). */
static void pte_refused(struct kunit *test)
{
	struct devpub_pte before, now;
	struct devpub_user *user;
	unsigned long addr;
	int refs;

	user = pte_make_page(test, &addr);
	pte_mark(test, user, addr);
	for (refs = 0; refs <= 2; refs++) {
		bool to = !refs;
		struct page *page;
		int i;

		before = devpub_pte_read(user->mm, addr);
		page = pfn_to_page(before.pfn);
		for (i = 0; i < refs + to; i++)
			get_page(page);
		KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, user, addr, to,
							     false),
				devpub_expect_result(test, to ? DEVPUB_TO : DEVPUB_FROM,
						     refs > 1 ? DEVPUB_TWO_REFS :
								DEVPUB_REF)->reason);
		now = devpub_pte_read(user->mm, addr);
		devpub_expect_pte(test, DEVPUB_EVENT_REFUSED, &before, now);
		KUNIT_EXPECT_EQ(test, now.pfn, before.pfn);
		for (i = 0; i < refs + to; i++)
			put_page(page);
		if (to)
			KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, user,
								     addr, true,
								     false),
					DEVPUB_REASON_MOVED);
	}
}

struct fill_param {
	const char *name;
	int prot;
	bool zero_page;
};

static const struct fill_param fill_params[] = {
	{ "hole", PROT_READ | PROT_WRITE, false },
	{ "read-only hole", PROT_READ, false },
	{ "zero page", PROT_READ | PROT_WRITE, true },
	{ "read-only zero page", PROT_READ, true },
};

static void fill_describe(const struct fill_param *param, char *text)
{
	strscpy(text, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fill, fill_params, fill_describe);

static void pte_filled(struct kunit *test)
{
	const struct fill_param *param = test->param_value;
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_pte before, now;
	unsigned long addr;
	u64 value;
	u8 reason;

	addr = devpub_user_mmap(test, user, 1, param->prot);
	if (param->zero_page)
		KUNIT_ASSERT_EQ(test, devpub_user_read(user, addr, &value), 0);
	before = devpub_pte_read(user->mm, addr);
	/* The entry of the zero page is special. */
	KUNIT_EXPECT_EQ(test, before.present, param->zero_page);
	KUNIT_EXPECT_EQ(test, before.special, param->zero_page);

	reason = devpub_fixture_migrate(test, user, addr, true, true);
	now = devpub_pte_read(user->mm, addr);
	if (param->prot & PROT_WRITE) {
		KUNIT_ASSERT_EQ(test, reason,
				devpub_expect_result(test, DEVPUB_TO, DEVPUB_HOLE)->reason);
		devpub_expect_pte(test, DEVPUB_EVENT_FILLED, &before, now);
		return;
	}
	KUNIT_EXPECT_EQ(test, reason, DEVPUB_REASON_ABSENT);
	KUNIT_EXPECT_EQ(test, now.present, before.present);
	KUNIT_EXPECT_EQ(test, now.pfn, before.pfn);
}

static void pte_forked(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_pte before, parent_pte, child_pte;
	struct devpub_user *parent, *child;
	unsigned long addr;

	parent = pte_make_device_page(test, &addr);
	pte_mark(test, parent, addr);
	before = devpub_pte_read(parent->mm, addr);
	child = devpub_user_fork(test, parent);

	parent_pte = devpub_pte_read(parent->mm, addr);
	child_pte = devpub_pte_read(child->mm, addr);
	devpub_expect_pte(test, DEVPUB_EVENT_FORK_PARENT, &before, parent_pte);
	devpub_expect_pte(test, DEVPUB_EVENT_FORK_CHILD, &before, child_pte);
	KUNIT_EXPECT_EQ(test, parent_pte.pfn, before.pfn);
	KUNIT_EXPECT_EQ(test, child_pte.pfn, before.pfn);

	if (!before.writable) {
		KUNIT_EXPECT_EQ(test, devpub_user_write(child, addr, 2), -EFAULT);
		return;
	}
	/* A process that writes gets a copy in system memory. */
	KUNIT_EXPECT_EQ(test, devpub_user_write(child, addr, 2), 0);
	child_pte = devpub_pte_read(child->mm, addr);
	KUNIT_EXPECT_TRUE(test, child_pte.writable);
	KUNIT_EXPECT_FALSE(test, devpub_fixture_owns(fix, child_pte.pfn));
	KUNIT_EXPECT_EQ(test, devpub_pte_read(parent->mm, addr).pfn, before.pfn);
}

static void pte_mprotected(struct kunit *test)
{
	struct devpub_pte before, now;
	struct devpub_user *user;
	unsigned long addr;
	size_t i;
	static const struct {
		int prot;
		enum devpub_event event;
	} steps[] = {
		{ PROT_READ, DEVPUB_EVENT_PROTECTED },
		{ PROT_READ | PROT_WRITE, DEVPUB_EVENT_UNPROTECTED },
		{ PROT_NONE, DEVPUB_EVENT_PROTECTED_WHOLLY },
		{ PROT_READ | PROT_WRITE, DEVPUB_EVENT_UNPROTECTED },
	};

	user = pte_make_device_page(test, &addr);
	pte_mark(test, user, addr);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		before = devpub_pte_read(user->mm, addr);
		KUNIT_ASSERT_EQ(test, 0, devpub_user_call(user, __NR_mprotect, addr,
							  PAGE_SIZE,
							  steps[i].prot));
		now = devpub_pte_read(user->mm, addr);
		devpub_expect_pte(test, steps[i].event, &before, now);
		KUNIT_EXPECT_EQ(test, now.pfn, before.pfn);
	}
}

/* The reader also decodes a swap entry in a real page table. */
static void pte_swapped(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *user;
	struct devpub_pte now;
	unsigned long addr;

	user = pte_make_page(test, &addr);
	devpub_fixture_drain_batches(fix);
	KUNIT_ASSERT_EQ(test, 0, devpub_user_call(user, __NR_madvise, addr, PAGE_SIZE,
						  MADV_PAGEOUT));
	now = devpub_pte_read(user->mm, addr);
	if (now.present)
		kunit_skip(test, "no swap: swapon, say, a brd (/dev/ram0) first");
	KUNIT_EXPECT_TRUE(test, now.swap);
	KUNIT_EXPECT_FALSE(test, now.migration);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, user, addr, true, false),
			DEVPUB_REASON_SWAPPED);
	KUNIT_EXPECT_TRUE(test, devpub_pte_read(user->mm, addr).swap);
}

/* Check that the reason of each page agrees with its page table entry. */
static int pte_back_with_failure(struct kunit *test,
				 const struct devpub_memory *mem,
				 unsigned int nth, bool *failed)
{
	u8 short_of = devpub_expect_result(test, DEVPUB_FROM, DEVPUB_NO_MEMORY)->reason;
	unsigned long i, end = mem->addr + mem->npages * PAGE_SIZE;
	struct devpub_fixture *fix = test->priv;
	const struct devpub_transfer_spec spec = {
		.source = &fix->ddev->endpoint, .destination = &devpub_endpoint_system,
	};
	struct devpub_transfer move;
	u8 reasons[PTE_WALK_PAGES];
	int ret;

	KUNIT_ASSERT_LE(test, mem->npages, (unsigned long)PTE_WALK_PAGES);
	KUNIT_ASSERT_EQ(test, devpub_transfer_begin(&move, &spec, mem->user->mm, mem->npages), 0);
	devpub_fault_arm(nth);
	ret = devpub_transfer_window(&move, mem->addr, end, reasons);
	*failed = devpub_fault_disarm();
	devpub_transfer_end(&move);

	for (i = 0; i < mem->npages; i++) {
		unsigned long pfn = devpub_pte_read(mem->user->mm, mem->addr +
						    i * PAGE_SIZE).pfn;

		if (reasons[i] == DEVPUB_REASON_ALREADY)
			continue;
		KUNIT_EXPECT_EQ(test, reasons[i], devpub_fixture_owns(fix, pfn) ?
				short_of : DEVPUB_REASON_MOVED);
	}
	return ret;
}

static void pte_short_of_memory(struct kunit *test)
{
	/* No failure ends the whole call. */
	devpub_fault_walk(test, DEVPUB_FROM, pte_back_with_failure, 0);
}

static struct kunit_case pte_cases[] = {
	KUNIT_CASE_PARAM(pte_control, control_gen_params),
	KUNIT_CASE_PARAM(pte_moved_there_and_back, marks_gen_params),
	KUNIT_CASE_PARAM(pte_collected, marks_gen_params),
	KUNIT_CASE_PARAM(pte_refused, marks_gen_params),
	KUNIT_CASE_PARAM(pte_filled, fill_gen_params),
	KUNIT_CASE_PARAM(pte_forked, marks_gen_params),
	KUNIT_CASE_PARAM(pte_mprotected, marks_gen_params),
	KUNIT_CASE(pte_swapped),
	KUNIT_CASE(pte_short_of_memory),
	{}
};

struct kunit_suite devpub_pte_suite = {
	.name		= "devpub_pte",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= pte_cases,
};
