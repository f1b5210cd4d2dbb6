// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Mirrors of a test's processes. */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/hmm.h>

#include "access/mirror.h"
#include "access/mirror_block.h"
#include "mirror.h"
#include "pte.h"
#include "user.h"

/**
 * devpub_mirror_test_new() - create a mirror of a process
 * @test: the case; asserts that this succeeds
 * @user: the process
 *
 * Return: the mirror.
 */
struct devpub_mirror *devpub_mirror_test_new(struct kunit *test, struct devpub_user *user)
{
	struct devpub_mirror *mirror = devpub_mirror_create(user->mm);

	KUNIT_ASSERT_FALSE(test, IS_ERR(mirror));
	return mirror;
}

/**
 * devpub_mirror_test_word() - read or write a word through a mirror
 * @mirror: the mirror
 * @addr: the address
 * @write: true to write
 * @value: the word
 *
 * Return: false if the mirror has no entry for that.
 */
bool devpub_mirror_test_word(struct devpub_mirror *mirror, unsigned long addr, bool write,
			     u64 *value)
{
	struct devpub_mirror_span span = { .addr = addr, .write = write };
	bool ok = !devpub_mirror_lock(mirror, &span, 1);

	if (ok) {
		if (write)
			*(u64 *)span.kaddr = *value;
		else
			*value = *(u64 *)span.kaddr;
		devpub_mirror_unlock(&span, 1);
	}
	devpub_mirror_put(&span, 1);
	return ok;
}

/**
 * devpub_mirror_test_expect() - expect the mirror to say what the page tables say
 * @test: the case
 * @mirror: the mirror
 * @user: the process
 * @addr: the address
 */
void devpub_mirror_test_expect(struct kunit *test, struct devpub_mirror *mirror,
			       struct devpub_user *user, unsigned long addr)
{
	unsigned long entry = devpub_mirror_peek(mirror, addr);
	struct devpub_pte pte = devpub_pte_read(user->mm, addr);

	KUNIT_EXPECT_EQ(test, !!(entry & HMM_PFN_VALID), pte.present);
	KUNIT_EXPECT_EQ(test, !!(entry & HMM_PFN_WRITE), pte.writable);
	KUNIT_EXPECT_EQ(test, entry & ~HMM_PFN_FLAGS, pte.pfn);
}

/**
 * devpub_mirror_test_add_blocks() - let a mirror have more blocks than it keeps
 * @mirror: the mirror
 * @addr: the blocks follow that of this address
 */
void devpub_mirror_test_add_blocks(struct devpub_mirror *mirror, unsigned long addr)
{
	struct devpub_mirror_block *block;
	unsigned long i;

	for (i = 1; i <= 2 * DEVPUB_MIRROR_BLOCKS; i++) {
		block = devpub_mirror_get_block(mirror, addr + i * DEVPUB_BLOCK_SIZE);
		if (!IS_ERR(block))
			devpub_mirror_block_put(block);
	}
}
