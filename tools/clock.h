/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_TOOLS_CLOCK_H
#define DEVPUB_TOOLS_CLOCK_H

#include <time.h>

/* Return the time of the monotonic clock in seconds. */
static inline double clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

#endif /* DEVPUB_TOOLS_CLOCK_H */
