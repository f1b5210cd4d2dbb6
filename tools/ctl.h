/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Functions that the commands of devpubctl share: start, failure and end. */
#ifndef DEVPUB_TOOLS_CTL_H
#define DEVPUB_TOOLS_CTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/* The exit statuses that devpubctl(8) documents. */
enum {
	CTL_OK			= 0,
	CTL_FAILED		= 1,
	CTL_USAGE		= 2,
	CTL_NO_DEVICE		= 3,
	CTL_NO_PERMISSION	= 4,
	CTL_NO_PROCESS		= 5,
	CTL_UNSUPPORTED		= 6,
	CTL_PARTLY		= 7,
	CTL_DIFFERS		= 8,
	/* exit statuses of "run", as those of env(1) */
	RUN_FAILED		= 125,
	RUN_NO_EXEC		= 126,
	RUN_NOT_FOUND		= 127,
};

/**
 * struct command - a command
 * @name:	its name
 * @summary:	a one-line description
 * @usage:	its arguments
 * @help:	descriptions of its options; each line ends with a newline
 * @run:	runs the command; argv[0] is for messages.  Returns an exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	const char *help;
	int (*run)(int argc, char **argv);
};

/* The options --json and --bytes of all commands that print a table. */
extern bool ctl_json, ctl_bytes;

#define CTL_OPTION_HELP	0x100
#define CTL_OPTIONS_COMMON						\
	{ "json", no_argument, NULL, 'J' },				\
	{ "bytes", no_argument, NULL, 'b' },				\
	{ "help", no_argument, NULL, 'h' }
#define CTL_LETTERS	"Jbh"
#define CTL_HELP_COMMON							\
	"  -J, --json          print JSON; sizes in bytes, as numbers\n"	\
	"  -b, --bytes         print sizes in bytes\n"			\
	"  -h, --help          print this help\n"

/*
 * Start a command: set its arguments, and the exit status if its output can't be written.
 */
void ctl_begin(char **argv, int status);

/*
 * End a command: check that all output was written.  Return the exit status.  For "run",
 * the status of such a failure differs from that of its program.
 */
int ctl_finish(int status);

/* Print one line to stderr after "devpubctl: ", with escapes as by printable(). */
void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same.  Return @status. */
int ctl_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Handle an option that the command itself does not handle.  For a common option, return
 * -1 to continue; for --help, print the help and exit.  For a wrong option, print a message
 * and return the exit status.
 */
int ctl_option(const struct command *command, int option);

/* Report wrong usage of a command, with a hint at its --help. */
int ctl_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Report that a call on an object failed with @error, a negative errno, in one line that
 * says what to do.  Return the exit status for the error.
 */
int ctl_error(int error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool ctl_module_loaded(void);

#endif /* DEVPUB_TOOLS_CTL_H */
