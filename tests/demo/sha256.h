/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_TESTS_SHA256_H
#define DEVPUB_TESTS_SHA256_H

#include <stddef.h>

/* Compute the digest in hexadecimal, as sha256sum prints it. */
struct sha256 {
	char hex[65];
};

struct sha256 sha256(const void *data, size_t size);

#endif /* DEVPUB_TESTS_SHA256_H */
