/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Lines of the Kernel Test Anything Protocol, version 1. */
#ifndef DEVPUB_TESTS_KTAP_H
#define DEVPUB_TESTS_KTAP_H

#include <stdio.h>

/* exit status of a skipped test in kselftest */
#define KTAP_EXIT_SKIP	4

static inline void ktap_plan(unsigned int cases)
{
	printf("KTAP version 1\n1..%u\n", cases);
}

static inline void ktap_ok(unsigned int nr, const char *name)
{
	printf("ok %u %s\n", nr, name);
}

static inline void ktap_not_ok(unsigned int nr, const char *name)
{
	printf("not ok %u %s\n", nr, name);
}

static inline void ktap_skip(unsigned int nr, const char *name, const char *why)
{
	printf("ok %u %s # SKIP %s\n", nr, name, why);
}

/* failed as expected */
static inline void ktap_xfail(unsigned int nr, const char *name, const char *why)
{
	printf("ok %u %s # XFAIL %s\n", nr, name, why);
}

#endif /* DEVPUB_TESTS_KTAP_H */
