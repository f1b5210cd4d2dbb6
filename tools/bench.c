// SPDX-License-Identifier: GPL-2.0
/* devpubctl bench: runs the benchmark, which is a program of its own. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

/* Links nothing of this one, so that it runs as it is in a guest without libraries. */
#define PROGRAM	LIBEXECDIR "/bench"

static int run(int argc, char **argv)
{
	int option;

	/* The rest is for the program to look at; its help is for both. */
	for (option = 1; option < argc; option++) {
		if (!strcmp(argv[option], "--help") || !strcmp(argv[option], "-h"))
			return ctl_option(&command_bench, 'h');
	}
	execv(PROGRAM, argv);
	return ctl_fail(CTL_FAILED, "%s: %s; is devpub installed whole?", PROGRAM,
			strerror(errno));
}

const struct command command_bench = {
	.name = "bench",
	.summary = "Measures migrations, and what they are compared with",
	.usage = "[OPTION...] [WHAT...]",
	.help =
"  -d, --device=N      use devpubN (default: 0)\n"
"  -p, --pages=N,...   pages a call, or a size with K, M or G (default: 64M)\n"
"  -s, --source=NAME,...  what the memory is: small, thp, forked or threads\n"
"  -w, --workers=N,... processors at work in a call; 0: the module chooses (default)\n"
"  -r, --repeat=N      repetitions that count, after one that does not (default: 7)\n"
"  -J, --json          print JSON\n"
"  -h, --help          print this help\n"
"\n"
"WHAT is of: to from again populate fault move move-512 memcpy peer-to peer-read\n"
"peer-from (default: those that work here), and devpubctl(8) says what they are.\n",
	.run = run,
};
