/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_DEVICES_H
#define DEVPUB_DEVICES_H

#include <linux/types.h>

struct devpub_region;

int devpub_devices_create(const struct devpub_region *region,
			  unsigned int window, unsigned int *index);
int devpub_devices_destroy(unsigned int index, u64 *remaining);
void devpub_devices_destroy_all(void);

#endif /* DEVPUB_DEVICES_H */
