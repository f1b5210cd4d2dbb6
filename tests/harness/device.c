// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define BUSY_TRIES	20

static int device_try_open(unsigned int index)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/devpub%u", index);
	return open(path, O_RDWR | O_CLOEXEC);
}

int device_info_of(unsigned int index, struct devpub_info *info)
{
	int fd = device_try_open(index);
	int ret;

	if (fd < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	ret = ioctl(fd, DEVPUB_IOC_INFO, info);
	close(fd);
	return ret;
}

int device_open(void)
{
	int fd = device_try_open(0);

	if (fd < 0)
		FAIL("/dev/devpub0: %s", strerror(errno));
	return fd;
}

int device_open_nth(unsigned int index)
{
	int fd = device_try_open(index);

	if (fd < 0)
		SKIP("needs /dev/devpub%u: load devpub with more devices", index);
	return fd;
}

struct devpub_info device_info(int fd)
{
	struct devpub_info info = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_INFO, &info));
	CHECK_EQ(info.page_size, PAGE);
	return info;
}

uint64_t device_free_pages(int fd)
{
	return device_info(fd).free / PAGE;
}

void device_await_free_pages(int fd, uint64_t pages)
{
	unsigned long long end = test_milliseconds() + 5000;
	uint64_t now;

	while ((now = device_free_pages(fd)) != pages) {
		if (test_milliseconds() > end)
			FAIL("%llu pages free instead of %llu",
			     (unsigned long long)now, (unsigned long long)pages);
		test_sleep(20);
	}
}

const char *device_attribute(int fd, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/class/devpub/devpub%u/%s",
		 device_info(fd).index, name);
	return path;
}

unsigned long long device_counter(int fd, const char *name)
{
	const char *path = device_attribute(fd, name);
	unsigned long long value;

	if (test_read_value(path, &value))
		FAIL("%s: no number in it", path);
	return value;
}

struct outcome check_sums(const struct devpub_migrate *arg,
			  const unsigned char *reasons)
{
	size_t pages = arg->done / PAGE;
	struct outcome out = { 0 };
	uint64_t refused = 0;

	CHECK_EQ(arg->done % PAGE, 0);
	CHECK_CMP(arg->done, <=, arg->length);
	CHECK_EQ(arg->moved + arg->populated + arg->already + arg->absent +
		 arg->refused, pages);
	for (size_t i = 0; i < pages; i++) {
		if (reasons[i] == DEVPUB_REASON_UNSEEN || reasons[i] >= REASONS)
			FAIL("page %zu of %zu: reason %u", i, pages, reasons[i]);
		out.pages[reasons[i]]++;
	}
	CHECK_EQ(arg->moved, out.pages[DEVPUB_REASON_MOVED]);
	CHECK_EQ(arg->populated, out.pages[DEVPUB_REASON_POPULATED]);
	CHECK_EQ(arg->already, out.pages[DEVPUB_REASON_ALREADY]);
	CHECK_EQ(arg->absent, out.pages[DEVPUB_REASON_ABSENT]);
	for (int i = DEVPUB_REASON_UNMAPPED; i < REASONS; i++)
		refused += out.pages[i];
	CHECK_EQ(arg->refused, refused);
	return out;
}

/* Bytes around the array detect a reason that is written out of bounds. */
#define CANARY		0xc5
#define CANARY_SIZE	64

static struct outcome migrate_once(int fd, unsigned long cmd, const void *addr,
				   size_t pages, unsigned int flags,
				   unsigned char *reasons)
{
	unsigned char *array = malloc(pages + 2 * CANARY_SIZE);
	struct devpub_migrate arg;
	struct outcome out;

	CHECK(array);
	memset(array, CANARY, pages + 2 * CANARY_SIZE);
	arg = migrate_arg(addr, pages, array + CANARY_SIZE);
	arg.flags = flags;
	CHECK_CALL(ioctl(fd, cmd, &arg));
	CHECK_EQ(arg.done, (uint64_t)pages * PAGE);
	CHECK_EQ(arg.flags, flags);
	CHECK_EQ(arg.addr, address(addr));
	CHECK_EQ(arg.length, (uint64_t)pages * PAGE);
	out = check_sums(&arg, array + CANARY_SIZE);
	for (int i = 0; i < CANARY_SIZE; i++) {
		CHECK_EQ(array[i], CANARY);
		CHECK_EQ(array[CANARY_SIZE + pages + i], CANARY);
	}
	memcpy(reasons, array + CANARY_SIZE, pages);
	free(array);
	return out;
}

struct outcome migrate_range(int fd, unsigned long cmd, const void *addr,
			     size_t pages, unsigned int flags,
			     unsigned char *reasons)
{
	unsigned char *final = malloc(pages), *again = malloc(pages);
	struct outcome out;

	CHECK(final && again);
	out = migrate_once(fd, cmd, addr, pages, flags, final);
	for (int i = 0; i < BUSY_TRIES && out.pages[DEVPUB_REASON_BUSY]; i++) {
		test_sleep(50);
		migrate_once(fd, cmd, addr, pages, flags, again);
		for (size_t page = 0; page < pages; page++) {
			if (final[page] != DEVPUB_REASON_BUSY)
				continue;
			out.pages[DEVPUB_REASON_BUSY]--;
			final[page] = again[page];
			out.pages[final[page]]++;
		}
	}
	if (reasons)
		memcpy(reasons, final, pages);
	free(final);
	free(again);
	return out;
}

static struct outcome move_once(int fd, unsigned long cmd, const void *addr,
				size_t pages)
{
	unsigned char *reasons = malloc(pages);
	struct outcome out;

	CHECK(reasons);
	out = migrate_once(fd, cmd, addr, pages, 0, reasons);
	free(reasons);
	return out;
}

struct outcome to_device_once(int fd, const void *addr, size_t pages)
{
	return move_once(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages);
}

struct outcome to_system_once(int fd, const void *addr, size_t pages)
{
	return move_once(fd, DEVPUB_IOC_MIGRATE_FROM, addr, pages);
}

struct outcome to_device(int fd, const void *addr, size_t pages)
{
	return migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0, NULL);
}

struct outcome populate(int fd, const void *addr, size_t pages)
{
	return migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages,
			     DEVPUB_MIGRATE_POPULATE, NULL);
}

struct outcome to_system(int fd, const void *addr, size_t pages)
{
	return migrate_range(fd, DEVPUB_IOC_MIGRATE_FROM, addr, pages, 0, NULL);
}

static void check_all(const struct outcome *out, size_t pages,
		      enum devpub_reason reason)
{
	if (out->pages[reason] == pages)
		return;
	for (int i = 0; i < REASONS; i++)
		if (out->pages[i])
			test_note("%lu pages: reason %d", out->pages[i], i);
	FAIL("expected %zu pages of reason %d", pages, reason);
}

void to_device_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason)
{
	struct outcome out = to_device(fd, addr, pages);

	check_all(&out, pages, reason);
}

void to_system_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason)
{
	struct outcome out = to_system(fd, addr, pages);

	check_all(&out, pages, reason);
}

void move_to_device(int fd, const void *addr, size_t pages)
{
	to_device_all(fd, addr, pages, DEVPUB_REASON_MOVED);
}

void move_to_system(int fd, const void *addr, size_t pages)
{
	to_system_all(fd, addr, pages, DEVPUB_REASON_MOVED);
}

struct devpub_query query(int fd, const void *addr, size_t pages,
			  unsigned char *locations)
{
	struct devpub_query arg = {
		.addr = address(addr),
		.length = (uint64_t)pages * PAGE,
		.locations = address(locations),
	};

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_QUERY, &arg));
	CHECK_EQ(arg.done, arg.length);
	CHECK_EQ(arg.absent + arg.system + arg.device + arg.other_device +
		 arg.other, pages);
	if (locations) {
		size_t count[DEVPUB_LOCATION_OTHER + 1] = { 0 };

		for (size_t i = 0; i < pages; i++) {
			CHECK_CMP(locations[i], <=, DEVPUB_LOCATION_OTHER);
			count[locations[i]]++;
		}
		CHECK_EQ(arg.absent, count[DEVPUB_LOCATION_ABSENT]);
		CHECK_EQ(arg.system, count[DEVPUB_LOCATION_SYSTEM]);
		CHECK_EQ(arg.device, count[DEVPUB_LOCATION_DEVICE]);
		CHECK_EQ(arg.other_device, count[DEVPUB_LOCATION_OTHER_DEVICE]);
		CHECK_EQ(arg.other, count[DEVPUB_LOCATION_OTHER]);
	}
	return arg;
}

static void check_where(int fd, const void *addr, size_t pages,
			enum devpub_location expected)
{
	const struct devpub_info info = device_info(fd);
	const uint64_t first = info.phys_start / PAGE;
	const uint64_t end = first + info.capacity / PAGE;
	unsigned char *locations = malloc(pages);
	uint64_t *pfns = malloc(pages * sizeof(*pfns));

	CHECK(locations && pfns);
	CHECK_CMP(info.phys_start, >, 0);
	memset(locations, 0xee, pages);
	query(fd, addr, pages, locations);
	mem_pfns(addr, pages, pfns);
	for (size_t i = 0; i < pages; i++) {
		uint64_t pfn = pfns[i];
		bool on_device = pfn >= first && pfn < end;

		if (locations[i] != expected)
			FAIL("page %zu of %zu: query says %u instead of %d",
			     i, pages, locations[i], expected);
		if (on_device != (expected == DEVPUB_LOCATION_DEVICE))
			FAIL("page %zu of %zu: frame %#llx, query says %u",
			     i, pages, (unsigned long long)pfn, locations[i]);
		if (expected == DEVPUB_LOCATION_SYSTEM && !pfn)
			FAIL("page %zu of %zu: no frame, query says system",
			     i, pages);
	}
	free(pfns);
	free(locations);
}

void check_on_device(int fd, const void *addr, size_t pages)
{
	check_where(fd, addr, pages, DEVPUB_LOCATION_DEVICE);
}

void check_in_system(int fd, const void *addr, size_t pages)
{
	check_where(fd, addr, pages, DEVPUB_LOCATION_SYSTEM);
}

void check_absent(int fd, const void *addr, size_t pages)
{
	check_where(fd, addr, pages, DEVPUB_LOCATION_ABSENT);
}

#define DRIVER	"/sys/bus/platform/drivers/devpub/"

unsigned long long device_unbind(void)
{
	unsigned long long begin = test_milliseconds();

	CHECK_CALL(test_write_text(DRIVER "unbind", "devpub.0"));
	return test_milliseconds() - begin;
}

void device_bind(void)
{
	for (unsigned int tries = 0; test_write_text(DRIVER "bind", "devpub.0"); tries++) {
		CHECK_CMP(tries, <, 100);
		test_sleep(100);
	}
}
