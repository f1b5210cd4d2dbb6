// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl top: shows the devices and the processes on them, and updates the display. */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "commands.h"
#include "devices.h"
#include "printable.h"
#include "scan.h"
#include "table.h"
#include "term.h"
#include "text.h"

#define BAR_CELLS	24
#define SCAN_MS		200
#define USER_SIZE	64

struct top {
	struct devices now;
	struct devices old;
	struct scan scan;
	unsigned int seconds;
	double since;		/* seconds between the reads of old and now */
	double read_at;
	uint64_t page_size;
	bool unicode;
};

static int read_devices(struct top *top)
{
	double at = clock_now();

	top->old = top->now;
	top->since = at - top->read_at;
	top->read_at = at;
	return devices_get(&top->now);
}

static const char *user_name(uid_t uid, char *buffer, size_t size)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry)
		snprintf(buffer, size, "%s", entry->pw_name);
	else
		snprintf(buffer, size, "%u", uid);
	return buffer;
}

/* Convert the growth of a page counter to bytes per second; 0 for a new device. */
static uint64_t rate(const struct top *top, uint64_t now, uint64_t old)
{
	if (now < old || top->since <= 0)
		return 0;
	return (now - old) / top->since * top->page_size;
}

static void print_bar(FILE *to, const struct top *top, uint64_t used, uint64_t size)
{
	unsigned int full = size ? used * BAR_CELLS / size : 0, i;

	/* Show at least one cell if the device is not empty. */
	if (used && !full)
		full = 1;
	fputc('[', to);
	for (i = 0; i < BAR_CELLS; i++)
		fputs(i >= full ? " " : top->unicode ? "█" : "#", to);
	fputc(']', to);
}

static void print_device(FILE *to, const struct top *top, const struct device *device)
{
	const struct devpub_stats *stats = &device->stats, *old = stats;
	char a[TEXT_SIZE], b[TEXT_SIZE];
	size_t i;

	for (i = 0; i < top->old.n; i++)
		if (top->old.device[i].index == device->index)
			old = &top->old.device[i].stats;
	fprintf(to, "devpub%-3u ", device->index);
	print_bar(to, top, stats->capacity - stats->free, stats->capacity);
	fprintf(to, " %6s of %-6s", text_size(a, stats->capacity - stats->free),
		text_size(b, stats->capacity));
	fprintf(to, "  to %6s/s", text_size(a, rate(top, stats->migrated_to +
		stats->populated, old->migrated_to + old->populated)));
	fprintf(to, "  from %6s/s\n", text_size(a, rate(top, stats->migrated_from +
		stats->evicted, old->migrated_from + old->evicted)));
}

static void print_processes(FILE *to, const struct top *top)
{
	char a[TEXT_SIZE], b[TEXT_SIZE], user[USER_SIZE];
	size_t i, j;

	fprintf(to, "\n\033[7m%8s %-15s %10s %10s  %-20s %s\033[0m\n", "PID",
		"USER", "ON DEVICES", "IN SYSTEM", "COMMAND", "DEVICES");
	for (i = 0; i < top->scan.found.n; i++) {
		const struct tenant *tenant = &top->scan.found.tenant[i];

		fprintf(to, "%8d ", tenant->pid);
		printable_field(to, user_name(tenant->uid, user, sizeof(user)), 15);
		fprintf(to, " %10s %10s  ",
			text_size(a, tenant->on_devices * top->page_size),
			text_size(b, tenant->in_system * top->page_size));
		printable_field(to, tenant->name, 20);
		for (j = 0; j < top->now.n; j++)
			if (tenant->pages[j])
				fprintf(to, " devpub%u:%s", top->now.device[j].index,
					text_size(a, tenant->pages[j] * top->page_size));
		fputc('\n', to);
	}
	if (top->scan.blind)
		fputs("who has memory on a device is shown to root only\n", to);
	else if (!top->scan.found.n)
		fputs("no process has memory on a device\n", to);
	if (top->scan.error)
		fprintf(to, "not all processes could be looked at: %s\n",
			strerror(-top->scan.error));
}

static void draw(struct top *top)
{
	char *text, when[32];
	time_t now = time(NULL);
	struct tm tm;
	size_t size, i;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return;
	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&now, &tm));
	fprintf(to, "devpub  %s  every %u s  q: quit\n\n", when, top->seconds);
	for (i = 0; i < top->now.n; i++)
		print_device(to, top, &top->now.device[i]);
	if (!top->now.n)
		fputs("there is no device\n", to);
	print_processes(to, top);
	if (!fclose(to))
		term_show(text, size);
	free(text);
}

/* Restore the terminal, then apply the signal's default action. */
static void die_by(int signal)
{
	sigset_t set;

	term_leave();
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
}

/* Return false to end. */
static bool handle_signals(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			break;
		case SIGTSTP:
			term_leave();
			raise(SIGSTOP);
			if (term_enter())
				return false;
			break;
		case SIGINT:
			return false;
		default:
			die_by(info.ssi_signo);
			return false;
		}
	}
	return true;
}

static int open_signals(void)
{
	static const int ours[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH
	};
	struct sigaction inherited;
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ours); i++) {
		/* Keep ignoring signals that are ignored, for example by nohup(1). */
		if (!sigaction(ours[i], NULL, &inherited) &&
		    inherited.sa_handler != SIG_IGN)
			sigaddset(&set, ours[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int live(struct top *top)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	double next;
	int status;
	char key;

	/* Leave the alternate screen first, so that the error message stays visible. */
	status = read_devices(top);
	if (status)
		return status;
	fds[1].fd = open_signals();
	fds[1].events = POLLIN;
	if (fds[1].fd < 0 || term_enter())
		return ctl_fail(CTL_FAILED, "the terminal can't be used; try: devpubctl top --once");
	for (;;) {
		top->scan.error = 0;
		scan_round(&top->scan, &top->now, SCAN_MS);
		/* Close the devices, because an open device prevents the module from being unloaded. */
		devices_close(&top->now);
		draw(top);
		for (next = clock_now() + top->seconds; clock_now() < next;) {
			poll(fds, 2, (next - clock_now()) * 1000 + 1);
			if (fds[0].revents && (read(STDIN_FILENO, &key, 1) != 1 ||
					       key == 'q' || key == 'Q'))
				goto out;
			if (!handle_signals(fds[1].fd))
				goto out;
			if (fds[0].revents || fds[1].revents)
				draw(top);
		}
		if (devpub_list(NULL, 0) < 0)
			term_leave();
		status = read_devices(top);
		if (status)
			break;
	}
out:
	term_leave();
	return status;
}

static int once(struct top *top)
{
	static const struct column columns[] = {
		{ .name = "PID", .kind = COLUMN_NUMBER },
		{ .name = "USER" },
		{ .name = "DEVICE", .kind = COLUMN_TEXT },
		{ .name = "ON_DEVICE", .kind = COLUMN_SIZE },
		{ .name = "IN_SYSTEM", .kind = COLUMN_SIZE },
		{ .name = "COMMAND" },
	};
	struct table *table;
	char text[USER_SIZE];
	size_t i, j;
	int status;

	status = read_devices(top);
	if (status)
		return status;
	scan_round(&top->scan, &top->now, 0);
	if (top->scan.blind)
		return ctl_fail(CTL_NO_PERMISSION, "processes: who has memory on a device is shown to root only");
	table = table_new("processes", columns, ARRAY_SIZE(columns));
	for (i = 0; i < top->scan.found.n; i++) {
		const struct tenant *tenant = &top->scan.found.tenant[i];

		for (j = 0; j < top->now.n; j++) {
			if (!tenant->pages[j])
				continue;
			table_row(table);
			table_number(table, 0, tenant->pid);
			table_text(table, 1, user_name(tenant->uid, text, sizeof(text)));
			snprintf(text, sizeof(text), "devpub%u", top->now.device[j].index);
			table_text(table, 2, text);
			table_number(table, 3, tenant->pages[j] * top->page_size);
			table_number(table, 4, tenant->in_system * top->page_size);
			table_text(table, 5, tenant->name);
		}
	}
	table_print(table);
	table_free(table);
	if (top->scan.error)
		return ctl_error(top->scan.error, "not all processes could be looked at");
	return CTL_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "delay", required_argument, NULL, 'd' },
		{ "once", no_argument, NULL, '1' },
		{ NULL, 0, NULL, 0 }
	};
	static struct top top = { .seconds = 2 };
	bool just_once = false;
	int option, status;
	uint64_t number;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "d:1", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			if (!text_parse_number(optarg, 3600, &number) || !number)
				return ctl_usage(&command_top, "--delay %s: write whole seconds, 1 to 3600",
						 optarg);
			top.seconds = number;
			break;
		case '1':
			just_once = true;
			break;
		default:
			status = ctl_option(&command_top, option);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return ctl_usage(&command_top, "unexpected argument '%s'", argv[optind]);
	top.page_size = sysconf(_SC_PAGESIZE);
	top.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (just_once || ctl_json)
		status = once(&top);
	else if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		status = ctl_usage(&command_top, "not a terminal; use --once to print a table");
	else
		status = live(&top);
	scan_end(&top.scan);
	devices_put(&top.now);
	return status;
}

const struct command command_top = {
	.name = "top",
	.summary = "Shows devices and the programs on them, live",
	.usage = "[OPTION...]",
	.help =
	"Keys: q and Ctrl-C quit, Ctrl-Z suspends.  Each update scans the processes for at\n"
	"most a fifth of a second, so a machine with many processes needs several updates.\n\n"
	"  -d, --delay SECS    seconds between two updates (default: 2)\n"
	"  -1, --once          print a table of the processes and end; --json implies this\n"
	CTL_HELP_COMMON,
	.run = run,
};
