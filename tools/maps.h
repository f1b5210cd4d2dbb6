/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The mappings of a process, from /proc/PID/maps. */
#ifndef DEVPUB_TOOLS_MAPS_H
#define DEVPUB_TOOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc.h"

enum mapping_kind {
	MAPPING_ANON,		/* private and anonymous, including heap and stacks */
	MAPPING_FILE,		/* private mapping of a file */
	MAPPING_SHARED,
	MAPPING_SPECIAL,	/* vdso and similar mappings */
};

/**
 * struct mapping - a mapping
 * @start:	address of the first byte
 * @end:	address after the last byte
 * @access:	permissions, such as "rw-p"
 * @kind:	its kind
 * @untouched:	it has no pages; set only for large mappings, whose lookup takes long
 * @name:	its name with any bytes, or ""; points into struct maps
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	char access[5];
	enum mapping_kind kind;
	bool untouched;
	const char *name;
};

/**
 * struct maps - all mappings of a process
 * @mapping:	the mappings in the order of their addresses
 * @n:		number of mappings
 * @room:	allocated entries of @mapping
 * @text:	content of the file, which the names point into
 */
struct maps {
	struct mapping *mapping;
	size_t n;
	size_t room;
	char *text;
};

/* Parse a line of the file, and replace its newline.  Return false if it is not valid. */
bool maps_parse(char *line, struct mapping *mapping);

/*
 * Read the mappings.  Return 0 or -errno: -ESRCH if the process has ended, -EAGAIN if it
 * executes another program meanwhile.
 */
int maps_read(const struct proc *proc, struct maps *maps);
void maps_free(struct maps *maps);

/* Mark large mappings without pages.  Return as maps_read(). */
int maps_find_untouched(const struct proc *proc, struct maps *maps);

/*
 * Return true if --vma @what means this mapping: "heap", "stack", "anon" (all anonymous
 * mappings), or a name: the last component of a path, a whole path, or a name given by
 * prctl(2).  The name may be raw, or contain escapes as printed.
 */
bool maps_match(const struct mapping *mapping, const char *what);

#endif /* DEVPUB_TOOLS_MAPS_H */
