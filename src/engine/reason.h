/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_REASON_H
#define DEVPUB_REASON_H

#include <linux/types.h>

#include <linux/devpub.h>

/*
 * The number of reasons, which are numbered from 0 without gaps; arrays have this size.
 * reason.c compares it with the reasons of the ABI.
 */
#define DEVPUB_NR_REASONS	18

#define DEVPUB_FIRST_REFUSAL	DEVPUB_REASON_UNMAPPED

/*
 * The states of a page before it has an enum devpub_reason.  A transfer replaces each of
 * them by a reason in the end, except with @unclassified of struct devpub_transfer_spec.
 */
enum devpub_page_state {
	/* The page has no reason yet, and the kernel has not collected it. */
	DEVPUB_PAGE_UNDECIDED	= 0xfe,
	/* The kernel has collected the page, and it is to move. */
	DEVPUB_PAGE_SELECTED	= 0xff,
};

/**
 * struct devpub_reason_counts - numbers of pages by reason
 * @n:	numbers, indexed by enum devpub_reason
 */
struct devpub_reason_counts {
	u64 n[DEVPUB_NR_REASONS];
};

u64 devpub_reason_refused(const struct devpub_reason_counts *counts);

#endif /* DEVPUB_REASON_H */
