// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reasons: the outcomes of a migration for a page. */
#include <linux/build_bug.h>

#include <devpub_reasons.h>

#include "engine/reason.h"
#include "trace.h"

/* Check that the table DEVPUB_REASONS has one row per reason of the ABI, in its order. */
enum reason_rows {
#define REASON_ROW(number, name, text) REASON_ROW_##number,
	DEVPUB_REASONS(REASON_ROW)
#undef REASON_ROW
	REASON_ROWS
};

#define REASON_ROW(number, name, text)						\
	static_assert((int)REASON_ROW_##number == (int)DEVPUB_REASON_##number);
DEVPUB_REASONS(REASON_ROW)
#undef REASON_ROW
static_assert(REASON_ROWS == DEVPUB_NR_REASONS);
static_assert(DEVPUB_TRACE_REASONS == DEVPUB_NR_REASONS);
static_assert(DEVPUB_NR_REASONS < DEVPUB_PAGE_UNDECIDED);

/**
 * devpub_reason_refused() - count the refused pages
 * @counts: numbers of pages by reason
 *
 * Context: any.
 * Return: the number of pages that were refused for any reason.
 */
u64 devpub_reason_refused(const struct devpub_reason_counts *counts)
{
	u64 refused = 0;
	unsigned int i;

	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		refused += counts->n[i];
	return refused;
}
