/* SPDX-License-Identifier: GPL-2.0 */
/* The mappings of a process, by /proc/PID/maps. */
#ifndef DEVPUB_TOOLS_MAPS_H
#define DEVPUB_TOOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc.h"

enum mapping_kind {
	MAPPING_ANON,		/* private and anonymous, heap and stacks too */
	MAPPING_FILE,		/* a file's, privately mapped */
	MAPPING_SHARED,
	MAPPING_SPECIAL,	/* vdso and the like */
};

/**
 * struct mapping - a mapping
 * @start:	its first byte
 * @end:	the byte behind its last
 * @access:	"rw-p"
 * @kind:	what it maps
 * @untouched:	nothing is there: told of large ones where looking takes long
 * @name:	with whatever is in it; "" where it has none.  Of struct maps
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
 * struct maps - all of a process
 * @mapping:	in the order of their addresses
 * @n:		their number
 * @room:	of @mapping
 * @text:	the file, whose names they have
 */
struct maps {
	struct mapping *mapping;
	size_t n;
	size_t room;
	char *text;
};

/* Parse a line of the file, whose end it loses.  False if it is none. */
bool maps_parse(char *line, struct mapping *mapping);

/*
 * 0 or -errno: -ESRCH for a process that has ended, -EAGAIN for one that runs another
 * program meanwhile.
 */
int maps_read(const struct proc *proc, struct maps *maps);
void maps_free(struct maps *maps);

/* Finds large mappings that nothing is in.  0 or -errno as maps_read(). */
int maps_find_untouched(const struct proc *proc, struct maps *maps);

/*
 * Does --vma @what mean this mapping: "heap", "stack", "anon" (all of its kind),
 * or a name: the last part of a path, a whole path, or what prctl(2) named it?  As it
 * is, or as it is shown.
 */
bool maps_match(const struct mapping *mapping, const char *what);

#endif /* DEVPUB_TOOLS_MAPS_H */
