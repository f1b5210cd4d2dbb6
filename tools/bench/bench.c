// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The benchmark: measures migrations, and other operations for comparison. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/devpub.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MAX_LIST	32
#define MAX_REPEAT	1000

static const char help[] =
"usage: bench [OPTION...] [WHAT...]\n"
"Measures migrations, and other operations for comparison, in nanoseconds per page.\n"
"\n"
"  -d, --device=N       use /dev/devpubN (default: 0)\n"
"  -p, --pages=N,...    pages per call, or a size with K, M or G (default: 64M)\n"
"  -s, --source=NAME,...  kind of memory: small, thp, forked or threads\n"
"                       (default: small)\n"
"  -w, --workers=N,...  maximum number of processors per call; 0 (default): the module\n"
"                       chooses\n"
"  -r, --repeat=N       measured repetitions, after one that is discarded (default: 7)\n"
"  -J, --json           print JSON instead of a table\n"
"      --profile        mark the timed parts, for scripts/bench\n"
"  -h, --help           print this help\n"
"\n"
"WHAT (default: all that work on this machine):\n";

static int message_fd = -1;

/* The number of workers that is being measured, if several alternate; else NULL. */
static const unsigned long *turn_of;

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (message_fd >= 0) {
		if (turn_of)
			dprintf(message_fd, "workers %lu: ", *turn_of);
		vdprintf(message_fd, format, args);
	} else {
		vfprintf(stderr, format, args);
	}
	va_end(args);
	_exit(1);
}

__attribute__((noreturn, format(printf, 1, 2)))
static void usage(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see: bench --help\n", stderr);
	exit(2);
}

static void print_help(void)
{
	size_t i;

	fputs(help, stdout);
	for (i = 0; i < nr_subjects; i++)
		printf("  %-10s %s\n", subjects[i].name, subjects[i].help);
}

struct list {
	unsigned long values[MAX_LIST];
	size_t n;
};

/* Parse a number of pages, or a size with a suffix.  Return a number of pages. */
static unsigned long parse_pages(const char *word)
{
	unsigned long value, unit = 0;
	char *end;

	errno = 0;
	value = strtoul(word, &end, 10);
	switch (*end) {
	case 'K': unit = 1UL << 10; break;
	case 'M': unit = 1UL << 20; break;
	case 'G': unit = 1UL << 30; break;
	}
	if (unit)
		end++;
	if (errno || end == word || *end || value > (1UL << 40) / (unit ? unit : PAGE))
		usage("'%s' is neither a number of pages nor a size", word);
	if (unit)
		value = value * unit / PAGE;
	if (!value)
		usage("'%s' is less than a page", word);
	return value;
}

static unsigned long parse_number(const char *word)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, 10);
	if (errno || end == word || *end || value > 1 << 20)
		usage("'%s' is no number for this", word);
	return value;
}

static unsigned long parse_source(const char *word)
{
	unsigned long i;

	for (i = 0; i < SOURCES; i++)
		if (!strcmp(word, source_names[i]))
			return i;
	usage("'%s' is no source", word);
}

static void parse_list(struct list *list, char *words, unsigned long (*parse)(const char *))
{
	char *word;

	list->n = 0;
	for (word = strtok(words, ","); word; word = strtok(NULL, ",")) {
		if (list->n == MAX_LIST)
			usage("more than %d at a time", MAX_LIST);
		list->values[list->n++] = parse(word);
	}
	if (!list->n)
		usage("an option's list is empty");
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Measure in a separate process, so that the state of one mm does not affect another
 * measurement.  Each repetition measures all numbers of workers, so that drift affects all.
 */
__attribute__((noreturn))
static void measure_in_turns(const struct subject *subject, const struct bench *bench,
			     const struct list *workers, unsigned int repeat, int results)
{
	struct bench turn = *bench;
	unsigned int i;
	uint64_t took;
	size_t w;

	for (i = 0; i <= repeat; i++) {
		for (w = 0; w < workers->n; w++) {
			/* Discard the first repetition. */
			turn.profile = bench->profile && i;
			turn.workers = workers->values[w];
			turn_of = workers->n > 1 ? &workers->values[w] : NULL;
			took = subject->run(&turn);
			if (i && write(results, &took, sizeof(took)) != sizeof(took))
				_exit(1);
		}
	}
	_exit(0);
}

static uint64_t samples[MAX_LIST][MAX_REPEAT];

static bool measure(const struct subject *subject, const struct bench *bench,
		    const struct list *workers, unsigned int repeat,
		    char *message, size_t size)
{
	size_t want = repeat * workers->n, n;
	int results[2], messages[2], status;
	uint64_t took;
	ssize_t got;
	pid_t pid;

	if (pipe(results) || pipe(messages))
		bench_die("bench: pipe: %s\n", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bench_die("bench: fork: %s\n", strerror(errno));
	if (!pid) {
		message_fd = messages[1];
		measure_in_turns(subject, bench, workers, repeat, results[1]);
	}
	close(results[1]);
	close(messages[1]);
	for (n = 0; n < want; n++) {
		if (read(results[0], &took, sizeof(took)) != sizeof(took))
			break;
		samples[n % workers->n][n / workers->n] = took;
	}
	got = read(messages[0], message, size - 1);
	message[got > 0 ? got : 0] = '\0';
	close(results[0]);
	close(messages[0]);
	waitpid(pid, &status, 0);
	if (n == want)
		return true;
	if (!*message)
		snprintf(message, size, "ended with status %#x", status);
	return false;
}

static bool json, failed;
static unsigned int rows;

static void report(const struct subject *subject, const struct bench *bench,
		   unsigned long workers, uint64_t *took, unsigned int n)
{
	double pages = bench->pages;
	double median;

	qsort(took, n, sizeof(*took), by_value);
	median = n % 2 ? took[n / 2] : (took[n / 2 - 1] + took[n / 2]) / 2.0;
	if (json)
		printf("%s\n\t\t{\"what\": \"%s\", \"source\": \"%s\", \"pages\": %zu, \"workers\": %lu, \"repeat\": %u, \"median\": %.1f, \"min\": %.1f, \"max\": %.1f}",
		       rows ? "," : "", subject->name, source_names[bench->source], bench->pages,
		       workers, n, median / pages, took[0] / pages, took[n - 1] / pages);
	else
		printf("%-10s %-8s %8zu %7lu %6u %10.1f %10.1f %10.1f\n", subject->name,
		       source_names[bench->source], bench->pages, workers, n, median / pages,
		       took[0] / pages, took[n - 1] / pages);
	rows++;
}

static void rows_of(const struct subject *subject, const struct bench *bench,
		    const struct list *workers, unsigned int repeat)
{
	char message[256];
	size_t w;

	if (measure(subject, bench, workers, repeat, message, sizeof(message))) {
		for (w = 0; w < workers->n; w++)
			report(subject, bench, workers->values[w], samples[w], repeat);
		return;
	}
	fflush(stdout);
	fprintf(stderr, "bench: %s of %zu %s pages: %s\n", subject->name, bench->pages,
		source_names[bench->source], message);
	failed = true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "pages", required_argument, NULL, 'p' },
		{ "source", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'J' },
		{ "profile", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct list pages = { { (64UL << 20) / PAGE }, 1 };
	struct list sources = { { SOURCE_SMALL }, 1 }, workers = { { 0 }, 1 };
	const struct list nobody = workers;
	unsigned int repeat = 7;
	struct bench bench = { };
	const char *lacks;
	size_t i, p, s;
	int option, a;

	while ((option = getopt_long(argc, argv, "d:p:s:w:r:Jh", options, NULL)) != -1) {
		switch (option) {
		case 'd': bench.device = parse_number(optarg); break;
		case 'p': parse_list(&pages, optarg, parse_pages); break;
		case 's': parse_list(&sources, optarg, parse_source); break;
		case 'w': parse_list(&workers, optarg, parse_number); break;
		case 'r': repeat = parse_number(optarg); break;
		case 'J': json = true; break;
		case 'P': bench.profile = true; break;
		case 'h':
			print_help();
			return 0;
		default:
			return 2;
		}
	}
	if (!repeat || repeat > MAX_REPEAT)
		usage("--repeat can be 1 to %d", MAX_REPEAT);
	for (a = optind; a < argc; a++) {
		for (i = 0; i < nr_subjects && strcmp(argv[a], subjects[i].name); i++)
			;
		if (i == nr_subjects)
			usage("'%s' can't be measured", argv[a]);
	}

	if (json)
		printf("{\n\t\"unit\": \"ns a page\",\n\t\"bench\": [");
	else
		printf("%-10s %-8s %8s %7s %6s %10s %10s %10s\n", "WHAT", "SOURCE", "PAGES",
		       "WORKERS", "REPEAT", "MEDIAN", "MIN", "MAX");
	for (i = 0; i < nr_subjects; i++) {
		for (a = optind; a < argc && strcmp(argv[a], subjects[i].name); a++)
			;
		if (optind < argc && a == argc)
			continue;
		lacks = bench_lacks(&subjects[i], &bench);
		if (lacks) {
			fprintf(stderr, "bench: %s: %s\n", subjects[i].name, lacks);
			failed |= optind < argc;
			continue;
		}
		for (p = 0; p < pages.n; p++)
		for (s = 0; s < (subjects[i].sourced ? sources.n : 1); s++) {
			bench.pages = pages.values[p];
			bench.source = subjects[i].sourced ? sources.values[s] : SOURCE_SMALL;
			rows_of(&subjects[i], &bench, subjects[i].parallel ? &workers : &nobody,
				repeat);
		}
	}
	if (json)
		printf("\n\t]\n}\n");
	return fflush(stdout) || failed;
}
