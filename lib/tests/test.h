/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of the tests share. */
#ifndef DEVPUB_LIB_TEST_H
#define DEVPUB_LIB_TEST_H

#include <devpub_check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "devpub.h"

#define CHECK_FAIL(...)							\
	do {								\
		printf("# %s:%d: ", __FILE__, __LINE__);		\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		return -1;						\
	} while (0)

extern size_t page_size;

/* Skip the case: return the result of this call. */
int skip(const char *reason);

/* Allocate small pages and write 42 to each byte. */
char *touched(size_t pages);

/* Migrate all pages, with retries while pages are busy.  Return how many have moved. */
uint64_t insist(struct devpub *dev, char *memory, size_t pages);

/* test_access.c */
int test_access(struct devpub *dev);
int test_access_ends(struct devpub *dev);
int test_access_process(struct devpub *dev);

/* test_limits.c */
int test_arguments(void);
int test_wide_ranges(void);
int test_absent_device(void);
int test_attach(void);
int test_no_descriptors(void);

#endif /* DEVPUB_LIB_TEST_H */
