// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl doctor: checks this host for problems that would stop devpub. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "array.h"
#include "commands.h"
#include "doctor.h"
#include "printable.h"
#include "table.h"

static const struct column columns[] = {
	{ .name = "CHECK" },
	{ .name = "VERDICT" },
	{ .name = "FOUND" },
	{ .name = "ADVICE" },
};

static const struct {
	const char *word;
	const char *color;
} verdicts[] = {
	[VERDICT_OK] = { "ok", "\033[32m" },
	[VERDICT_UNKNOWN] = { "unknown", "\033[2m" },
	[VERDICT_WARNING] = { "warning", "\033[33m" },
	[VERDICT_BAD] = { "bad", "\033[31m" },
};

static struct table *table;
static enum verdict worst;

void doctor_say(const char *check, enum verdict verdict, const char *advice,
		const char *format, ...)
{
	char found[256], shown[512];
	va_list args;
	int color;

	va_start(args, format);
	vsnprintf(found, sizeof(found), format, args);
	va_end(args);
	if (verdict > worst)
		worst = verdict;
	if (table) {
		table_row(table);
		table_text(table, 0, check);
		table_text(table, 1, verdicts[verdict].word);
		table_text(table, 2, found);
		if (*advice)
			table_text(table, 3, advice);
		return;
	}
	color = isatty(STDOUT_FILENO);
	printable(shown, sizeof(shown), found, PRINTABLE_TERMINAL);
	printf("%s%-8s%s %-15s %s\n", color ? verdicts[verdict].color : "",
	       verdicts[verdict].word, color ? "\033[0m" : "", check, shown);
	if (*advice) {
		printable(shown, sizeof(shown), advice, PRINTABLE_TERMINAL);
		printf("%25s-> %s\n", "", shown);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ NULL, 0, NULL, 0 }
	};
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS, options, NULL)) != -1) {
		status = ctl_option(&command_doctor, option);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return ctl_usage(&command_doctor, "unexpected argument '%s'", argv[optind]);
	if (ctl_json)
		table = table_new("checks", columns, ARRAY_SIZE(columns));
	doctor_kernel();
	doctor_config();
	doctor_headers();
	doctor_signatures();
	doctor_memory();
	doctor_module();
	doctor_devices();
	doctor_caller();
	if (table) {
		table_print(table);
		table_free(table);
	}
	if (worst == VERDICT_BAD)
		return CTL_FAILED;
	return worst == VERDICT_WARNING ? CTL_PARTLY : CTL_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Checks this host for problems that would stop devpub, and says how to solve them",
	.usage = "[OPTION...]",
	.help =
	"The exit status is 0 if all checks are ok, 7 if there is a warning, and 1 if a check\n"
	"is bad.\n\n"
	CTL_HELP_COMMON,
	.run = run,
};
