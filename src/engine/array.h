/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_ARRAY_H
#define DEVPUB_ARRAY_H

#include <linux/types.h>

void *devpub_array_alloc(size_t size);

#endif /* DEVPUB_ARRAY_H */
