// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl bench: runs the benchmark, which is a program of its own. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

/* A separate static program, so that it also runs in a guest without libraries. */
#define PROGRAM	LIBEXECDIR "/bench"

static int run(int argc, char **argv)
{
	int option;

	/* Only handle --help here.  The program parses all other options. */
	for (option = 1; option < argc; option++) {
		if (!strcmp(argv[option], "--help") || !strcmp(argv[option], "-h"))
			return ctl_option(&command_bench, 'h');
	}
	execv(PROGRAM, argv);
	return ctl_fail(CTL_FAILED, "%s: %s; the installation of devpub may be incomplete", PROGRAM,
			strerror(errno));
}

const struct command command_bench = {
	.name = "bench",
	.summary = "Measures migrations, and other operations for comparison",
	.usage = "[OPTION...] [WHAT...]",
	.help =
"  -d, --device=N      use devpubN (default: 0)\n"
"  -p, --pages=N,...   pages per call, or a size with K, M or G (default: 64M)\n"
"  -s, --source=NAME,...  kind of memory: small, thp, forked or threads (default: small)\n"
"  -w, --workers=N,... maximum number of processors per call; 0 (default): the module\n"
"                      chooses\n"
"  -r, --repeat=N      measured repetitions, after one that is discarded (default: 7)\n"
"  -J, --json          print JSON\n"
"  -h, --help          print this help\n"
"\n"
"WHAT is any of: to from again populate fault move move-512 memcpy peer-to peer-read\n"
"peer-from (default: all that work on this machine).  devpubctl(8) describes them.\n",
	.run = run,
};
