/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_REASON_H
#define DEVPUB_REASON_H

#include <linux/build_bug.h>

#include <linux/devpub.h>

/*
 * Reasons are dense from 0; the last one sizes the arrays.  A plain number, for what
 * reads the format of a trace event can't work an expression out.
 */
#define DEVPUB_NR_REASONS	18
static_assert(DEVPUB_NR_REASONS - 1 == DEVPUB_REASON_OTHER_DEVICE);

#define DEVPUB_FIRST_REFUSAL	DEVPUB_REASON_UNMAPPED

#endif /* DEVPUB_REASON_H */
