// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl list: prints one line per device. */
#include <stdio.h>

#include "array.h"
#include "commands.h"
#include "devices.h"
#include "table.h"

enum { NAME, SIZE, USED, FREE, USE, NODE, PROVIDER };

static const struct column columns[] = {
	[NAME] = { .name = "NAME" },
	[SIZE] = { .name = "SIZE", .kind = COLUMN_SIZE },
	[USED] = { .name = "USED", .kind = COLUMN_SIZE },
	[FREE] = { .name = "FREE", .kind = COLUMN_SIZE },
	[USE] = { .name = "USE%", .kind = COLUMN_NUMBER },
	[NODE] = { .name = "NODE", .kind = COLUMN_NUMBER },
	[PROVIDER] = { .name = "PROVIDER" },
};

static void add(struct table *table, const struct device *device)
{
	const struct devpub_stats *stats = &device->stats;
	char name[32];

	snprintf(name, sizeof(name), "devpub%u", device->index);
	table_row(table);
	table_text(table, NAME, name);
	table_number(table, SIZE, stats->capacity);
	table_number(table, USED, stats->capacity - stats->free);
	table_number(table, FREE, stats->free);
	table_number(table, USE, stats->capacity ? 100 *
		     (stats->capacity - stats->free) / stats->capacity : 0);
	table_signed(table, NODE, stats->node);
	table_text(table, PROVIDER, devpub_provider_name(stats->provider));
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
		status = ctl_option(&command_list, option);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return ctl_usage(&command_list, "unexpected argument '%s'", argv[optind]);
	status = devices_get(&devices);
	if (status)
		return status;
	if (!devices.n && !ctl_json)
		ctl_warn(DEVICES_NONE);
	table = table_new("devices", columns, ARRAY_SIZE(columns));
	for (i = 0; i < devices.n; i++)
		add(table, &devices.device[i]);
	table_print(table);
	table_free(table);
	devices_put(&devices);
	return CTL_OK;
}

const struct command command_list = {
	.name = "list",
	.summary = "Lists the devices",
	.usage = "[OPTION...]",
	.help = CTL_HELP_COMMON,
	.run = run,
};
