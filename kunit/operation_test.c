// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * operation: which operations are valid (src/access/operation.c).
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include <linux/devpub.h>

#include "access/operation.h"

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

static struct kunit_case operation_cases[] = {
	KUNIT_CASE(operation_check),
	{}
};

struct kunit_suite devpub_operation_suite = {
	.name		= "devpub_operation",
	.test_cases	= operation_cases,
};
