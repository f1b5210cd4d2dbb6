// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include "harness.h"
#include "mem.h"
#include "uffd.h"

int uffd_open(uint64_t features)
{
	int uffd = uffd_try_open(features);

	if (uffd < 0)
		SKIP("no userfaultfd with features %#llx: %s",
		     (unsigned long long)features, strerror(errno));
	return uffd;
}

void uffd_register(int uffd, void *addr, size_t pages, uint64_t mode)
{
	if (uffd_try_register(uffd, mem_map(1), 1, mode))
		SKIP("userfaultfd can't do this: %s", strerror(errno));
	CHECK_CALL(uffd_try_register(uffd, addr, pages, mode));
}

void uffd_protect(int uffd, void *addr, size_t pages, bool on)
{
	CHECK_CALL(uffd_try_protect(uffd, addr, pages, on));
}
