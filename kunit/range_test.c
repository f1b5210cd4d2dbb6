// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * range: arithmetic on ranges of user addresses and windows (src/engine/range.c).
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "device/device.h"
#include "engine/range.h"

#define PAGES(n)	((u64)(n) << PAGE_SHIFT)
/* An address, counted in pages from the end of the address space. */
#define FROM_TOP(n)	(-PAGES(n))

/* The real limit differs between machines; any page-aligned limit serves the test. */
#define LIMIT		PAGES(1UL << 35)

struct range_check {
	const char *name;
	u64 addr;
	u64 length;
	u64 limit;
	int want;
};

static const struct range_check range_checks[] = {
	{ "one page", PAGES(1), PAGES(1), LIMIT, 0 },
	{ "from address 0", 0, PAGES(1), LIMIT, 0 },
	{ "up to the limit", LIMIT - PAGES(1), PAGES(1), LIMIT, 0 },
	{ "all below the limit", 0, LIMIT, LIMIT, 0 },
	{ "empty", PAGES(1), 0, LIMIT, -EINVAL },
	{ "empty at 0", 0, 0, LIMIT, -EINVAL },
	{ "empty at the limit", LIMIT, 0, LIMIT, -EINVAL },
	{ "address a byte off", PAGES(1) + 1, PAGES(1), LIMIT, -EINVAL },
	{ "address a byte short", PAGES(2) - 1, PAGES(1), LIMIT, -EINVAL },
	{ "length of a byte", PAGES(1), 1, LIMIT, -EINVAL },
	{ "length a byte short", PAGES(1), PAGES(1) - 1, LIMIT, -EINVAL },
	{ "length a byte over", PAGES(1), PAGES(1) + 1, LIMIT, -EINVAL },
	{ "both off, end whole", PAGES(1) - 1, PAGES(1) + 1, LIMIT, -EINVAL },
	{ "unaligned and overflowing", PAGES(1), U64_MAX, LIMIT, -EINVAL },
	{ "end at 2^64", FROM_TOP(1), PAGES(1), LIMIT, -EOVERFLOW },
	{ "end past 2^64", FROM_TOP(1), PAGES(2), LIMIT, -EOVERFLOW },
	{ "end wraps below the limit", FROM_TOP(4), PAGES(8), LIMIT, -EOVERFLOW },
	{ "longest", PAGES(1), FROM_TOP(1), LIMIT, -EOVERFLOW },
	{ "no limit helps 2^64", FROM_TOP(1), PAGES(1), U64_MAX, -EOVERFLOW },
	{ "one page past the limit", LIMIT, PAGES(1), LIMIT, -EFAULT },
	{ "over the limit", LIMIT - PAGES(1), PAGES(2), LIMIT, -EFAULT },
	{ "far above", FROM_TOP(2), PAGES(1), LIMIT, -EFAULT },
	{ "all but the last page", 0, FROM_TOP(1), LIMIT, -EFAULT },
	{ "last whole page but one, no limit", FROM_TOP(2), PAGES(1), U64_MAX, 0 },
	{ "limit not of whole pages", 0, PAGES(1), PAGES(1) - 1, -EFAULT },
	{ "limit 0", 0, PAGES(1), 0, -EFAULT },
};

static void range_check_desc(const struct range_check *check, char *desc)
{
	strscpy(desc, check->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range_check, range_checks, range_check_desc);

static void range_check_test(struct kunit *test)
{
	const struct range_check *check = test->param_value;

	KUNIT_EXPECT_EQ(test, devpub_range_check(check->addr, check->length,
						 check->limit), check->want);
}

static const unsigned long range_windows[] = {
	512, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
};

static void range_window_desc(const unsigned long *window, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%lu pages", *window);
}

KUNIT_ARRAY_PARAM(range_window, range_windows, range_window_desc);

/*
 * Check that a window ends at the next multiple of the window size or at the end of the range,
 * whichever is lower.  The checks add nothing to an address, because the sum could overflow.
 */
static bool range_window_end_is_right(unsigned long addr, unsigned long end,
				      unsigned long window)
{
	unsigned long next = devpub_range_window_end(addr, end, window);
	unsigned long size = window << PAGE_SHIFT;

	return next - 1 >= addr && next - 1 <= end - 1 &&
	       (next - 1) / size == addr / size &&
	       (next == end || !(next % size));
}

static void range_assert_window_end(struct kunit *test, unsigned long addr,
				    unsigned long end, unsigned long window)
{
	KUNIT_ASSERT_TRUE_MSG(test, range_window_end_is_right(addr, end, window),
			      "%#lx-%#lx, window %lu: ends at %#lx", addr, end,
			      window, devpub_range_window_end(addr, end, window));
}

/* All offsets of a page in its window, with ends around the next window border. */
static void range_window_end_aligns(struct kunit *test)
{
	unsigned long window = *(const unsigned long *)test->param_value;
	unsigned long size = window << PAGE_SHIFT;
	unsigned long border = 4 * size, addr;
	int i;

	for (addr = border - size; addr < border; addr += PAGE_SIZE) {
		unsigned long ends[] = {
			addr + PAGE_SIZE, border - PAGE_SIZE, border,
			border + PAGE_SIZE, border + 7 * size,
		};

		for (i = 0; i < ARRAY_SIZE(ends); i++)
			if (ends[i] > addr)
				range_assert_window_end(test, addr, ends[i],
							window);
	}
}

/* Addresses at which the sum of address and window size overflows. */
static void range_window_end_at_top(struct kunit *test)
{
	unsigned long window = *(const unsigned long *)test->param_value;
	unsigned long size = window << PAGE_SHIFT;
	unsigned long end = FROM_TOP(1), addr;

	for (addr = -size; addr < end; addr += PAGE_SIZE) {
		range_assert_window_end(test, addr, addr + PAGE_SIZE, window);
		range_assert_window_end(test, addr, end, window);
	}
	for (addr = 0; addr < size; addr += PAGE_SIZE)
		range_assert_window_end(test, addr, end, window);
}

struct range_walk {
	const char *name;
	u64 start;
	u64 end;
};

static const struct range_walk range_walks[] = {
	{ "one page", PAGES(7), PAGES(8) },
	{ "a window and a bit on either side", PAGES(511), PAGES(1025) },
	{ "from 0", 0, PAGES(100000) },
	{ "odd ends", PAGES(12345), PAGES(543210) },
	{ "aligned ends", PAGES(65536), PAGES(4 * 65536) },
	{ "up to the top", FROM_TOP(200001), FROM_TOP(1) },
};

static void range_walk_desc(const struct range_walk *walk, char *desc)
{
	strscpy(desc, walk->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range_walk, range_walks, range_walk_desc);

/* Windows of each size cover a range without gaps, with the minimum number of windows. */
static void range_windows_cover(struct kunit *test)
{
	const struct range_walk *walk = test->param_value;
	unsigned long first, last, size, addr, next, windows, pages;
	int i;

	for (i = 0; i < ARRAY_SIZE(range_windows); i++) {
		size = range_windows[i] << PAGE_SHIFT;
		windows = 0;
		pages = 0;
		for (addr = walk->start; addr != walk->end; addr = next) {
			next = devpub_range_window_end(addr, walk->end,
						       range_windows[i]);
			KUNIT_ASSERT_GT(test, next, addr);
			KUNIT_ASSERT_LE(test, next, (unsigned long)walk->end);
			pages += devpub_range_pages(addr, next);
			windows++;
		}
		first = walk->start / size;
		last = (walk->end - 1) / size;
		KUNIT_EXPECT_EQ(test, windows, last - first + 1);
		KUNIT_EXPECT_EQ(test, pages, devpub_range_pages(walk->start,
								walk->end));
	}
}

static void range_pages(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, devpub_range_pages(0, 0), 0UL);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(PAGES(5), PAGES(5)), 0UL);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(0, PAGES(1)), 1UL);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(PAGES(5), PAGES(8)), 3UL);
	/* A range of more than 2^32 pages, and the last page of the address space. */
	KUNIT_EXPECT_EQ(test, devpub_range_pages(0, PAGES(1UL << 33)),
			1UL << 33);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(FROM_TOP(3), FROM_TOP(1)), 2UL);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(FROM_TOP(1), 0), 1UL);
	KUNIT_EXPECT_EQ(test, devpub_range_pages(0, FROM_TOP(1)),
			(ULONG_MAX >> PAGE_SHIFT));
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(range_check_test, range_check_gen_params),
	KUNIT_CASE_PARAM(range_window_end_aligns, range_window_gen_params),
	KUNIT_CASE_PARAM(range_window_end_at_top, range_window_gen_params),
	KUNIT_CASE_PARAM(range_windows_cover, range_walk_gen_params),
	KUNIT_CASE(range_pages),
	{}
};

struct kunit_suite devpub_range_suite = {
	.name		= "devpub_range",
	.test_cases	= range_cases,
};
