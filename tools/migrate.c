// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl migrate: moves the memory of a running program to a device or back. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "maps.h"
#include "mover.h"
#include "progress.h"
#include "target.h"
#include "text.h"

#define TRIES	6

/**
 * struct wanted - the values of the options
 * @pid:	argument of --pid
 * @device:	argument of --to or --from; NULL for the first with free memory, or for all
 * @to:		--to was given
 * @from:	--from was given
 * @vma:	argument of --vma, or NULL
 * @range:	argument of --range, or NULL
 * @start:	first address of the range
 * @end:	end address of the range
 */
struct wanted {
	const char *pid;
	const char *device;
	bool to;
	bool from;
	const char *vma;
	const char *range;
	uint64_t start;
	uint64_t end;
};

/* Return the requested part of a mapping, or an empty one. */
static void clip(const struct wanted *wanted, struct mapping *mapping)
{
	if (wanted->range) {
		if (mapping->start < wanted->start)
			mapping->start = wanted->start;
		if (mapping->end > wanted->end)
			mapping->end = wanted->end;
	} else if (!maps_match(mapping, wanted->vma ? wanted->vma : "anon")) {
		mapping->end = mapping->start;
	}
}

static int nothing_there(const struct wanted *wanted, const struct target *target)
{
	if (wanted->range)
		return ctl_fail(CTL_FAILED, "process %d (%s) has nothing mapped in %s; see: /proc/%d/maps",
				target->proc.pid, target->name, wanted->range, target->proc.pid);
	return ctl_fail(CTL_FAILED, "process %d (%s) has no mapping '%s'; see: devpubctl locations --pid %d",
			target->proc.pid, target->name, wanted->vma ? wanted->vma : "anon",
			target->proc.pid);
}

static int move(const struct wanted *wanted, const struct target *target,
		struct maps *maps, struct mover *mover)
{
	uint64_t total = 0;
	int ret = 0;
	char what[96];
	size_t i;

	for (i = 0; i < maps->n; i++) {
		struct mapping *mapping = &maps->mapping[i];

		clip(wanted, mapping);
		if (mapping->start < mapping->end)
			total += mapping->end - mapping->start;
	}
	if (!total)
		return nothing_there(wanted, target);
	snprintf(what, sizeof(what), "moving %s", target->name);
	memset(mover->reason, 0, sizeof(mover->reason));
	progress_begin(what, total);
	for (i = 0; i < maps->n && !ret; i++)
		if (maps->mapping[i].start < maps->mapping[i].end)
			ret = mover_move(mover, &maps->mapping[i], 0);
	progress_end();
	return ret;
}

/* Print the results, also if the migration is incomplete. */
static int report(const struct target *target, const struct mover *mover, int ret)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < DEVPUB_REASONS_MAX; i++)
		done += mover->reason[i];
	if (!ret || (ret < 0 && done))
		mover_print(mover, "migration");
	if (ret < 0)
		return target_error(ret, target);
	if (ret)
		return ret;
	if (mover_refused(mover))
		return ctl_fail(CTL_PARTLY, "process %d (%s): %" PRIu64 " pages did not move, for the reasons above",
				target->proc.pid, target->name, mover_refused(mover));
	return CTL_OK;
}

/* Move the memory that the process has at present. */
static int move_memory(const struct wanted *wanted, const struct target *target,
		       struct mover *mover)
{
	struct maps maps;
	int ret;

	ret = mover_open(mover, &target->proc, target->process);
	if (ret)
		return ret;
	ret = mover_maps(mover, &maps);
	if (!ret) {
		ret = move(wanted, target, &maps, mover);
		maps_free(&maps);
	}
	mover_close(mover);
	return ret;
}

static int migrate(const struct wanted *wanted, struct mover *mover)
{
	struct target target;
	unsigned int tries = 0;
	int ret;

	ret = target_open(wanted->pid, &target);
	if (ret)
		return ret;
	/* Start again if the process executes another program: the moved memory is gone. */
	do {
		ret = move_memory(wanted, &target, mover);
	} while (ret == -EAGAIN && target_pause(&tries));
	ret = report(&target, mover, ret);
	target_close(&target);
	return ret;
}

static int with_devices(const struct wanted *wanted)
{
	static struct devices devices;
	struct mover mover = {
		.to = wanted->to,
		.tries = TRIES,
		.until = -1,
	};
	unsigned int index;
	int status;
	size_t i;

	if (wanted->to || wanted->device) {
		status = devices_open_target(wanted->device, &mover.dev[0], &index);
		if (status)
			return status;
		mover.n = 1;
		status = migrate(wanted, &mover);
		devpub_close(mover.dev[0]);
		return status;
	}
	status = devices_get(&devices);
	if (status)
		return status;
	for (i = 0; i < devices.n; i++)
		if (devices.device[i].dev)
			mover.dev[mover.n++] = devices.device[i].dev;
	if (mover.n)
		status = migrate(wanted, &mover);
	else if (devices.n)
		status = ctl_error(-EACCES, "devices");
	else
		status = ctl_fail(CTL_NO_DEVICE, DEVICES_NONE);
	devices_put(&devices);
	return status;
}

static int check(const struct wanted *wanted)
{
	const uint64_t mask = sysconf(_SC_PAGESIZE) - 1;

	if (!wanted->pid)
		return ctl_usage(&command_migrate, "give a process: --pid PID");
	if (wanted->to == wanted->from)
		return ctl_usage(&command_migrate, "give either --to or --from");
	if (wanted->range && wanted->vma)
		return ctl_usage(&command_migrate, "give either --range or --vma");
	if ((wanted->start | wanted->end) & mask)
		return ctl_usage(&command_migrate, "--range %s: write multiples of the page size, 0x%" PRIx64,
				 wanted->range, mask + 1);
	return CTL_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "pid", required_argument, NULL, 'p' },
		{ "to", optional_argument, NULL, 't' },
		{ "from", optional_argument, NULL, 'f' },
		{ "range", required_argument, NULL, 'r' },
		{ "vma", required_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 }
	};
	struct wanted wanted = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "p:t::f::r:v:", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			wanted.pid = optarg;
			break;
		case 't':
		case 'f':
			*(option == 't' ? &wanted.to : &wanted.from) = true;
			/* Accept "--to devpub0", which getopt_long() parses as two arguments. */
			if (!optarg && optind < argc && argv[optind][0] != '-')
				optarg = argv[optind++];
			wanted.device = optarg;
			break;
		case 'r':
			wanted.range = optarg;
			if (!text_parse_range(optarg, &wanted.start, &wanted.end))
				return ctl_usage(&command_migrate, "--range %s: write START-END as in /proc/PID/maps, in hexadecimal",
						 optarg);
			break;
		case 'v':
			wanted.vma = optarg;
			break;
		default:
			status = ctl_option(&command_migrate, option);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return ctl_usage(&command_migrate, "unexpected argument '%s'", argv[optind]);
	status = check(&wanted);
	return status ? status : with_devices(&wanted);
}

const struct command command_migrate = {
	.name = "migrate",
	.summary = "Moves the memory of a running program to a device or back",
	.usage = "--pid PID --to [devpubN] | --from [devpubN] [--range A-B | --vma WHAT]",
	.help =
	"  -p, --pid PID       act on the memory of this process\n"
	"  -t, --to [devpubN]  move to this device; default: the first with free memory\n"
	"  -f, --from [devpubN]\n"
	"                      move back from this device; default: from all devices\n"
	"  -r, --range A-B     move only these addresses, in hexadecimal as in\n"
	"                      /proc/PID/maps\n"
	"  -v, --vma WHAT      move only these mappings: heap, stack, anon, or a name as in\n"
	"                      /proc/PID/maps; default: anon, all memory that can move\n"
	CTL_HELP_COMMON,
	.run = run,
};
