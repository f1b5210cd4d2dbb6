// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reads the sysfs attributes of devices; see Documentation/ABI/sysfs-class-devpub. */
#include "internal.h"

#include <devpub_array.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Return N of "devpubN", or -1. */
static int64_t device_number(const char *name)
{
	unsigned int index;
	int end = 0;

	if (sscanf(name, "devpub%u%n", &index, &end) != 1 || name[end])
		return -1;
	return index;
}

static int compare(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

EXPORT
int devpub_list(unsigned int *index, size_t max)
{
	DIR *dir = opendir(CLASS_DIR);
	struct dirent *entry;
	size_t n = 0;
	int64_t number;

	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	while ((entry = readdir(dir))) {
		number = device_number(entry->d_name);
		if (number < 0)
			continue;
		if (n < max)
			index[n] = number;
		n++;
	}
	closedir(dir);
	if (n && max)
		qsort(index, n < max ? n : max, sizeof(*index), compare);
	return n;
}

/* Read the first line of an attribute, without the newline. */
static int read_text(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int read_number(int dir, const char *name, uint64_t *value)
{
	char text[32];
	int ret = read_text(dir, name, text, sizeof(text));

	if (ret)
		return ret;
	return sscanf(text, "%" SCNu64, value) == 1 ? 0 : -EIO;
}

static int read_stats(int dir, struct devpub_stats *stats)
{
	const struct {
		const char *name;
		uint64_t *value;
	} attributes[] = {
		{ "capacity", &stats->capacity },
		{ "free", &stats->free },
		{ "migrated_to", &stats->migrated_to },
		{ "migrated_from", &stats->migrated_from },
		{ "populated", &stats->populated },
		{ "evicted", &stats->evicted },
	};
	char text[32], name[64];
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		ret = read_number(dir, attributes[i].name, attributes[i].value);
		if (ret)
			return ret;
	}
	ret = read_text(dir, "node", text, sizeof(text));
	if (ret)
		return ret;
	stats->node = atoi(text);
	ret = read_text(dir, "provider", text, sizeof(text));
	if (ret)
		return ret;
	for (i = DEVPUB_PROVIDER_CARVE; i <= DEVPUB_PROVIDER_RESERVED; i++)
		if (!strcmp(text, devpub_provider_name(i)))
			stats->provider = i;

	for (i = DEVPUB_REASON_UNMAPPED; i < DEVPUB_REASONS_MAX; i++) {
		if (!strcmp(devpub_reason_name(i), "unknown"))
			break;
		snprintf(name, sizeof(name), "refused/%s",
			 devpub_reason_name(i));
		ret = read_number(dir, name, &stats->refused[i]);
		/* An older module has fewer reasons. */
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

EXPORT
int devpub_stats(unsigned int index, struct devpub_stats *stats)
{
	char path[64];
	int dir, ret;

	*stats = (struct devpub_stats) { .node = -1 };
	snprintf(path, sizeof(path), CLASS_DIR "/devpub%u", index);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	ret = read_stats(dir, stats);
	close(dir);
	/* A removed device loses its attributes before its directory. */
	return ret == -ENOENT ? -ENODEV : ret;
}
