// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"
#include "text.h"

static enum mapping_kind kind_of(const char *access, unsigned long inode,
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

bool maps_parse(const char *line, struct mapping *mapping)
{
	unsigned long inode;
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %lu %n",
		   &mapping->start, &mapping->end, mapping->access, &inode,
		   &name) != 4 || !name || strlen(mapping->access) != 4)
		return false;
	snprintf(mapping->name, sizeof(mapping->name), "%.*s",
		 (int)strcspn(line + name, "\n"), line + name);
	text_clean(mapping->name);
	mapping->kind = kind_of(mapping->access, inode, mapping->name);
	return true;
}

static int add(struct maps *maps, const struct mapping *mapping)
{
	struct mapping *grown;

	if (maps->n == maps->room) {
		maps->room = maps->room ? 2 * maps->room : 64;
		grown = realloc(maps->mapping, maps->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		maps->mapping = grown;
	}
	maps->mapping[maps->n++] = *mapping;
	return 0;
}

int maps_read(pid_t pid, struct maps *maps)
{
	struct mapping mapping;
	char path[32];
	char *line = NULL;
	size_t size = 0;
	int ret = 0;
	FILE *file;

	*maps = (struct maps) { 0 };
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret && getline(&line, &size, file) > 0)
		if (maps_parse(line, &mapping))
			ret = add(maps, &mapping);
	/* Who ends gives its memory back before it is told as a zombie. */
	if (!ret && (ferror(file) || !maps->n))
		ret = -ESRCH;
	free(line);
	fclose(file);
	if (ret)
		maps_free(maps);
	return ret;
}

void maps_free(struct maps *maps)
{
	free(maps->mapping);
	*maps = (struct maps) { 0 };
}

bool maps_match(const struct mapping *mapping, const char *what)
{
	const char *base = strrchr(mapping->name, '/');
	char bracket[160];

	if (!strcmp(what, "anon"))
		return mapping->kind == MAPPING_ANON;
	if (!strcmp(mapping->name, what) || (base && !strcmp(base + 1, what)))
		return true;
	/* "heap" is "[heap]", and "arena" "[anon:arena]" */
	snprintf(bracket, sizeof(bracket), "[%.100s]", what);
	if (!strcmp(mapping->name, bracket))
		return true;
	snprintf(bracket, sizeof(bracket), "[anon:%.100s]", what);
	return !strcmp(mapping->name, bracket);
}
