/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Growing arrays. */
#ifndef DEVPUB_TOOLS_ARRAY_H
#define DEVPUB_TOOLS_ARRAY_H

#include <stddef.h>
#include <devpub_array.h>

/*
 * Make room for one more element of @size bytes after the @n existing ones.  Return the
 * array, which may have moved.  Return NULL if there is not enough memory; the array and @room
 * are unchanged then.
 */
void *array_grow(void *array, size_t *room, size_t n, size_t size);

#endif /* DEVPUB_TOOLS_ARRAY_H */
