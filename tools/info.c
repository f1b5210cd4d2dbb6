// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl info: prints all properties of a device. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "array.h"
#include "commands.h"
#include "devices.h"
#include "table.h"
#include "text.h"

enum {
	NAME, PATH, SIZE, USED, FREE, PROVIDER, NODE, START, END, PAGE_SIZE,
	WINDOW, USABLE
};

static const struct column columns[] = {
	[NAME] = { .name = "NAME" },
	[PATH] = { .name = "PATH" },
	[SIZE] = { .name = "SIZE", .kind = COLUMN_SIZE },
	[USED] = { .name = "USED", .kind = COLUMN_SIZE },
	[FREE] = { .name = "FREE", .kind = COLUMN_SIZE },
	[PROVIDER] = { .name = "PROVIDER" },
	[NODE] = { .name = "NODE", .kind = COLUMN_NUMBER },
	[START] = { .name = "START" },
	[END] = { .name = "END" },
	[PAGE_SIZE] = { .name = "PAGE_SIZE", .kind = COLUMN_SIZE },
	[WINDOW] = { .name = "WINDOW", .kind = COLUMN_NUMBER },
	[USABLE] = { .name = "USABLE", .kind = COLUMN_BOOL },
};

static void table_address(struct table *table, size_t column, uint64_t addr)
{
	char text[24];

	snprintf(text, sizeof(text), "%#" PRIx64, addr);
	table_text(table, column, text);
}

static void add(struct table *table, const struct device *device)
{
	const struct devpub_stats *stats = &device->stats;
	const struct devpub_info *info = &device->info;
	char name[32], path[32];

	snprintf(name, sizeof(name), "devpub%u", device->index);
	snprintf(path, sizeof(path), "/dev/devpub%u", device->index);
	table_row(table);
	table_text(table, NAME, name);
	table_text(table, PATH, path);
	table_number(table, SIZE, stats->capacity);
	table_number(table, USED, stats->capacity - stats->free);
	table_number(table, FREE, stats->free);
	table_text(table, PROVIDER, devpub_provider_name(stats->provider));
	table_signed(table, NODE, stats->node);
	if (info->phys_start) {
		table_address(table, START, info->phys_start);
		table_address(table, END, info->phys_start + info->capacity - 1);
	}
	if (device->dev) {
		table_number(table, PAGE_SIZE, info->page_size);
		table_number(table, WINDOW, info->window);
	}
	table_number(table, USABLE, !!device->dev);
}

/* Print the properties for people, one per line. */
static void print(const struct device *device)
{
	const struct devpub_stats *stats = &device->stats;
	const struct devpub_info *info = &device->info;
	char a[TEXT_SIZE], b[TEXT_SIZE];

	printf("devpub%u\n", device->index);
	printf("  size:       %s, of which %s are free\n",
	       text_size(a, stats->capacity), text_size(b, stats->free));
	printf("  provider:   %s\n", devpub_provider_name(stats->provider));
	if (stats->node >= 0)
		printf("  node:       %d\n", stats->node);
	else
		printf("  node:       none known\n");
	if (info->phys_start)
		printf("  range:      [mem %#" PRIx64 "-%#" PRIx64 "]\n",
		       (uint64_t)info->phys_start,
		       (uint64_t)(info->phys_start + info->capacity - 1));
	else
		printf("  range:      hidden without CAP_SYS_ADMIN\n");
	if (device->dev) {
		printf("  pages:      of %s, %u at a time\n",
		       text_size(a, info->page_size), info->window);
		printf("  file:       /dev/devpub%u, which you may use\n",
		       device->index);
	} else {
		printf("  file:       /dev/devpub%u, which you may not open\n",
		       device->index);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ NULL, 0, NULL, 0 }
	};
	static struct devices devices;
	struct table *table;
	int option, status;
	size_t i;

	while ((option = getopt_long(argc, argv, CTL_LETTERS, options, NULL)) != -1) {
		status = ctl_option(&command_info, option);
		if (status >= 0)
			return status;
	}
	if (optind + 1 < argc)
		return ctl_usage(&command_info, "give one device, or none for all");
	status = devices_get_named(&devices, argv[optind]);
	if (status)
		return status;
	if (ctl_json) {
		table = table_new("devices", columns, ARRAY_SIZE(columns));
		for (i = 0; i < devices.n; i++)
			add(table, &devices.device[i]);
		table_print(table);
		table_free(table);
	} else {
		if (!devices.n)
			ctl_warn(DEVICES_NONE);
		for (i = 0; i < devices.n; i++)
			print(&devices.device[i]);
	}
	devices_put(&devices);
	return CTL_OK;
}

const struct command command_info = {
	.name = "info",
	.summary = "Prints all properties of a device, or of all devices",
	.usage = "[OPTION...] [devpubN]",
	.help = CTL_HELP_COMMON,
	.run = run,
};
