/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_REASON_H
#define DEVPUB_REASON_H

#include <linux/devpub.h>

/* Reasons are dense from 0; the last one sizes the arrays. */
#define DEVPUB_NR_REASONS	(DEVPUB_REASON_OTHER_DEVICE + 1)
#define DEVPUB_FIRST_REFUSAL	DEVPUB_REASON_UNMAPPED

#endif /* DEVPUB_REASON_H */
