/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_REASON_H
#define DEVPUB_REASON_H

#include <linux/types.h>

#include <linux/devpub.h>

/*
 * Reasons are dense from 0, and the last one sizes the arrays.  A plain number, since
 * readers of a trace event's format can't evaluate an expression; reason.c compares it.
 */
#define DEVPUB_NR_REASONS	18

#define DEVPUB_FIRST_REFUSAL	DEVPUB_REASON_UNMAPPED

/*
 * The states of a page before it has an enum devpub_reason.  A transfer hands none of them
 * out, but for pages that it was told not to classify.
 */
enum devpub_page_state {
	/* The kernel has not collected it, and nobody knows why yet. */
	DEVPUB_PAGE_UNDECIDED	= 0xfe,
	/* The kernel has collected it, and it shall move. */
	DEVPUB_PAGE_SELECTED	= 0xff,
};

/**
 * struct devpub_reason_counts - pages by what became of them
 * @n:	by enum devpub_reason
 */
struct devpub_reason_counts {
	u64 n[DEVPUB_NR_REASONS];
};

u64 devpub_reason_refused(const struct devpub_reason_counts *counts);

#endif /* DEVPUB_REASON_H */
