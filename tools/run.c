// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * devpubctl run: runs a program and keeps its memory on a device.  The exit status is that
 * of the program, or 125 to 127 for own failures, as with env(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "commands.h"
#include "devices.h"
#include "follow.h"
#include "inherit.h"
#include "table.h"
#include "target.h"
#include "text.h"

/* Pause between two rounds, so that rounds take at most a fifth of the time. */
#define PAUSE_MS	50
#define PAUSE_ROUNDS	4

/* Signals to forward.  A terminal sends its signals to the whole process group. */
static const int passed_on[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
};

struct run {
	const char *device;
	const char *output;	/* file of the summary, or NULL */
	bool quiet;
	char **command;
	unsigned int index;
	struct follow follow;
	pid_t child;
	int signals;		/* a signalfd */
	int go;			/* pipe that tells the child to call exec() */
	int trouble;		/* pipe that reports a failure of exec() */
	int status;		/* wait status of the program */
};

static void __attribute__((noreturn))
child_main(const struct run *run, int go, int trouble, const sigset_t *mask)
{
	char byte;
	int error;

	if (read(go, &byte, 1) != 1)
		_exit(RUN_FAILED);
	inherit_restore();
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(run->command[0], run->command);
	error = errno;
	if (write(trouble, &error, sizeof(error)) < 0)
		_exit(RUN_FAILED);
	_exit(error == ENOENT ? RUN_NOT_FOUND : RUN_NO_EXEC);
}

/* Fork, and receive the signals of this process through a descriptor. */
static int spawn(struct run *run)
{
	int go[2], trouble[2];
	sigset_t ours, mask;
	size_t i;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&ours, passed_on[i]);
	sigprocmask(SIG_BLOCK, &ours, &mask);
	run->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	/* Become the parent of processes that the program leaves behind. */
	if (run->signals < 0 || pipe2(go, O_CLOEXEC) || pipe2(trouble, O_CLOEXEC) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	fflush(stdout);
	run->child = fork();
	if (run->child < 0)
		return -errno;
	if (!run->child) {
		close(go[1]);
		close(trouble[0]);
		child_main(run, go[0], trouble[1], &mask);
	}
	close(go[0]);
	close(trouble[1]);
	run->go = go[1];
	run->trouble = trouble[0];
	return 0;
}

/* Check before the program runs that its memory may be moved, with an unmapped page. */
static int may_follow(const struct run *run)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const struct devpub_range range = { page, page };
	struct devpub_process *process;
	int ret;

	ret = devpub_attach(run->child, &process);
	if (ret)
		return ret;
	ret = devpub_query_v(run->follow.dev, process, &range, 1, NULL, NULL);
	devpub_detach(process);
	return ret;
}

/* The reader may have exited already. */
static bool tell(int go)
{
	void (*was)(int) = signal(SIGPIPE, SIG_IGN);
	const bool told = write(go, "", 1) == 1;

	signal(SIGPIPE, was);
	return told;
}

/* Start the program.  Return 0, or an exit status after a message. */
static int start(struct run *run)
{
	struct target target = { 0 };
	int error, ret;

	ret = spawn(run);
	if (ret)
		return ctl_fail(RUN_FAILED, "%s: can't start it: %s",
				run->command[0], strerror(-ret));
	ret = may_follow(run);
	if (ret) {
		target.proc.pid = run->child;
		snprintf(target.name, sizeof(target.name), "%s", run->command[0]);
		target_error(ret, &target);
		close(run->go);
		waitpid(run->child, NULL, 0);
		return RUN_FAILED;
	}
	if (!tell(run->go))
		return ctl_fail(RUN_FAILED, "%s: ended before it began",
				run->command[0]);
	if (read(run->trouble, &error, sizeof(error)) == sizeof(error)) {
		waitpid(run->child, NULL, 0);
		return ctl_fail(error == ENOENT ? RUN_NOT_FOUND : RUN_NO_EXEC,
				"%s: %s", run->command[0], strerror(error));
	}
	return 0;
}

/* Reap ended children.  Return true if the program itself has ended. */
static bool reap(struct run *run)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == run->child) {
			run->status = status;
			ended = true;
		}
	}
	return ended;
}

static bool handle_signals(struct run *run)
{
	struct signalfd_siginfo info;
	bool ended = false;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			ended |= reap(run);
		else if (info.ssi_code <= 0)
			kill(run->child, info.ssi_signo);
	}
	return ended;
}

static void keep_on_device(struct run *run)
{
	struct pollfd poll_fd = { .fd = run->signals, .events = POLLIN };
	double begun, pause;

	do {
		begun = clock_now();
		follow_round(&run->follow, run->signals);
		pause = 1000 * PAUSE_ROUNDS * (clock_now() - begun);
		poll(&poll_fd, 1, pause > PAUSE_MS ? (int)pause : PAUSE_MS);
	} while (!handle_signals(run));
}

static void summarize(const struct run *run, double seconds, FILE *to)
{
	static const struct column columns[] = {
		{ .name = "COMMAND" },
		{ .name = "DEVICE" },
		{ .name = "SECONDS", .kind = COLUMN_NUMBER },
		{ .name = "PROCESSES", .kind = COLUMN_NUMBER },
		{ .name = "PASSES", .kind = COLUMN_NUMBER },
		{ .name = "MOVED", .kind = COLUMN_SIZE },
		{ .name = "PEAK", .kind = COLUMN_SIZE },
		{ .name = "REFUSED", .kind = COLUMN_SIZE },
	};
	const struct follow *follow = &run->follow;
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct table *table = table_new("run", columns, ARRAY_SIZE(columns));
	uint64_t refused = 0;
	char text[64];
	unsigned int i;

	for (i = DEVPUB_REASON_UNMAPPED; i < DEVPUB_REASONS_MAX; i++)
		refused += follow->refused[i];
	table_row(table);
	table_text(table, 0, run->command[0]);
	snprintf(text, sizeof(text), "devpub%u", run->index);
	table_text(table, 1, text);
	snprintf(text, sizeof(text), "%.1f", seconds);
	table_text(table, 2, text);
	table_number(table, 3, follow->processes);
	table_number(table, 4, follow->passes);
	table_number(table, 5, follow->moved * page);
	table_number(table, 6, follow->peak * page);
	table_number(table, 7, refused * page);
	table_print_to(table, to);
	table_free(table);
	if (ctl_json)
		return;
	for (i = DEVPUB_REASON_UNMAPPED; i < DEVPUB_REASONS_MAX; i++)
		if (follow->refused[i])
			fprintf(to, "refused: %" PRIu64 " pages, %s\n",
				follow->refused[i], devpub_reason_string(i));
}

static int run_command(struct run *run, FILE *to)
{
	const double begun = clock_now();
	int status;

	status = start(run);
	if (status)
		return status;
	keep_on_device(run);
	follow_end(&run->follow);
	if (run->follow.error)
		ctl_warn("%s: not all of it could be followed: %s",
			 run->command[0], strerror(-run->follow.error));
	if (!run->quiet)
		summarize(run, clock_now() - begun, to);
	if (WIFSIGNALED(run->status))
		return 128 + WTERMSIG(run->status);
	if (WEXITSTATUS(run->status))
		return WEXITSTATUS(run->status);
	return run->follow.error ? RUN_FAILED : 0;
}

static int with_device(struct run *run)
{
	FILE *to = stderr;
	bool failed;
	int status;

	/* Open the summary file first, so that a failure prevents the run. */
	if (run->output) {
		to = fopen(run->output, "we");
		if (!to)
			return ctl_fail(RUN_FAILED, "%s: %s", run->output,
					strerror(errno));
	}
	status = devices_open_target(run->device, &run->follow.dev, &run->index);
	if (status) {
		status = RUN_FAILED;
	} else {
		status = run_command(run, to);
		devpub_close(run->follow.dev);
	}
	if (!run->output)
		return status;
	failed = ferror(to);
	errno = 0;
	failed |= fclose(to) == EOF;
	if (failed) {
		ctl_warn("%s: %s", run->output,
			 errno ? strerror(errno) : "the summary could not be written");
		status = status ? status : RUN_FAILED;
	}
	return status;
}

static int run_main(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "to", required_argument, NULL, 't' },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 }
	};
	struct run run = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "+" CTL_LETTERS "t:o:q", options, NULL)) != -1) {
		switch (option) {
		case 't':
			run.device = optarg;
			break;
		case 'o':
			run.output = optarg;
			break;
		case 'q':
			run.quiet = true;
			break;
		default:
			if (ctl_option(&command_run, option) >= 0)
				return RUN_FAILED;
		}
	}
	if (optind == argc) {
		ctl_usage(&command_run, "give a command to run");
		return RUN_FAILED;
	}
	run.command = argv + optind;
	return with_device(&run);
}

const struct command command_run = {
	.name = "run",
	.summary = "Runs a program, and keeps its anonymous memory on a device",
	.usage = "[OPTION...] [--] COMMAND [ARGUMENT...]",
	.help =
	"Also keeps there the memory of all processes that COMMAND starts.  Prints a\n"
	"summary to stderr at the end.  The exit status is that of COMMAND, or 128+N after\n"
	"signal N; 125 if devpubctl failed, for example to follow all of the memory; 126 if\n"
	"the command can't be executed; 127 if it is not found.\n\n"
	"  -t, --to devpubN    use this device; default: the first with free memory\n"
	"  -o, --output FILE   write the summary to this file\n"
	"  -q, --quiet         print no summary\n"
	CTL_HELP_COMMON,
	.run = run_main,
};
