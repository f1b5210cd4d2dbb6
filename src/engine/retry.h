/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_RETRY_H
#define DEVPUB_RETRY_H

#include <linux/types.h>

struct devpub_migration;

void devpub_retry(struct devpub_migration *m, unsigned long start,
		  unsigned long end, u8 *reasons, unsigned int *retries);

#endif /* DEVPUB_RETRY_H */
