// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "device.h"
#include "gup.h"
#include "harness.h"
#include "mem.h"

/* The ABI of mm/gup_test.h, which the kernel does not export to user space. */
struct pin {
	uint64_t addr, size;
	uint32_t flags;
};

#define PIN_START	_IOW('g', 7, struct pin)
#define PIN_STOP	_IO('g', 8)
#define PIN_READ	_IOW('g', 9, uint64_t)

int gup_open(void)
{
	int gup = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);

	if (gup < 0)
		SKIP("no /sys/kernel/debug/gup_test: the kernel has no CONFIG_GUP_TEST");
	/* Before 6.2, gup_test has no command for long-term pins. */
	if (!gup_pin(gup, mem_new(1, 1), 1, 0))
		SKIP("gup_test: %s", strerror(errno));
	gup_unpin(gup);
	return gup;
}

bool gup_pin(int gup, const void *addr, size_t pages, unsigned int flags)
{
	struct pin pin = {
		.addr = address(addr), .size = pages * PAGE, .flags = flags,
	};

	return !ioctl(gup, PIN_START, &pin);
}

void gup_check(int gup, size_t pages, uint64_t seed)
{
	char *seen = mem_map(pages);
	uint64_t to = address(seen);

	CHECK_CALL(ioctl(gup, PIN_READ, &to));
	mem_check(seen, pages, seed);
	CHECK_CALL(munmap(seen, pages * PAGE));
}

void gup_unpin(int gup)
{
	CHECK_CALL(ioctl(gup, PIN_STOP));
}
