// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl create: creates a device from system memory or from reserved memory. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "commands.h"
#include "devices.h"
#include "progress.h"
#include "shell.h"
#include "table.h"
#include "text.h"

struct wanted {
	bool reserved;
	uint64_t start;
	uint64_t size;
	int node;
};

/* The message depends on what the user asked for. */
static int explain(const struct wanted *wanted, int error)
{
	char size[TEXT_SIZE];

	text_size(size, wanted->size);
	switch (error) {
	case -ENOMEM:
	case -EBUSY:
		if (wanted->reserved)
			return ctl_fail(CTL_FAILED, "region %#llx,%s: in use; see: /proc/iomem",
					(unsigned long long)wanted->start, size);
		return ctl_fail(CTL_FAILED, "no %s can be taken out of the system's memory; ask for less, or see: devpubctl doctor",
				size);
	case -EINVAL:
		if (wanted->reserved)
			return ctl_fail(CTL_FAILED, "region %#llx,%s: not usable; see: dmesg, /proc/iomem",
					(unsigned long long)wanted->start, size);
		return ctl_fail(CTL_FAILED, "size %s, node %d: not usable; see: dmesg, /sys/devices/system/node",
				size, wanted->node);
	case -ENOSPC:
		return ctl_fail(CTL_FAILED, "the maximum number of devices exists; see: devpubctl list");
	case -ENODEV:
		return ctl_error(error, "a new device");
	case -EACCES:
	case -EPERM:
		if (wanted->reserved)
			return ctl_fail(CTL_NO_PERMISSION, "region %#llx,%s: not permitted; be root, and where the kernel is locked down (Secure Boot), use --size",
					(unsigned long long)wanted->start, size);
		return ctl_fail(CTL_NO_PERMISSION, "a new device: not permitted; be root");
	case -EOPNOTSUPP:
		return ctl_fail(CTL_UNSUPPORTED, "a new device of %s: the devpub module that is loaded is too old, or a balloon driver of this virtual machine is in the way; see: dmesg",
				size);
	default:
		return ctl_error(error, "a new device of %s", size);
	}
}

static void print(unsigned int index)
{
	static const struct column columns[] = {
		{ .name = "NAME" },
		{ .name = "SIZE", .kind = COLUMN_SIZE },
	};
	struct devpub_stats stats;
	char name[32], size[TEXT_SIZE];
	struct table *table;

	snprintf(name, sizeof(name), "devpub%u", index);
	/* Another process may have destroyed the device already. */
	if (devpub_stats(index, &stats))
		return;
	if (!ctl_json) {
		printf("%s: %s\n", name, text_size(size, stats.capacity));
		return;
	}
	table = table_new("devices", columns, ARRAY_SIZE(columns));
	table_row(table);
	table_text(table, 0, name);
	table_number(table, 1, stats.capacity);
	table_print(table);
	table_free(table);
}

/*
 * To open the control file would load the module as well, but with an unwanted device of
 * the default size.
 */
static int load(void)
{
	static const char control[] = "/dev/devpub-control";
	char line[256], said[256] = "";
	FILE *pipe;

	if (ctl_module_loaded())
		return CTL_OK;
	/* Without permission, the later attempt to open the control file fails with a message. */
	if (!access(control, F_OK) && access(control, R_OK | W_OK))
		return CTL_OK;
	pipe = shell_open("modprobe devpub size=none 2>&1");
	/* The last line is the error; lines before it may concern other modules. */
	while (pipe && fgets(line, sizeof(line), pipe))
		snprintf(said, sizeof(said), "%s", line);
	if (pipe && !shell_close(pipe))
		return CTL_OK;
	said[strcspn(said, "\n")] = '\0';
	return ctl_fail(CTL_NO_DEVICE, "the devpub module is not loaded, and 'modprobe devpub size=none' fails: %s; see: devpubctl doctor",
			*said ? said : "no message");
}

static int create(const struct wanted *wanted)
{
	unsigned int index;
	int ret;

	ret = load();
	if (ret)
		return ret;
	progress_begin("creating a device", 0);
	if (wanted->reserved)
		ret = devpub_create_reserved(wanted->start, wanted->size, &index);
	else
		ret = devpub_create_carved(wanted->size, wanted->node, &index);
	progress_end();
	if (ret)
		return explain(wanted, ret);
	print(index);
	return CTL_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "size", required_argument, NULL, 's' },
		{ "node", required_argument, NULL, 'n' },
		{ "region", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	struct wanted wanted = { .node = -1 };
	bool carved = false;
	int option, status;
	const char *rest;
	uint64_t node;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "s:n:r:", options, NULL)) != -1) {
		switch (option) {
		case 's':
			carved = true;
			if (!text_parse_size(optarg, "", NULL, &wanted.size) || !wanted.size)
				return ctl_usage(&command_create, "--size %s: write a size, for example 256M or 1G",
						 optarg);
			break;
		case 'n':
			if (!text_parse_number(optarg, INT_MAX, &node))
				return ctl_usage(&command_create, "--node %s: write the number of a NUMA node",
						 optarg);
			wanted.node = node;
			break;
		case 'r':
			wanted.reserved = true;
			if (!text_parse_size(optarg, ",", &rest, &wanted.start) || *rest != ',' ||
			    !text_parse_size(rest + 1, "", NULL, &wanted.size) || !wanted.size)
				return ctl_usage(&command_create, "--region %s: write START,SIZE, for example 0x40000000,256M",
						 optarg);
			break;
		default:
			status = ctl_option(&command_create, option);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return ctl_usage(&command_create, "unexpected argument '%s'", argv[optind]);
	if (carved == wanted.reserved)
		return ctl_usage(&command_create, "give either --size or --region");
	if (wanted.reserved && wanted.node != -1)
		return ctl_usage(&command_create, "--node goes with --size");
	return create(&wanted);
}

const struct command command_create = {
	.name = "create",
	.summary = "Creates a device, and loads the module first if it is not loaded",
	.usage = "--size SIZE [--node N] | --region START,SIZE",
	.help =
	"  -s, --size SIZE     take this much of the running system's memory, rounded up to\n"
	"                      whole memory blocks\n"
	"  -n, --node N        take it from this NUMA node only\n"
	"  -r, --region START,SIZE\n"
	"                      take memory that the kernel does not use, for example\n"
	"                      0x40000000,256M after booting with memmap=256M$0x40000000\n"
	CTL_HELP_COMMON,
	.run = run,
};
