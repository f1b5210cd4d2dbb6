// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A separate thread writes the line, so that it also appears during a long call.  The thread
 * blocks all signals, so that they interrupt the call.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "printable.h"
#include "progress.h"
#include "text.h"

#define SILENT_SECONDS	2

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool running;
	bool end;
	char what[128];
	uint64_t total;
	_Atomic uint64_t done;
} progress = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ended = PTHREAD_COND_INITIALIZER,
};

static void show(int seconds)
{
	const uint64_t done = atomic_load(&progress.done);
	char a[TEXT_SIZE], b[TEXT_SIZE];

	fprintf(stderr, "\r\033[K%s: ", progress.what);
	if (progress.total)
		fprintf(stderr, "%.0f%%, %s of %s, ",
			100.0 * done / progress.total, text_size(a, done),
			text_size(b, progress.total));
	fprintf(stderr, "%d s", seconds);
	fflush(stderr);
}

static void *reporter(void *arg)
{
	struct timespec at;
	int seconds = 0;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &at);
	pthread_mutex_lock(&progress.lock);
	while (!progress.end) {
		at.tv_sec++;
		while (!progress.end &&
		       pthread_cond_timedwait(&progress.ended, &progress.lock,
					      &at) != ETIMEDOUT)
			;
		if (!progress.end && ++seconds >= SILENT_SECONDS)
			show(seconds);
	}
	pthread_mutex_unlock(&progress.lock);
	if (seconds >= SILENT_SECONDS)
		fputs("\r\033[K", stderr);
	return NULL;
}

void progress_begin(const char *what, uint64_t total)
{
	sigset_t all, old;

	if (!isatty(STDERR_FILENO))
		return;
	printable(progress.what, sizeof(progress.what), what, PRINTABLE_TERMINAL);
	progress.total = total;
	progress.end = false;
	atomic_store(&progress.done, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* Ignore failures: the progress line is optional. */
	progress.running = !pthread_create(&progress.thread, NULL, reporter,
					   NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void progress_add(uint64_t bytes)
{
	atomic_fetch_add(&progress.done, bytes);
}

void progress_end(void)
{
	if (!progress.running)
		return;
	pthread_mutex_lock(&progress.lock);
	progress.end = true;
	pthread_cond_signal(&progress.ended);
	pthread_mutex_unlock(&progress.lock);
	pthread_join(progress.thread, NULL);
	progress.running = false;
}
