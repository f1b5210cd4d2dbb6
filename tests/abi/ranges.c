// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Invalid ranges, and addresses without ordinary memory. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define KERNEL_HALF	0xffff888000000000ULL
#define NOT_CANONICAL	0x8000000000000000ULL
#define VSYSCALL	0xffffffffff600000ULL
#define LAST_PAGE	0xfffffffffffff000ULL

/* Check that every call refuses the range with this errno, and writes nothing. */
static void refused(uint64_t addr, uint64_t length, int expected)
{
	const unsigned long calls[] = {
		DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM,
	};
	struct devpub_query asked = {
		.addr = addr, .length = length, .done = 1, .absent = 2,
		.system = 3, .device = 4, .other_device = 5, .other = 6,
	};
	struct devpub_query asked_before = asked;
	int fd = device_open();

	for (int i = 0; i < 2; i++) {
		struct devpub_migrate arg = {
			.addr = addr, .length = length, .done = 1, .moved = 2,
			.populated = 3, .already = 4, .absent = 5, .refused = 6,
		};
		struct devpub_migrate before = arg;

		CHECK_ERRNO(ioctl(fd, calls[i], &arg), expected);
		CHECK(!memcmp(&arg, &before, sizeof(arg)));
	}
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_QUERY, &asked), expected);
	CHECK(!memcmp(&asked, &asked_before, sizeof(asked)));
	close(fd);
}

CASE(unaligned)
{
	uint64_t addr = address(mem_new(4, 1));

	refused(addr + 1, PAGE, EINVAL);
	refused(addr + 8, PAGE, EINVAL);
	refused(addr + PAGE - 1, PAGE, EINVAL);
	refused(addr, 1, EINVAL);
	refused(addr, PAGE - 1, EINVAL);
	refused(addr, PAGE + 1, EINVAL);
	refused(addr + 1, PAGE - 1, EINVAL);
}

CASE(empty)
{
	refused(address(mem_new(1, 1)), 0, EINVAL);
	refused(0, 0, EINVAL);
}

CASE(overflowing)
{
	uint64_t addr = address(mem_new(1, 1));

	refused(addr, -addr + PAGE, EOVERFLOW);
	refused(addr, LAST_PAGE, EOVERFLOW);
	refused(LAST_PAGE, 2 * PAGE, EOVERFLOW);
	refused(KERNEL_HALF, KERNEL_HALF, EOVERFLOW);
}

CASE(kernel_half)
{
	refused(KERNEL_HALF, PAGE, EFAULT);
	refused(KERNEL_HALF, 1ULL << 40, EFAULT);
	refused(NOT_CANONICAL, PAGE, EFAULT);
	refused(LAST_PAGE - PAGE, PAGE, EFAULT);
	refused(0, KERNEL_HALF + PAGE, EFAULT);
	refused(0, LAST_PAGE, EFAULT);
}

CASE(vsyscall)
{
	refused(VSYSCALL, PAGE, EFAULT);
}

/* A range that extends from the process's memory into the kernel's: nothing moves. */
CASE(into_kernel_half)
{
	char *addr = mem_new(16, 1);
	int fd = device_open();

	refused(address(addr), KERNEL_HALF - address(addr) + PAGE, EFAULT);
	check_in_system(fd, addr, 16);
}

/* For a 32-bit program, all addresses above 4 GiB belong to the kernel. */
CASE(beyond_32_bits)
{
	if (sizeof(long) == 8)
		SKIP("a case of the 32-bit build");
	refused(1ULL << 32, PAGE, EFAULT);
	refused(1ULL << 46, PAGE, EFAULT);
	refused(0, 1ULL << 33, EFAULT);
}

static void all_of(const void *addr, size_t pages, enum devpub_reason reason)
{
	int fd = device_open();

	to_device_all(fd, addr, pages, reason);
	to_system_all(fd, addr, pages, reason);
	close(fd);
}

CASE(unmapped)
{
	char *addr = mem_new(1000, 1);
	int fd = device_open();

	CHECK_CALL(munmap(addr, 1000 * PAGE));
	all_of(addr, 1000, DEVPUB_REASON_UNMAPPED);
	all_of(addr + 17 * PAGE, 1, DEVPUB_REASON_UNMAPPED);
	check_absent(fd, addr, 1000);
	/* Holes in mappings are populated, but gaps between mappings are not. */
	CHECK_EQ(populate(fd, addr, 1000).pages[DEVPUB_REASON_UNMAPPED], 1000);
	check_absent(fd, addr, 1000);
}

CASE(null_page)
{
	all_of(NULL, 16, DEVPUB_REASON_UNMAPPED);
}

CASE(partly_unmapped)
{
	unsigned char reasons[30];
	int fd = device_open();
	char *addr = mem_new(30, 1);

	CHECK_CALL(munmap(addr, 10 * PAGE));
	CHECK_CALL(munmap(addr + 20 * PAGE, 10 * PAGE));
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, 30, 0, reasons);
	for (int i = 0; i < 30; i++)
		CHECK_EQ(reasons[i], i / 10 == 1 ? DEVPUB_REASON_MOVED :
						   DEVPUB_REASON_UNMAPPED);
	check_on_device(fd, addr + 10 * PAGE, 10);
}

static void special(const char *name)
{
	size_t pages;
	void *addr = mem_find(name, &pages);

	if (!addr)
		SKIP("no %s in this process", name);
	to_device_all(device_open(), addr, pages, DEVPUB_REASON_SPECIAL);
	CHECK_EQ(populate(device_open(), addr, pages)
		 .pages[DEVPUB_REASON_SPECIAL], pages);
}

CASE(vdso)
{
	special("[vdso]");
}

CASE(vvar)
{
	special("[vvar]");
}

/* Clocks read the vvar pages through the vdso, so they show that both still work. */
CASE(clock_after_vdso)
{
	unsigned long long before = test_milliseconds();
	size_t pages;
	void *addr = mem_find("[vdso]", &pages);

	if (!addr)
		SKIP("no vdso in this process");
	to_device(device_open(), addr, pages);
	to_system(device_open(), addr, pages);
	CHECK_CMP(test_milliseconds(), >=, before);
}

CASE(stack_and_heap)
{
	const size_t pages = 100;
	char stack[100 * 4096 + 4096];
	char *page = stack + (-address(stack) & (PAGE - 1));
	size_t heap_pages;
	char *heap;
	int fd = device_open();

	mem_fill(page, pages, 1);
	move_to_device(fd, page, pages);
	check_on_device(fd, page, pages);
	mem_check(page, pages, 1);
	move_to_system(fd, page, pages);
	mem_check(page, pages, 1);

	heap = sbrk(0);
	heap += -address(heap) & (PAGE - 1);
	CHECK(brk(heap + pages * PAGE) == 0);
	mem_fill(heap, pages, 2);
	CHECK(mem_find("[heap]", &heap_pages));
	move_to_device(fd, heap, pages);
	check_on_device(fd, heap, pages);
	mem_check(heap, pages, 2);
}

/* Migrate the calling code, its stack and its data. */
CASE(every_mapping)
{
	unsigned long long start[64], end[64];
	unsigned long moved = 0, back = 0;
	int fd = device_open();
	char *addr = mem_new(200, 1);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int n = 0;

	CHECK(maps);
	while (n < 64 && fgets(line, sizeof(line), maps)) {
		CHECK_EQ(sscanf(line, "%llx-%llx", &start[n], &end[n]), 2);
		if (start[n] != VSYSCALL)
			n++;
	}
	fclose(maps);
	for (int i = 0; i < n; i++)
		moved += to_device(fd, (void *)(uintptr_t)start[i],
				   (end[i] - start[i]) / PAGE)
			.pages[DEVPUB_REASON_MOVED];
	CHECK_CMP(moved, >=, 200);
	check_on_device(fd, addr, 200);
	mem_check(addr, 200, 1);
	for (int i = 0; i < n; i++)
		back += to_system(fd, (void *)(uintptr_t)start[i],
				  (end[i] - start[i]) / PAGE)
			.pages[DEVPUB_REASON_MOVED];
	CHECK_CMP(back, >=, 200);
	mem_check(addr, 200, 1);
}
