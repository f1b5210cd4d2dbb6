/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of devpubctl share: how they begin, fail and end. */
#ifndef DEVPUB_TOOLS_CTL_H
#define DEVPUB_TOOLS_CTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/* Exit statuses, as devpubctl(8) has them. */
enum {
	CTL_OK			= 0,
	CTL_FAILED		= 1,
	CTL_USAGE		= 2,
	CTL_NO_DEVICE		= 3,
	CTL_NO_PERMISSION	= 4,
	CTL_NO_PROCESS		= 5,
	CTL_UNSUPPORTED		= 6,
	CTL_PARTLY		= 7,
	/* Of "run", as of env(1) */
	RUN_FAILED		= 125,
	RUN_NO_EXEC		= 126,
	RUN_NOT_FOUND		= 127,
};

/**
 * struct command - a command
 * @name:	its name
 * @summary:	what it does, in a line
 * @usage:	its arguments
 * @help:	what its options do; each line ends with a newline
 * @run:	does it; argv[0] is for messages.  Returns an exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	const char *help;
	int (*run)(int argc, char **argv);
};

/* --json and --bytes, which all commands that print a table take. */
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
 * At the beginning: what the command was given, and the exit status for what could not be
 * written.
 */
void ctl_begin(char **argv, int status);

/*
 * At the end: what was printed must have arrived, also the last of it.  Such a failure of
 * "run" is told from its program's.  Returns the exit status.
 */
int ctl_finish(int status);

/* One line on stderr, behind "devpubctl: ", as printable() has it. */
void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and @status for the caller to return. */
int ctl_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * An option that getopt_long() returned and the command does not know: one of
 * the common ones, for which it returns -1 to go on with, or a wrong one.
 * Prints the help and ends the program where that was asked for.
 */
int ctl_option(const struct command *command, int option);

/* A wrong use of the command: says what, and how to find out more. */
int ctl_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A call on a thing failed with @error, a negative errno: says so in one line with
 * the way out.  Returns the exit status that stands for it.
 */
int ctl_error(int error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool ctl_module_loaded(void);

#endif /* DEVPUB_TOOLS_CTL_H */
