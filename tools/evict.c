// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl evict: moves the pages of all processes off a device, which stays. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "array.h"
#include "commands.h"
#include "devices.h"
#include "progress.h"
#include "table.h"
#include "text.h"

#define EVICT_TRIES	6
#define EVICT_PAUSE_US	20000

static void print(unsigned int index, uint64_t moved, uint64_t remaining,
		  uint64_t page_size)
{
	static const struct column columns[] = {
		{ .name = "NAME" },
		{ .name = "MOVED", .kind = COLUMN_SIZE },
		{ .name = "REMAINING", .kind = COLUMN_SIZE },
	};
	struct table *table = table_new("evicted", columns, ARRAY_SIZE(columns));
	char name[32];

	snprintf(name, sizeof(name), "devpub%u", index);
	table_row(table);
	table_text(table, 0, name);
	table_number(table, 1, moved * page_size);
	table_number(table, 2, remaining * page_size);
	table_print(table);
	table_free(table);
}

static int evict(const char *name)
{
	uint64_t moved = 0, once, remaining = 0;
	struct devpub_info info;
	int try = 0;
	struct devpub *dev;
	unsigned int index;
	char what[32];
	int ret;

	ret = devices_open(name, &dev, &index);
	if (ret)
		return ret;
	snprintf(what, sizeof(what), "emptying devpub%u", index);
	ret = devpub_info(dev, &info);
	if (!ret) {
		progress_begin(what, 0);
		/* Pages that were held for a moment move at the next attempt. */
		do {
			if (try)
				usleep(EVICT_PAUSE_US);
			ret = devpub_evict(dev, &once, &remaining);
			moved += once;
		} while (!ret && remaining && ++try < EVICT_TRIES);
		progress_end();
	}
	devpub_close(dev);
	if (ret)
		return ctl_error(ret, "devpub%u", index);
	print(index, moved, remaining, info.page_size);
	if (remaining)
		return ctl_fail(CTL_PARTLY, "devpub%u: %" PRIu64 " pages are in use and can't move; try again",
				index, remaining);
	return CTL_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ NULL, 0, NULL, 0 }
	};
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS, options, NULL)) != -1) {
		status = ctl_option(&command_evict, option);
		if (status >= 0)
			return status;
	}
	if (optind + 1 != argc)
		return ctl_usage(&command_evict, "name one device");
	return evict(argv[optind]);
}

const struct command command_evict = {
	.name = "evict",
	.summary = "Moves all pages off a device, which stays",
	.usage = "[OPTION...] devpubN",
	.help = CTL_HELP_COMMON,
	.run = run,
};
