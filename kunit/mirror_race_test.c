// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * mirror_race: at each point of a fault, the process's page tables change or the mirror drops a
 * block.  Then the process ends or the mirror is destroyed.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "access/mirror.h"
#include "access/mirror_block.h"
#include "fixture.h"
#include "mirror.h"
#include "spy_access.h"
#include "user.h"

#define MIRROR_PAGES	32UL

/**
 * struct mirror_spy - acts at one moment of a fault
 * @access:	the spy
 * @moment:	the moment
 * @times:	number of further calls of @act
 * @act:	called at @moment
 * @user:	the process
 * @mirror:	the mirror
 * @addr:	the address
 */
struct mirror_spy {
	struct devpub_spy_access access;
	enum devpub_access_moment moment;
	unsigned int times;
	void (*act)(struct mirror_spy *spy);
	struct devpub_user *user;
	struct devpub_mirror *mirror;
	unsigned long addr;
};

static void mirror_look(struct devpub_spy_access *access, enum devpub_access_moment moment,
			struct devpub_operation *operation)
{
	struct mirror_spy *spy = container_of(access, struct mirror_spy, access);

	if (moment == spy->moment && spy->times) {
		spy->times--;
		spy->act(spy);
	}
}

static void act_discard(struct mirror_spy *spy)
{
	devpub_user_call(spy->user, __NR_madvise, spy->addr, PAGE_SIZE, MADV_DONTNEED);
}

struct mirror_moment {
	const char *name;
	enum devpub_access_moment moment;
	bool hole;
};

static const struct mirror_moment mirror_moments[] = {
	{ "before read_begin", DEVPUB_BEFORE_BEGIN },
	{ "after read_begin", DEVPUB_AFTER_BEGIN },
	{ "before the page tables are read", DEVPUB_BEFORE_READ },
	{ "after the page tables are read", DEVPUB_AFTER_READ },
	{ "after the page is faulted in", DEVPUB_AFTER_FAULT, .hole = true },
};

static void mirror_moment_desc(const struct mirror_moment *moment, char *desc)
{
	strscpy(desc, moment->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(mirror_moment, mirror_moments, mirror_moment_desc);

/* The page is discarded during the fault, several times.  The mirror must not keep it. */
static void mirror_race(struct kunit *test)
{
	const struct mirror_moment *moment = test->param_value;
	struct devpub_user *user = devpub_user_start(test);
	struct mirror_spy spy = {
		.access	= { .look = mirror_look },
		.moment	= moment->moment,
		.times	= 1,
		.act	= act_discard,
		.user	= user,
	};
	struct devpub_mirror *mirror;
	u64 value = 1;
	int write, ret;

	spy.addr = devpub_user_mmap(test, user, MIRROR_PAGES, PROT_READ | PROT_WRITE);
	mirror = devpub_mirror_test_new(test, user);
	for (write = 0; write < 2; write++) {
		KUNIT_EXPECT_EQ(test, devpub_user_write(user, spy.addr, 1), 0);
		if (moment->hole)
			act_discard(&spy);
		spy.times = 3;
		devpub_spy_set_access(&spy.access);
		ret = devpub_mirror_fault(mirror, spy.addr, 1, write);
		devpub_spy_set_access(NULL);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_LT(test, spy.times, 3U);
		devpub_mirror_test_expect(test, mirror, user, spy.addr);
		KUNIT_EXPECT_TRUE(test, devpub_mirror_test_word(mirror, spy.addr, false, &value));
		KUNIT_EXPECT_EQ(test, value, 0ULL);
		act_discard(&spy);
		KUNIT_EXPECT_EQ(test, devpub_mirror_peek(mirror, spy.addr), 0UL);
	}
	devpub_mirror_destroy(mirror);
}

/* Add so many blocks during the fault that the mirror drops the block of the address. */
static void act_push_out(struct mirror_spy *spy)
{
	devpub_mirror_test_add_blocks(spy->mirror, spy->addr);
}

/* A fault adds no entry to a block that was dropped: no notifier would remove the entry. */
static void mirror_block_dropped(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct mirror_spy spy = {
		.access	= { .look = mirror_look },
		.moment	= DEVPUB_AFTER_BEGIN,
		.times	= 1,
		.act	= act_push_out,
		.user	= user,
	};
	struct devpub_mirror_block *block;
	unsigned long entry;

	spy.addr = devpub_user_mmap(test, user, MIRROR_PAGES, PROT_READ | PROT_WRITE);
	/* The page is present, so the first attempt could add its entry to the dropped block. */
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, spy.addr, 1), 0);
	spy.mirror = devpub_mirror_test_new(test, user);
	block = devpub_mirror_get_block(spy.mirror, spy.addr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(block));
	devpub_spy_set_access(&spy.access);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(spy.mirror, spy.addr, 1, true), 0);
	devpub_spy_set_access(NULL);
	KUNIT_EXPECT_EQ(test, spy.times, 0U);

	spin_lock(&block->lock);
	entry = *devpub_mirror_block_entry(block, spy.addr);
	spin_unlock(&block->lock);
	KUNIT_EXPECT_TRUE(test, block->dead);
	KUNIT_EXPECT_EQ(test, entry, 0UL);
	devpub_mirror_block_put(block);
	devpub_mirror_test_expect(test, spy.mirror, user, spy.addr);
	act_discard(&spy);
	KUNIT_EXPECT_EQ(test, devpub_mirror_peek(spy.mirror, spy.addr), 0UL);
	devpub_mirror_destroy(spy.mirror);
}

/* If the kernel can't insert a notifier, faults fail, and migrations still work. */
static void mirror_no_notifier(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_spy_access spy = { .insert_error = -ENOMEM };
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_user_write(user, addr, 1), 0);
	devpub_spy_set_access(&spy);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), -ENOMEM);
	devpub_spy_set_access(NULL);
	KUNIT_EXPECT_EQ(test, mirror->nr_blocks, 0U);
	devpub_fixture_drain_batches(test->priv);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, user, addr, true, false),
			(u8)DEVPUB_REASON_MOVED);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	devpub_mirror_destroy(mirror);
}

/* The process ends before the mirror is destroyed: its memory is freed, the mirror is empty. */
static void mirror_process_ends_first(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr, pfn;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	KUNIT_EXPECT_NE(test, devpub_mirror_peek(mirror, addr), 0UL);
	/* This expects that the mirror does not hold the memory. */
	devpub_user_stop(test, user);
	KUNIT_EXPECT_EQ(test, devpub_mirror_peek(mirror, addr), 0UL);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, false), -ESRCH);
	KUNIT_EXPECT_EQ(test, devpub_mirror_snapshot(mirror, addr, 1, &pfn), -ESRCH);
	devpub_mirror_destroy(mirror);
}

/* The mirror is destroyed before the process ends: no notifier is left. */
static void mirror_goes_first(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	unsigned long addr;

	addr = devpub_user_mmap(test, user, 1, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
	devpub_mirror_destroy(mirror);
	KUNIT_EXPECT_EQ(test, devpub_user_call(user, __NR_munmap, addr, PAGE_SIZE), 0L);
	devpub_user_stop(test, user);
}

static struct kunit_case mirror_race_cases[] = {
	KUNIT_CASE_PARAM(mirror_race, mirror_moment_gen_params),
	KUNIT_CASE(mirror_block_dropped),
	KUNIT_CASE(mirror_no_notifier),
	KUNIT_CASE(mirror_process_ends_first),
	KUNIT_CASE(mirror_goes_first),
	{}
};

struct kunit_suite devpub_mirror_race_suite = {
	.name		= "devpub_mirror_race",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= mirror_race_cases,
};
