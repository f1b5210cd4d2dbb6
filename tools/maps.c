// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "maps.h"
#include "printable.h"

/* For mappings of this size, read smaps to detect that they have no pages. */
#define LARGE	(16ULL << 30)

static enum mapping_kind kind_of(const char *access, uint64_t inode,
				 const char *name)
{
	if (access[3] == 's')
		return MAPPING_SHARED;
	if (inode || name[0] == '/')
		return MAPPING_FILE;
	if (name[0] != '[' || !strcmp(name, "[heap]") ||
	    !strcmp(name, "[stack]") || !strncmp(name, "[anon:", 6))
		return MAPPING_ANON;
	return MAPPING_SPECIAL;
}

bool maps_parse(char *line, struct mapping *mapping)
{
	uint64_t inode;
	int name = 0;

	*mapping = (struct mapping) { 0 };
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64 " %n",
		   &mapping->start, &mapping->end, mapping->access, &inode,
		   &name) != 4 || !name || strlen(mapping->access) != 4)
		return false;
	mapping->name = line + name;
	mapping->kind = kind_of(mapping->access, inode, mapping->name);
	return true;
}

static int add(struct maps *maps, const struct mapping *mapping)
{
	struct mapping *grown;

	grown = array_grow(maps->mapping, &maps->room, maps->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	maps->mapping = grown;
	maps->mapping[maps->n++] = *mapping;
	return 0;
}

/* Read a whole file.  Fail if the process's memory goes away during the read. */
static int read_all(const struct proc *proc, const char *name, char **text)
{
	int fd = proc_file(proc, name), ret;
	char byte;

	*text = NULL;
	if (fd < 0)
		return fd;
	ret = proc_read_fd(fd, text);
	if (ret == -ESRCH)
		ret = proc_gone(proc);
	/* If the memory is gone, reads return 0 bytes. */
	if (!ret && pread(fd, &byte, 1, 0) != 1) {
		free(*text);
		*text = NULL;
		ret = proc_gone(proc);
	}
	close(fd);
	return ret || *text ? ret : -EAGAIN;
}

int maps_read(const struct proc *proc, struct maps *maps)
{
	char *line, *next;
	struct mapping mapping;
	int ret;

	*maps = (struct maps) { 0 };
	ret = read_all(proc, "maps", &maps->text);
	if (ret)
		return ret;
	for (line = maps->text; !ret && *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (maps_parse(line, &mapping))
			ret = add(maps, &mapping);
	}
	if (ret)
		maps_free(maps);
	return ret;
}

void maps_free(struct maps *maps)
{
	free(maps->mapping);
	free(maps->text);
	*maps = (struct maps) { 0 };
}

/* Find an unchanged earlier mapping, from index @at on. */
static struct mapping *same(struct maps *maps, const struct mapping *mapping,
			    size_t *at)
{
	while (*at < maps->n && maps->mapping[*at].start < mapping->start)
		++*at;
	if (*at < maps->n && maps->mapping[*at].start == mapping->start &&
	    maps->mapping[*at].end == mapping->end)
		return &maps->mapping[*at];
	return NULL;
}

/* Parse /proc/PID/smaps, which has a line per mapping, followed by its figures. */
static void mark_untouched(struct maps *maps, char *text)
{
	struct mapping mapping, *found = NULL;
	char *line, *next;
	uint64_t kb;
	size_t at = 0;

	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (sscanf(line, "Rss: %" SCNu64, &kb) == 1 ||
		    sscanf(line, "Swap: %" SCNu64, &kb) == 1) {
			if (found && kb)
				found->untouched = false;
		} else if (maps_parse(line, &mapping)) {
			found = same(maps, &mapping, &at);
			if (found)
				found->untouched = mapping.end - mapping.start >= LARGE;
		}
	}
}

int maps_find_untouched(const struct proc *proc, struct maps *maps)
{
	bool any = false;
	char *text;
	size_t i;
	int ret;

	for (i = 0; i < maps->n; i++)
		any |= maps->mapping[i].end - maps->mapping[i].start >= LARGE;
	if (!any)
		return 0;
	ret = read_all(proc, "smaps", &text);
	if (ret)
		/* Some kernels do not have this file. */
		return ret == -ENOENT ? 0 : ret;
	mark_untouched(maps, text);
	free(text);
	return 0;
}

static bool matches(const char *name, const char *what)
{
	static const char anon[] = "[anon:";
	const char *base = strrchr(name, '/');
	const size_t length = strlen(what);

	if (!strcmp(name, what) || (base && !strcmp(base + 1, what)))
		return true;
	/* "arena" means "[anon:arena]", and "heap" means "[heap]". */
	if (!strncmp(name, anon, strlen(anon)))
		name += strlen(anon);
	else if (*name == '[')
		name++;
	else
		return false;
	return !strncmp(name, what, length) && !strcmp(name + length, "]");
}

bool maps_match(const struct mapping *mapping, const char *what)
{
	char *shown;
	bool match;

	if (!strcmp(what, "anon"))
		return mapping->kind == MAPPING_ANON;
	if (matches(mapping->name, what))
		return true;
	shown = printable_new(mapping->name, PRINTABLE_TERMINAL);
	match = shown && matches(shown, what);
	free(shown);
	return match;
}
