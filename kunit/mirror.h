/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRROR_TEST_H
#define DEVPUB_MIRROR_TEST_H

#include <linux/types.h>

struct devpub_mirror;
struct devpub_user;
struct kunit;

struct devpub_mirror *devpub_mirror_test_new(struct kunit *test, struct devpub_user *user);
bool devpub_mirror_test_word(struct devpub_mirror *mirror, unsigned long addr, bool write,
			     u64 *value);
void devpub_mirror_test_expect(struct kunit *test, struct devpub_mirror *mirror,
			       struct devpub_user *user, unsigned long addr);
void devpub_mirror_test_add_blocks(struct devpub_mirror *mirror, unsigned long addr);

#endif /* DEVPUB_MIRROR_TEST_H */
