/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* What the stress is told, and what it tells. */
#ifndef DEVPUB_TESTS_STRESS_REPORT_H
#define DEVPUB_TESTS_STRESS_REPORT_H

#include <sys/types.h>

#include "stress.h"

/* Ends the program when asked for help, or for what is wrong. */
void stress_options(struct stress_options *options, int argc, char **argv);

/* The first operations of each thread. */
void stress_report_plan(const struct stress_options *options);

/* What the processes that have not ended are at. */
void stress_report_hang(const struct stress_options *options,
			const struct stress_shared *shared, const pid_t *pids);

/* The summary; false when something was wrong. */
bool stress_report(const struct stress_options *options,
		   const struct stress_shared *shared);

#endif /* DEVPUB_TESTS_STRESS_REPORT_H */
