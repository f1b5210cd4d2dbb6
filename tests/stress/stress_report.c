// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The options and the reports of the stress. */
#include <devpub_reasons.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress_report.h"

static const char *const reason_names[REASONS] = {
#define REASON_NAME(number, name, string)	[DEVPUB_REASON_##number] = #name,
	DEVPUB_REASONS(REASON_NAME)
};

static void usage(FILE *to)
{
	fputs("usage: stress [OPTION...]\n"
	      "  --seconds N     duration (default 10)\n"
	      "  --seed N        seed of the operations (default: a random one, which is printed)\n"
	      "  --processes N   number of processes (default 4)\n"
	      "  --threads N     threads per process (default 2)\n"
	      "  --pages N       pages per thread (default 1024)\n"
	      "  --disk FILE     also do direct I/O on this disk, and overwrite its contents\n"
	      "  --leave N       close the device after N seconds, and continue without it\n"
	      "  --print N       only print the first N operations of each thread\n"
	      "  --help          print this text\n"
	      "\n"
	      "Processes do random operations on their memory, move it to the device and back,\n"
	      "and check each byte.  After the device has been removed (ENODEV), and after\n"
	      "SIGINT or SIGTERM, they check all their memory and end.  Exit status: 0 if there\n"
	      "was no fault, 1 if there was one, 2 for a wrong option.\n",
	      to);
}

static uint64_t number(const char *option, const char *text, uint64_t least,
		       uint64_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || strchr(text, '-') || value < least ||
	    value > most) {
		fprintf(stderr, "stress: --%s: '%s' is not a number from %llu to %llu\n",
			option, text, (unsigned long long)least,
			(unsigned long long)most);
		exit(2);
	}
	return value;
}

/* Open the disk, which must be unused and have room for all threads. */
static int open_disk(const char *name, const struct stress_options *options)
{
	const unsigned long long need = options->processes * options->threads *
					STRESS_BUFFER_PAGES * PAGE;
	int fd = open(name, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	off_t size;

	if (fd < 0) {
		fprintf(stderr, "stress: --disk: '%s': %s\n", name, strerror(errno));
		exit(2);
	}
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || (unsigned long long)size < need) {
		fprintf(stderr, "stress: --disk: '%s' has %lld bytes, but that many threads need %llu\n",
			name, (long long)size, need);
		exit(2);
	}
	return fd;
}

void stress_options(struct stress_options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "processes", required_argument, NULL, 'P' },
		{ "threads", required_argument, NULL, 'T' },
		{ "pages", required_argument, NULL, 'p' },
		{ "disk", required_argument, NULL, 'd' },
		{ "leave", required_argument, NULL, 'l' },
		{ "print", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *disk = NULL;
	int c, i = -1;

	while ((c = getopt_long(argc, argv, "", table, &i)) != -1) {
		const char *name = i < 0 ? "" : table[i].name;

		switch (c) {
		case 's':
			options->seconds = number(name, optarg, 1, 1000000);
			break;
		case 'S':
			options->seed = number(name, optarg, 0, UINT64_MAX);
			break;
		case 'P':
			options->processes = number(name, optarg, 1, 256);
			break;
		case 'T':
			options->threads = number(name, optarg, 1, 256);
			break;
		case 'p':
			options->pages = number(name, optarg, 4, 1 << 20);
			break;
		case 'd':
			disk = optarg;
			break;
		case 'l':
			options->leave = number(name, optarg, 1, 1000000);
			break;
		case 'n':
			options->print = number(name, optarg, 1, 1000000);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "stress: unexpected argument '%s'; see --help\n",
			argv[optind]);
		exit(2);
	}
	if (disk)
		options->disk = open_disk(disk, options);
}

void stress_report_plan(const struct stress_options *options)
{
	struct stress_thread thread = { .options = options };

	for (unsigned int i = 0; i < options->processes; i++) {
		for (unsigned int j = 0; j < options->threads; j++) {
			thread.random = stress_seed(options->seed, i, j);
			for (unsigned int n = 0; n < options->print; n++) {
				struct stress_op op = stress_draw(&thread);

				printf("process %u, thread %u: %s, page %zu, %zu pages, distance %zu, flags %#x\n",
				       i, j, stress_name(op.kind), op.first,
				       op.count, op.distance, op.flags);
			}
		}
	}
}

void stress_report_hang(const struct stress_options *options,
			const struct stress_shared *shared, const pid_t *pids)
{
	for (unsigned int i = 0; i < options->processes * options->threads; i++) {
		unsigned int process = i / options->threads;

		if (pids[process])
			printf("process %u, thread %lu: did not end; its last operation was %lu (%s)\n",
			       process, i % options->threads,
			       shared->results[i].number,
			       stress_name(shared->results[i].at));
	}
}

static void report_refused(const char *way, const unsigned long *reasons)
{
	printf("refused %s:", way);
	for (int i = DEVPUB_REASON_UNMAPPED; i < REASONS; i++)
		if (reasons[i])
			printf(" %s %lu", reason_names[i] ? reason_names[i] : "?",
			       reasons[i]);
	printf("\n");
}

bool stress_report(const struct stress_options *options,
		   const struct stress_shared *shared)
{
	struct stress_result sum = { 0 };

	for (unsigned int i = 0; i < options->processes * options->threads; i++) {
		const struct stress_result *result = &shared->results[i];

		for (int kind = 0; kind < STRESS_KINDS; kind++) {
			sum.done[kind] += result->done[kind];
			sum.failed[kind] += result->failed[kind];
		}
		for (int reason = 0; reason < REASONS; reason++) {
			sum.reasons_to[reason] += result->reasons_to[reason];
			sum.reasons_from[reason] += result->reasons_from[reason];
		}
		sum.evicted += result->evicted;
		sum.checked += result->checked;
	}

	printf("%-14s %10s %10s\n", "operation", "times", "failed");
	for (int kind = 0; kind < STRESS_KINDS; kind++)
		printf("%-14s %10lu %10lu\n", stress_name(kind), sum.done[kind],
		       sum.failed[kind]);
	printf("pages: %lu to the device, %lu back, %lu populated, %lu evicted, %lu checked\n",
	       sum.reasons_to[DEVPUB_REASON_MOVED],
	       sum.reasons_from[DEVPUB_REASON_MOVED],
	       sum.reasons_to[DEVPUB_REASON_POPULATED], sum.evicted,
	       sum.checked);
	report_refused("on the way to the device", sum.reasons_to);
	report_refused("on the way back", sum.reasons_from);
	if (atomic_load(&shared->gone))
		printf("the device was removed\n");
	if (atomic_load(&shared->wrong)) {
		printf("wrong: %s\n", shared->text);
		return false;
	}
	if (!sum.reasons_to[DEVPUB_REASON_MOVED] ||
	    !sum.reasons_from[DEVPUB_REASON_MOVED]) {
		printf("wrong: no page moved to the device, or none moved back\n");
		return false;
	}
	return true;
}
