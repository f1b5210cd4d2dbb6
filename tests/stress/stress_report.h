/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The options and the reports of the stress. */
#ifndef DEVPUB_TESTS_STRESS_REPORT_H
#define DEVPUB_TESTS_STRESS_REPORT_H

#include <sys/types.h>

#include "stress.h"

/* Parse the options.  Exit for --help and after an error. */
void stress_options(struct stress_options *options, int argc, char **argv);

/* Print the first operations of each thread. */
void stress_report_plan(const struct stress_options *options);

/* Print the current operations of the processes that have not ended. */
void stress_report_hang(const struct stress_options *options,
			const struct stress_shared *shared, const pid_t *pids);

/* Print the summary.  Return false if there was a fault. */
bool stress_report(const struct stress_options *options,
		   const struct stress_shared *shared);

#endif /* DEVPUB_TESTS_STRESS_REPORT_H */
