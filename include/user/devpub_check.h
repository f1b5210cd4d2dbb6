/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Checks of test programs.  A program defines CHECK_FAIL(format, ...), which reports a check
 * that has failed, with its place, and ends the case.
 */
#ifndef DEVPUB_CHECK_H
#define DEVPUB_CHECK_H

#include <errno.h>
#include <string.h>

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			CHECK_FAIL("not true: %s", #cond);		\
	} while (0)

/* For integers of any type; as unsigned ones where the order counts. */
#define CHECK_CMP(a, op, b)						\
	do {								\
		unsigned long long a_ = (a), b_ = (b);			\
									\
		if (!(a_ op b_))					\
			CHECK_FAIL("%s %s %s: got %lld, %lld",		\
				   #a, #op, #b, (long long)a_,		\
				   (long long)b_);			\
	} while (0)

#define CHECK_EQ(a, b)	CHECK_CMP(a, ==, b)

/* For calls that return -1 and set errno. */
#define CHECK_CALL(call)						\
	do {								\
		if ((call) == -1)					\
			CHECK_FAIL("%s: %s", #call, strerror(errno));	\
	} while (0)

#define CHECK_ERRNO(call, expected)					\
	do {								\
		int ret_ = (call);					\
									\
		if (ret_ != -1)						\
			CHECK_FAIL("%s: returned %d instead of %s",	\
				   #call, ret_, #expected);		\
		if (errno != (expected))				\
			CHECK_FAIL("%s: %s instead of %s",		\
				   #call, strerror(errno), #expected);	\
	} while (0)

#endif /* DEVPUB_CHECK_H */
