// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl locations: shows the locations of a process's pages as a table and a picture. */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "maps.h"
#include "pages.h"
#include "picture.h"
#include "printable.h"
#include "progress.h"
#include "table.h"
#include "target.h"
#include "term.h"
#include "text.h"

#define MAP_ROWS	20
#define LABEL_WIDTH	22
#define MARGIN		(LABEL_WIDTH + 8)

enum { START, END, ACCESS, SIZE, SYSTEM, SWAPPED, OTHER, DEVICES, FIXED };

/* A mapping and the locations of its pages. */
struct tenant {
	struct mapping mapping;
	struct runs runs;
	uint64_t pages[LOCATIONS_MAX];
	bool out_of_memory;
};

struct locations {
	const struct devices *devices;
	struct maps maps;
	struct tenant *tenant;
	size_t n;
	bool all;	/* also list mappings that have no pages */
	bool map;
	uint64_t page_size;
};

static void count(void *arg, unsigned int location, uint64_t pages)
{
	struct tenant *tenant = arg;

	tenant->pages[location] += pages;
	if (!runs_add(&tenant->runs, location, pages))
		tenant->out_of_memory = true;
}

static void free_tenants(struct locations *locations)
{
	size_t i;

	for (i = 0; i < locations->n; i++)
		runs_free(&locations->tenant[i].runs);
	free(locations->tenant);
	locations->tenant = NULL;
	locations->n = 0;
	maps_free(&locations->maps);
}

static int look_at_mapping(struct tenant *tenant, struct pages *pages)
{
	uint64_t at = tenant->mapping.start, from;
	int ret = 0;

	/* The vsyscall page is above the addresses that the kernel accepts. */
	if (at >> 63)
		return 0;
	while (at < tenant->mapping.end && !ret) {
		from = at;
		ret = pages_look(pages, &tenant->mapping, &at, count, tenant);
		if (tenant->out_of_memory)
			ret = -ENOMEM;
		progress_add(at - from);
	}
	return ret;
}

static int look_at_memory(struct locations *locations, struct pages *pages)
{
	const struct maps *maps = &locations->maps;
	size_t i;
	int ret = 0;

	locations->tenant = calloc(maps->n + 1, sizeof(*locations->tenant));
	if (!locations->tenant)
		return -ENOMEM;
	for (i = 0; i < maps->n && !ret; i++) {
		struct tenant *tenant = &locations->tenant[locations->n++];

		tenant->mapping = maps->mapping[i];
		ret = look_at_mapping(tenant, pages);
	}
	/* Check that the mappings and the pages belong to the same program. */
	return ret ? ret : pages_check(pages);
}

static int look(struct locations *locations, const struct target *target)
{
	struct pages *pages;
	uint64_t total = 0;
	char what[96];
	size_t i;
	int ret;

	ret = pages_open(&target->proc, target->process, locations->devices, &pages);
	if (ret)
		return ret;
	ret = pages_maps(pages, &locations->maps);
	if (!ret) {
		for (i = 0; i < locations->maps.n; i++)
			total += locations->maps.mapping[i].end -
				 locations->maps.mapping[i].start;
		snprintf(what, sizeof(what), "looking at %s", target->name);
		progress_begin(what, total);
		ret = look_at_memory(locations, pages);
		progress_end();
	}
	pages_close(pages);
	if (ret)
		free_tenants(locations);
	return ret;
}

static size_t make_columns(const struct locations *locations, uint64_t swapped,
			   uint64_t other, struct column *columns,
			   char (*names)[32])
{
	static const struct column fixed[] = {
		[START] = { .name = "START" },
		[END] = { .name = "END", .json_only = true },
		[ACCESS] = { .name = "ACCESS" },
		[SIZE] = { .name = "SIZE", .kind = COLUMN_SIZE },
		[SYSTEM] = { .name = "SYSTEM", .kind = COLUMN_SIZE },
		[SWAPPED] = { .name = "SWAPPED", .kind = COLUMN_SIZE },
		[OTHER] = { .name = "OTHER", .kind = COLUMN_SIZE },
	};
	size_t i, n;

	memcpy(columns, fixed, sizeof(fixed));
	columns[SWAPPED].json_only = !swapped;
	columns[OTHER].json_only = !other;
	n = DEVICES;
	for (i = 0; i < locations->devices->n; i++) {
		snprintf(names[i], sizeof(names[i]), "DEVPUB%u",
			 locations->devices->device[i].index);
		columns[n++] = (struct column) {
			.name = names[i], .kind = COLUMN_SIZE,
		};
	}
	columns[n++] = (struct column) { .name = "MAPPING", .cut = true };
	return n;
}

static void add_row(struct table *table, const struct locations *locations,
		    const struct mapping *mapping, const uint64_t *pages)
{
	const uint64_t page_size = locations->page_size;
	const size_t nr_devices = locations->devices->n;
	char text[32];
	size_t i;

	table_row(table);
	if (mapping->end) {
		snprintf(text, sizeof(text), "%" PRIx64, mapping->start);
		table_text(table, START, text);
		snprintf(text, sizeof(text), "%" PRIx64, mapping->end);
		table_text(table, END, text);
		table_text(table, ACCESS, mapping->access);
		table_number(table, SIZE, mapping->end - mapping->start);
	}
	table_number(table, SYSTEM, pages[LOCATION_SYSTEM] * page_size);
	table_number(table, SWAPPED, pages[LOCATION_SWAPPED] * page_size);
	table_number(table, OTHER, pages[LOCATION_OTHER] * page_size);
	for (i = 0; i < nr_devices; i++)
		table_number(table, DEVICES + i,
			     pages[LOCATION_DEVICE + i] * page_size);
	table_text(table, DEVICES + nr_devices, mapping->name);
}

static void print_table(const struct locations *locations)
{
	static char names[DEVICES_MAX][32];
	struct column columns[DEVICES + DEVICES_MAX + 1];
	struct mapping total = { .name = "total" };
	uint64_t sum[LOCATIONS_MAX] = { 0 };
	struct table *table;
	size_t i, j, n;

	for (i = 0; i < locations->n; i++)
		for (j = 0; j < LOCATIONS_MAX; j++)
			sum[j] += locations->tenant[i].pages[j];
	n = make_columns(locations, sum[LOCATION_SWAPPED], sum[LOCATION_OTHER],
			 columns, names);
	table = table_new("locations", columns, n);
	for (i = 0; i < locations->n; i++) {
		const struct tenant *tenant = &locations->tenant[i];

		if (locations->all || ctl_json || runs_any(&tenant->runs))
			add_row(table, locations, &tenant->mapping, tenant->pages);
	}
	/* Readers of JSON can compute the total. */
	if (!ctl_json)
		add_row(table, locations, &total, sum);
	table_print(table);
	table_free(table);
}

static unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	unsigned int width, height;
	uint64_t number;

	if (columns && text_parse_number(columns, 1000, &number) && number)
		return number;
	term_size(&height, &width);
	return width;
}

/* A row of the picture: adjacent mappings with the same name, such as those of a library. */
struct row {
	const char *name;
	uint64_t pages;
	struct runs runs;
};

static const char *label(const struct mapping *mapping)
{
	const char *base = strrchr(mapping->name, '/');

	if (!*mapping->name)
		return mapping->kind == MAPPING_ANON ? "anonymous" : "";
	return base ? base + 1 : mapping->name;
}

/* Return NULL if there is not enough memory. */
static struct row *make_rows(const struct locations *locations, size_t *n)
{
	struct row *rows = calloc(locations->n + 1, sizeof(*rows)), *row = NULL;
	size_t i, j;

	*n = 0;
	for (i = 0; rows && i < locations->n; i++) {
		const struct tenant *tenant = &locations->tenant[i];
		const char *name = label(&tenant->mapping);

		if (!runs_any(&tenant->runs))
			continue;
		if (!row || !tenant->mapping.name[0] || strcmp(row->name, name))
			row = &rows[(*n)++];
		row->name = name;
		for (j = 0; j < tenant->runs.n; j++) {
			const struct run *run = &tenant->runs.run[j];

			/* Ignore failures: they only make the picture incomplete. */
			runs_add(&row->runs, run->location, run->pages);
			if (run->location != LOCATION_ABSENT)
				row->pages += run->pages;
		}
	}
	return rows;
}

static unsigned int count_lines(const struct row *rows, size_t n,
				const struct style *style)
{
	unsigned int lines = 0;
	size_t i;

	for (i = 0; i < n; i++)
		lines += picture_draw(NULL, &rows[i].runs, style, "");
	return lines;
}

static void print_label(const struct row *row, uint64_t page_size)
{
	char size[TEXT_SIZE];

	/* Show the end of a long name, which is more specific than its beginning. */
	printable_end(stdout, row->name, LABEL_WIDTH - 1);
	printf(" %7s ", text_size(size, row->pages * page_size));
}

static void print_map(const struct locations *locations)
{
	const unsigned int width = terminal_width();
	struct style style = {
		.columns = width > MARGIN + 24 ? width - MARGIN : 24,
		.scale = 1,
		.page_size = locations->page_size,
		.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	char margin[MARGIN + 1];
	struct row *rows;
	size_t i, n;

	rows = make_rows(locations, &n);
	if (!rows)
		return;
	while (count_lines(rows, n, &style) > (n > MAP_ROWS ? n : MAP_ROWS))
		style.scale *= 2;
	snprintf(margin, sizeof(margin), "%*s", MARGIN, "");
	putchar('\n');
	for (i = 0; i < n; i++) {
		print_label(&rows[i], locations->page_size);
		picture_draw(stdout, &rows[i].runs, &style, margin);
		runs_free(&rows[i].runs);
	}
	free(rows);
	putchar('\n');
	picture_legend(stdout, &style);
}

static int show(struct locations *locations, const char *pid)
{
	struct target target;
	unsigned int tries = 0;
	int ret;

	ret = target_open(pid, &target);
	if (ret)
		return ret;
	do {
		ret = look(locations, &target);
	} while (ret == -EAGAIN && target_pause(&tries));
	if (ret) {
		ret = target_error(ret, &target);
	} else {
		print_table(locations);
		if (locations->map && !ctl_json)
			print_map(locations);
	}
	free_tenants(locations);
	target_close(&target);
	return ret;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "pid", required_argument, NULL, 'p' },
		{ "all", no_argument, NULL, 'a' },
		{ "no-map", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 }
	};
	static struct devices devices;
	struct locations locations = {
		.devices = &devices,
		.map = true,
		.page_size = sysconf(_SC_PAGESIZE),
	};
	const char *pid = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "p:an", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			pid = optarg;
			break;
		case 'a':
			locations.all = true;
			break;
		case 'n':
			locations.map = false;
			break;
		default:
			status = ctl_option(&command_locations, option);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return ctl_usage(&command_locations, "unexpected argument '%s'", argv[optind]);
	if (!pid)
		return ctl_usage(&command_locations, "give a process: --pid PID");
	status = devices_get(&devices);
	if (status)
		return status;
	status = show(&locations, pid);
	devices_put(&devices);
	return status;
}

const struct command command_locations = {
	.name = "locations",
	.summary = "Shows the locations of the pages of a running program",
	.usage = "[OPTION...] --pid PID",
	.help =
	"  -p, --pid PID       show the memory of this process\n"
	"  -a, --all           also list mappings that have no pages\n"
	"  -n, --no-map        print only the table, no picture\n"
	CTL_HELP_COMMON,
	.run = run,
};
