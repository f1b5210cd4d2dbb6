// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl destroy: moves all pages off a device, removes it and returns its memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "devices.h"
#include "progress.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	unsigned int index;
	uint64_t remaining;
	char what[48];
	int option, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = ctl_option(&command_destroy, option);
		if (ret >= 0)
			return ret;
	}
	if (optind + 1 != argc)
		return ctl_usage(&command_destroy, "name one device");
	ret = devices_index(argv[optind], &index);
	if (ret)
		return ret;
	snprintf(what, sizeof(what), "emptying and removing devpub%u", index);
	/* Otherwise the attempt would load the module, and with it create a device. */
	if (!ctl_module_loaded())
		return ctl_error(-ENODEV, "devpub%u", index);
	progress_begin(what, 0);
	ret = devpub_destroy(index, &remaining);
	progress_end();
	if (ret == -EBUSY)
		return ctl_fail(CTL_PARTLY, "devpub%u: %" PRIu64 " pages are in use and can't move, so the device stays; try again",
				index, remaining);
	if (ret == -EINTR)
		return ctl_fail(CTL_FAILED, "devpub%u: interrupted; the device stays, with %" PRIu64 " pages on it",
				index, remaining);
	return ret ? ctl_error(ret, "devpub%u", index) : CTL_OK;
}

const struct command command_destroy = {
	.name = "destroy",
	.summary = "Moves all pages off a device, removes it and returns its memory",
	.usage = "devpubN",
	.help = "  -h, --help          print this help\n",
	.run = run,
};
