/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays that grow. */
#ifndef DEVPUB_TOOLS_ARRAY_H
#define DEVPUB_TOOLS_ARRAY_H

#include <stddef.h>
#include <devpub_array.h>

/*
 * Have room for one more element of @size bytes behind the @n that there are.  Returns the
 * array, which may have moved; NULL when memory is out, and then it and @room are as they
 * were.
 */
void *array_grow(void *array, size_t *room, size_t n, size_t size);

#endif /* DEVPUB_TOOLS_ARRAY_H */
