/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_RETRY_H
#define DEVPUB_RETRY_H

#include <linux/types.h>

struct devpub_transfer;

void devpub_retry(struct devpub_transfer *transfer, unsigned long start,
		  unsigned long end, u8 *reasons, unsigned int *retries);

#endif /* DEVPUB_RETRY_H */
