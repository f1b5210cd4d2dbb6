/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of the tests share. */
#ifndef DEVPUB_LIB_TEST_H
#define DEVPUB_LIB_TEST_H

#include <devpub_check.h>
#include <stdio.h>

#define CHECK_FAIL(...)							\
	do {								\
		printf("# %s:%d: ", __FILE__, __LINE__);		\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		return -1;						\
	} while (0)

/* test_limits.c */
int test_arguments(void);
int test_wide_ranges(void);
int test_absent_device(void);
int test_attach(void);
int test_no_descriptors(void);

#endif /* DEVPUB_LIB_TEST_H */
