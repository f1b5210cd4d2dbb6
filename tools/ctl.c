// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "ctl.h"
#include "printable.h"

bool ctl_json, ctl_bytes;

/* The exit status if the output could not be written. */
static int failure = CTL_FAILED;

/* The arguments of the command. */
static char **arguments;

/* Print one line, even if names in it contain newlines. */
static void vwarn(const char *format, va_list args)
{
	char *text, *shown;

	fflush(stdout);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	shown = text ? printable_new(text, PRINTABLE_TERMINAL) : NULL;
	fprintf(stderr, "devpubctl: %s\n", shown ? shown : "not enough memory");
	free(shown);
	free(text);
}

void ctl_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarn(format, args);
	va_end(args);
}

int ctl_fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarn(format, args);
	va_end(args);
	return status;
}

void ctl_begin(char **argv, int status)
{
	arguments = argv;
	failure = status;
}

int ctl_usage(const struct command *command, const char *format, ...)
{
	va_list args;
	char *what;

	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = NULL;
	va_end(args);
	ctl_warn("%s; see: devpubctl %s --help", what ? what : "wrong use",
		 command->name);
	free(what);
	return CTL_USAGE;
}

/* getopt_long() reports a wrong long option by its position, and a wrong letter in optopt. */
static int wrong_option(const struct command *command)
{
	const char *word = arguments[optind - 1];
	char letter[] = { '-', optopt, '\0' };

	return ctl_usage(command, "'%s' is not an option, or its argument is missing",
			 strncmp(word, "--", 2) && optopt ? letter : word);
}

static void print_help(const struct command *command)
{
	printf("Usage: devpubctl %s %s\n\n%s.\n\n%s", command->name,
	       command->usage, command->summary, command->help);
}

int ctl_finish(int status)
{
	bool failed = ferror(stdout);

	errno = 0;
	failed |= fclose(stdout) == EOF;
	/* EPIPE is not reported: the reader of the output has closed it on purpose. */
	if (failed && errno != EPIPE)
		fprintf(stderr, "devpubctl: write error: %s\n",
			errno ? strerror(errno) : "on the standard output");
	failed |= ferror(stderr);
	failed |= fclose(stderr) == EOF;
	return failed && !status ? failure : status;
}

int ctl_option(const struct command *command, int option)
{
	switch (option) {
	case 'J':
		ctl_json = true;
		return -1;
	case 'b':
		ctl_bytes = true;
		return -1;
	case 'h':
		print_help(command);
		exit(ctl_finish(CTL_OK));
	default:
		return wrong_option(command);
	}
}

/* The meaning of an error for the user of the command, and what to do. */
static const struct {
	int error;
	int status;
	const char *text;
} errors[] = {
	{ ENODEV, CTL_NO_DEVICE, "no such device; see: devpubctl list" },
	{ EACCES, CTL_NO_PERMISSION,
		"permission denied; be root, or a member of the device's group" },
	{ EPERM, CTL_NO_PERMISSION, "not permitted; be root" },
	{ ESRCH, CTL_NO_PROCESS, "the process has ended" },
	{ EOPNOTSUPP, CTL_UNSUPPORTED,
		"the loaded devpub module can't do this; load a newer one" },
	{ ENOTTY, CTL_UNSUPPORTED,
		"the loaded devpub module can't do this; load a newer one" },
	{ EINTR, CTL_FAILED, "interrupted; completed work is kept" },
	{ ENOMEM, CTL_FAILED, "not enough memory" },
	{ EMFILE, CTL_FAILED, "too many open files; raise the limit: ulimit -n" },
	{ ENFILE, CTL_FAILED, "the system has too many open files" },
};

bool ctl_module_loaded(void)
{
	return !access("/sys/class/devpub", F_OK);
}

int ctl_error(int error, const char *format, ...)
{
	const char *text = strerror(-error);
	int status = CTL_FAILED;
	char *thing;
	va_list args;
	size_t i;

	va_start(args, format);
	if (vasprintf(&thing, format, args) < 0)
		thing = NULL;
	va_end(args);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].error == -error) {
			text = errors[i].text;
			status = errors[i].status;
		}
	}
	if (error == -ENODEV && !ctl_module_loaded())
		text = "the devpub module is not loaded; run: modprobe devpub (or see: devpubctl doctor)";
	ctl_warn("%s: %s", thing ? thing : "devpubctl", text);
	free(thing);
	return status;
}
