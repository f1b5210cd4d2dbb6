// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * operation: which operations are valid, and what a slice does with memory that has a hardware
 * error (src/access/operation.c).
 */
#include <kunit/test.h>
#include <linux/hmm.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page-flags.h>
#include <linux/sizes.h>

#include <linux/devpub.h>

#include "access/mirror.h"
#include "access/operation.h"
#include "fixture.h"
#include "mirror.h"
#include "user.h"

static void operation_check(struct kunit *test)
{
	static const struct {
		struct devpub_operation operation;
		int want;
	} rows[] = {
		{ { .op = DEVPUB_OP_READ, .addr = 0, .length = 0 }, -EINVAL },
		{ { .op = 8, .addr = 0, .length = 1 }, -EINVAL },
		{ { .op = DEVPUB_OP_READ, .addr = SZ_1G - 1, .length = 1 }, 0 },
		{ { .op = DEVPUB_OP_READ, .addr = SZ_1G - 1, .length = 2 }, -EFAULT },
		{ { .op = DEVPUB_OP_READ, .addr = -1UL, .length = 2 }, -EOVERFLOW },
		{ { .op = DEVPUB_OP_COPY, .addr = 100, .other = 110, .length = 10 }, 0 },
		{ { .op = DEVPUB_OP_COPY, .addr = 100, .other = 109, .length = 10 }, -EINVAL },
		{ { .op = DEVPUB_OP_COPY, .addr = 110, .other = 100, .length = 10 }, 0 },
		{ { .op = DEVPUB_OP_COPY, .addr = 109, .other = 100, .length = 10 }, -EINVAL },
		{ { .op = DEVPUB_OP_COMPARE, .addr = 100, .other = 100, .length = 9 }, 0 },
		{ { .op = DEVPUB_OP_COMPARE, .other = SZ_1G - 8, .length = 9 }, -EFAULT },
		{ { .op = DEVPUB_OP_ADD, .addr = 8, .length = 8 }, 0 },
		{ { .op = DEVPUB_OP_ADD, .addr = 4, .length = 8 }, -EINVAL },
		{ { .op = DEVPUB_OP_ADD, .addr = 4, .length = 4 }, 0 },
		{ { .op = DEVPUB_OP_ADD, .addr = 2, .length = 4 }, -EINVAL },
		{ { .op = DEVPUB_OP_ADD, .addr = 2, .length = 2 }, -EINVAL },
		{ { .op = DEVPUB_OP_ADD, .length = 4, .operand = SZ_4G }, -EINVAL },
		{ { .op = DEVPUB_OP_ADD, .length = 4, .operand = U32_MAX }, 0 },
		{ { .op = DEVPUB_OP_READ, .length = 4, .operand = 1 }, -EINVAL },
		{ { .op = DEVPUB_OP_ADD, .length = 4, .compare = 1 }, -EINVAL },
		{ { .op = DEVPUB_OP_FILL, .length = 4, .other = 1 }, -EINVAL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, devpub_operation_check(&rows[i].operation, SZ_1G),
				    rows[i].want, "row %d", i);
}

/* memory_failure() marks a page before it unmaps it: no access to it may begin any more. */
static void operation_poison(struct kunit *test)
{
	static const struct {
		unsigned int op;
		int poisoned;
		bool write;
	} rows[] = {
		{ DEVPUB_OP_READ, 0, false },
		{ DEVPUB_OP_WRITE, 0, true },
		{ DEVPUB_OP_FILL, 0, true },
		{ DEVPUB_OP_COPY, 0, true },
		{ DEVPUB_OP_COPY, 1, false },
		{ DEVPUB_OP_COMPARE, 0, false },
		{ DEVPUB_OP_COMPARE, 1, false },
		{ DEVPUB_OP_ADD, 0, true },
	};
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	u64 buffer = 1, value;
	unsigned long addr;
	int i;

	addr = devpub_user_mmap(test, user, 2, PROT_READ | PROT_WRITE);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct devpub_operation operation = {
			.op = rows[i].op, .addr = addr, .length = 8, .buffer = &buffer,
			.other = addr + PAGE_SIZE, .operand = 2,
		};
		unsigned long bad = addr + rows[i].poisoned * PAGE_SIZE;
		struct page *page;

		KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, addr, 1, true), 0);
		KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, addr + PAGE_SIZE, 1, true), 0);
		page = hmm_pfn_to_page(devpub_mirror_peek(mirror, bad));
		SetPageHWPoison(page);
		devpub_operation_slice(&operation, mirror);
		ClearPageHWPoison(page);
		KUNIT_EXPECT_EQ_MSG(test, (int)operation.state, (int)DEVPUB_OPERATION_POISON,
				    "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, operation.fault_addr, bad, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, operation.fault_write, rows[i].write, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, operation.done, 0UL, "row %d", i);
		KUNIT_EXPECT_EQ(test, devpub_user_read(user, addr, &value), 0);
		KUNIT_EXPECT_EQ_MSG(test, value, 0ULL, "row %d", i);
	}
	devpub_mirror_destroy(mirror);
}

/* A miss is seen before a slice, for both addresses and behind what is done. */
static void operation_misses(struct kunit *test)
{
	struct devpub_user *user = devpub_user_start(test);
	struct devpub_mirror *mirror = devpub_mirror_test_new(test, user);
	struct devpub_operation operation = {
		.op = DEVPUB_OP_COPY, .length = 2 * PAGE_SIZE, .done = PAGE_SIZE,
	};

	operation.addr = devpub_user_mmap(test, user, 2, PROT_READ | PROT_WRITE) - PAGE_SIZE;
	operation.other = devpub_user_mmap(test, user, 2, PROT_READ) - PAGE_SIZE;

	KUNIT_EXPECT_TRUE(test, devpub_operation_misses(&operation, mirror));
	KUNIT_EXPECT_EQ(test, (int)operation.state, (int)DEVPUB_OPERATION_FAULT);
	KUNIT_EXPECT_EQ(test, operation.fault_addr, operation.addr + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, operation.fault_write);
	KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, operation.fault_addr, 1, true), 0);

	KUNIT_EXPECT_TRUE(test, devpub_operation_misses(&operation, mirror));
	KUNIT_EXPECT_EQ(test, operation.fault_addr, operation.other + PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, operation.fault_write);
	KUNIT_ASSERT_EQ(test, devpub_mirror_fault(mirror, operation.fault_addr, 1, false), 0);

	KUNIT_EXPECT_FALSE(test, devpub_operation_misses(&operation, mirror));
	devpub_mirror_destroy(mirror);
}

static struct kunit_case operation_cases[] = {
	KUNIT_CASE(operation_check),
	KUNIT_CASE(operation_misses),
	KUNIT_CASE(operation_poison),
	{}
};

struct kunit_suite devpub_operation_suite = {
	.name		= "devpub_operation",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= operation_cases,
};
