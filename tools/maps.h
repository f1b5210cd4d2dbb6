/* SPDX-License-Identifier: GPL-2.0 */
/* The mappings of a process, by /proc/PID/maps. */
#ifndef DEVPUB_TOOLS_MAPS_H
#define DEVPUB_TOOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mapping_kind {
	MAPPING_ANON,		/* private and anonymous, heap and stacks too */
	MAPPING_FILE,		/* a file's, privately mapped */
	MAPPING_SHARED,
	MAPPING_SPECIAL,	/* vdso and the like */
};

struct mapping {
	uint64_t start;
	uint64_t end;
	char access[5];		/* "rw-p" */
	enum mapping_kind kind;
	char name[128];		/* "" where it has none; no control characters */
};

struct maps {
	struct mapping *mapping;
	size_t n;
	size_t room;
};

/* Parse a line of the file.  False if it is none. */
bool maps_parse(const char *line, struct mapping *mapping);

/* 0 or -errno; -ESRCH for a process that ends meanwhile, or has no memory. */
int maps_read(pid_t pid, struct maps *maps);
void maps_free(struct maps *maps);

/*
 * Does --vma @what mean this mapping: "heap", "stack", "anon" (all of its kind),
 * or a name: the last part of a path, a whole path, or what prctl(2) named it?
 */
bool maps_match(const struct mapping *mapping, const char *what);

#endif /* DEVPUB_TOOLS_MAPS_H */
