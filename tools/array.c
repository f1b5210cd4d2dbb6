// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <stdlib.h>

#include "array.h"

void *array_grow(void *array, size_t *room, size_t n, size_t size)
{
	const size_t wanted = 2 * *room + 16;
	void *grown;

	if (array && n < *room)
		return array;
	grown = realloc(array, wanted * size);
	if (grown)
		*room = wanted;
	return grown;
}
