// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "differences.h"
#include "harness.h"

#define MAX_ROWS	64
#define PARTS		3

struct version {
	unsigned int part[PARTS];
	int parts;
};

static struct difference rows[MAX_ROWS];
static unsigned int nr_rows;

/* Parse a version of up to three numbers.  Return the rest of the text. */
static const char *version_read(struct version *version, const char *text)
{
	for (version->parts = 0; version->parts < PARTS; version->parts++) {
		char *end;

		if (*text < '0' || *text > '9')
			break;
		version->part[version->parts] = strtoul(text, &end, 10);
		text = end;
		if (*text == '.')
			text++;
	}
	return text;
}

/* Compare only as many numbers as the bound has. */
static int version_compare(const struct version *version,
			   const struct version *bound)
{
	for (int i = 0; i < bound->parts && i < version->parts; i++)
		if (version->part[i] != bound->part[i])
			return version->part[i] < bound->part[i] ? -1 : 1;
	return 0;
}

/* Return 1 if the version is in the list, 0 if not, -1 if the list is invalid. */
static int version_in(const struct version *version, const char *list)
{
	bool found = false;

	if (!strcmp(list, "*"))
		return 1;
	for (;;) {
		struct version low, high;
		const char *end = version_read(&low, list);

		high = low;
		if (*end == '-')
			end = version_read(&high, end + 1);
		if (end == list || (!low.parts && !high.parts) ||
		    (*end && *end != ','))
			return -1;
		found |= version_compare(version, &low) >= 0 &&
			 version_compare(version, &high) <= 0;
		if (!*end)
			return found;
		list = end + 1;
	}
}

static bool matches_a_case(const char *pattern, const struct test_case *cases)
{
	for (; cases; cases = cases->next)
		if (!fnmatch(pattern, cases->name, 0))
			return true;
	return false;
}

/* Return the error of an invalid line, or NULL. */
static const char *row_read(const char *line, const char *program,
			    const struct version *running,
			    const struct test_case *cases)
{
	const size_t length = strlen(program);
	struct difference *row = &rows[nr_rows];
	char kernels[80], pattern[80], *check;
	int at = 0, in;

	if (line[strspn(line, " \t\n")] == '\0' || *line == '#')
		return NULL;
	if (sscanf(line, "%79s %79s %n", kernels, pattern, &at) < 2 ||
	    !at || !line[at] || line[at] == '\n')
		return "not of the form KERNELS PROGRAM/CASE[:CHECK] REASON";
	in = version_in(running, kernels);
	if (in < 0)
		return "no list of kernels";
	if (strncmp(pattern, program, length) || pattern[length] != '/')
		return NULL;
	check = strchr(pattern, ':');
	if (check)
		*check++ = '\0';
	if (!matches_a_case(pattern + length + 1, cases))
		return "this program has no such case";
	if (nr_rows == MAX_ROWS)
		return "too many rows";
	row->here = in;
	strcpy(row->pattern, pattern + length + 1);
	strcpy(row->check, check ? check : "*");
	snprintf(row->reason, sizeof(row->reason), "%.*s",
		 (int)strcspn(line + at, "\n"), line + at);
	nr_rows++;
	return NULL;
}

void differences_read(const struct test_case *cases)
{
	char path[PATH_MAX], line[512], *program;
	struct version running;
	struct utsname name;
	unsigned int nr = 0;
	const char *wrong;
	ssize_t length;
	FILE *file;

	length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length < 0)
		return;
	path[length] = '\0';
	program = strdup(strrchr(path, '/') + 1);
	strcpy(strrchr(path, '/') + 1, "differences");
	file = fopen(path, "re");
	if (file) {
		uname(&name);
		version_read(&running, name.release);
		while (fgets(line, sizeof(line), file)) {
			nr++;
			wrong = row_read(line, program, &running, cases);
			if (wrong) {
				fprintf(stderr, "%s:%u: %s\n", path, nr, wrong);
				exit(2);
			}
		}
		fclose(file);
	}
	free(program);
}

const struct difference *difference_of(const char *name)
{
	for (unsigned int i = 0; i < nr_rows; i++)
		if (rows[i].here && !fnmatch(rows[i].pattern, name, 0))
			return &rows[i];
	return NULL;
}

bool difference_covers(const struct difference *difference, const char *failure)
{
	return !fnmatch(difference->check, failure, 0);
}
