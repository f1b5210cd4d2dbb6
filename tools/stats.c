// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl stats: prints the counters of devices, since their creation or over time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "commands.h"
#include "devices.h"
#include "table.h"
#include "text.h"

enum { NAME, USED, TO, FROM, POPULATED, EVICTED, REFUSED, REASONS };

/* The reason of the first column of reasons. */
#define FIRST		DEVPUB_REASON_UNMAPPED
#define NR_COLUMNS	(REASONS + DEVPUB_REASONS_MAX - FIRST)
#define WATCH_WIDTH	10

struct watch {
	const char *device;
	unsigned int seconds;	/* 0: once */
	uint64_t count;		/* 0: no limit */
};

/*
 * A single table for people has only columns for reasons that occurred.  JSON, and tables
 * that are printed again and again, always have the same columns.
 */
static size_t make_columns(const struct devices *devices, bool all,
			   unsigned int width, struct column *columns,
			   char (*names)[32])
{
	static const char *const fixed[] = {
		"NAME", "USED", "TO", "FROM", "POPULATED", "EVICTED", "REFUSED"
	};
	size_t i, n, r;

	for (n = 0; n < ARRAY_SIZE(fixed); n++) {
		columns[n] = (struct column) {
			.name = fixed[n], .kind = COLUMN_NUMBER, .width = width,
		};
	}
	columns[NAME].kind = COLUMN_TEXT;
	columns[USED].kind = COLUMN_SIZE;
	for (r = FIRST; r < DEVPUB_REASONS_MAX; r++) {
		bool seen = all;
		char *c;

		if (!strcmp(devpub_reason_name(r), "unknown"))
			break;
		for (i = 0; i < devices->n; i++)
			seen |= devices->device[i].stats.refused[r] > 0;
		snprintf(names[n], sizeof(names[n]), "%s", devpub_reason_name(r));
		for (c = names[n]; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c -= 'a' - 'A';
		columns[n] = (struct column) {
			.name = names[n], .kind = COLUMN_NUMBER,
			.json_only = !seen,
		};
		n++;
	}
	return n;
}

/* Subtract the counters of @old, if it is the same device. */
static struct devpub_stats since(const struct devpub_stats *now,
				 const struct devpub_stats *old)
{
	struct devpub_stats stats = *now;
	unsigned int i;

	/* The counters of a new device started at 0. */
	if (!old || now->migrated_to < old->migrated_to ||
	    now->migrated_from < old->migrated_from)
		return stats;
	stats.migrated_to -= old->migrated_to;
	stats.migrated_from -= old->migrated_from;
	stats.populated -= old->populated;
	stats.evicted -= old->evicted;
	for (i = 0; i < DEVPUB_REASONS_MAX; i++)
		stats.refused[i] -= old->refused[i];
	return stats;
}

static void add(struct table *table, const struct device *device,
		const struct device *old, size_t columns)
{
	const struct devpub_stats stats =
		since(&device->stats, old ? &old->stats : NULL);
	uint64_t refused = 0;
	char name[32];
	size_t i;

	for (i = FIRST; i < DEVPUB_REASONS_MAX; i++)
		refused += stats.refused[i];
	snprintf(name, sizeof(name), "devpub%u", device->index);
	table_row(table);
	table_text(table, NAME, name);
	table_number(table, USED, stats.capacity - stats.free);
	table_number(table, TO, stats.migrated_to);
	table_number(table, FROM, stats.migrated_from);
	table_number(table, POPULATED, stats.populated);
	table_number(table, EVICTED, stats.evicted);
	table_number(table, REFUSED, refused);
	for (i = REASONS; i < columns; i++)
		table_number(table, i, stats.refused[FIRST + i - REASONS]);
}

static const struct device *find(const struct devices *devices,
				 unsigned int index)
{
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (devices->device[i].index == index)
			return &devices->device[i];
	return NULL;
}

static void print(const struct devices *now, const struct devices *old,
		  bool watching, bool headings)
{
	static char names[NR_COLUMNS][32];
	struct column columns[NR_COLUMNS];
	struct table *table;
	size_t i, n;

	n = make_columns(now, ctl_json, watching ? WATCH_WIDTH : 0, columns,
			 names);
	/* Print all columns, so that new reasons do not shift them. */
	if (watching && !ctl_json)
		n = REASONS;
	table = table_new("stats", columns, n);
	if (!headings)
		table_plain(table);
	for (i = 0; i < now->n; i++)
		add(table, &now->device[i],
		    find(old, now->device[i].index), n);
	table_print(table);
	table_free(table);
}

static int show(const struct watch *watch)
{
	static struct devices now, old;
	uint64_t shown = 0;
	int status;

	for (;;) {
		status = devices_get_named(&now, watch->device);
		if (status)
			break;
		print(&now, &old, watch->seconds, ctl_json || !(shown % 20));
		if (!watch->seconds || ++shown == watch->count)
			break;
		/* The reader has closed the output. */
		if (fflush(stdout))
			break;
		/* Close the devices, because an open device prevents the module from being unloaded. */
		devices_close(&now);
		old = now;
		sleep(watch->seconds);
	}
	devices_put(&now);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "watch", optional_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	struct watch watch = { 0 };
	uint64_t number = 1;
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "w::c:", options, NULL)) != -1) {
		switch (option) {
		case 'w':
			if (optarg && (!text_parse_number(optarg, 86400, &number) || !number))
				return ctl_usage(&command_stats, "--watch=%s: write whole seconds, 1 to 86400",
						 optarg);
			watch.seconds = number;
			break;
		case 'c':
			if (!text_parse_number(optarg, UINT32_MAX, &watch.count) || !watch.count)
				return ctl_usage(&command_stats, "--count %s: write a number from 1 on",
						 optarg);
			break;
		default:
			status = ctl_option(&command_stats, option);
			if (status >= 0)
				return status;
		}
	}
	if (watch.count && !watch.seconds)
		return ctl_usage(&command_stats, "--count goes with --watch");
	if (optind + 1 < argc)
		return ctl_usage(&command_stats, "give one device, or none for all");
	watch.device = argv[optind];
	return show(&watch);
}

const struct command command_stats = {
	.name = "stats",
	.summary = "Prints counts of pages that moved to devices, moved back, and were refused",
	.usage = "[OPTION...] [devpubN]",
	.help =
	"TO, FROM, POPULATED, EVICTED and REFUSED count pages since the device was created.\n"
	"The columns after them count the refused pages by reason.\n\n"
	"  -w, --watch[=SECS]  repeat, and count since the previous table\n"
	"  -c, --count NUMBER  with --watch: end after this number of tables\n"
	CTL_HELP_COMMON,
	.run = run,
};
