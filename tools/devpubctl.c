// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl: shows, moves and measures device-public memory from a shell. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "commands.h"
#include "inherit.h"

static const struct command *const commands[] = {
	&command_list, &command_info, &command_stats,
	&command_create, &command_destroy, &command_evict,
	&command_migrate, &command_locations, &command_run,
	&command_access, &command_top, &command_doctor, &command_bench,
};

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void print_commands(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: devpubctl COMMAND [OPTION...]\n\n"
		"Shows, moves and measures device-public memory.\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-10s  %s\n", commands[i]->name,
			commands[i]->summary);
	fprintf(to, "\nMore: devpubctl COMMAND --help; man devpubctl\n");
}

int main(int argc, char **argv)
{
	const struct command *command;
	char name[64];

	inherit_adjust();
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_commands(stderr);
		return CTL_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("devpubctl " VERSION);
		return ctl_finish(CTL_OK);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_commands(stdout);
		return ctl_finish(CTL_OK);
	}
	command = find(argv[1]);
	if (!command)
		return ctl_fail(CTL_USAGE, "there is no command '%s'; see: devpubctl --help",
				argv[1]);
	snprintf(name, sizeof(name), "devpubctl %s", command->name);
	argv[1] = name;
	opterr = 0;
	ctl_begin(argv + 1, command == &command_run ? RUN_FAILED : CTL_FAILED);
	return ctl_finish(command->run(argc - 1, argv + 1));
}
