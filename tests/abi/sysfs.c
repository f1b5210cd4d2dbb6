// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The attributes in /sys/class/devpub/devpubN. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define PAGES	600UL

static const char * const reasons[] = {
	[DEVPUB_REASON_UNMAPPED] = "unmapped",
	[DEVPUB_REASON_SHARED] = "shared",
	[DEVPUB_REASON_FILE] = "file",
	[DEVPUB_REASON_HUGETLB] = "hugetlb",
	[DEVPUB_REASON_SPECIAL] = "special",
	[DEVPUB_REASON_LARGE] = "large",
	[DEVPUB_REASON_KSM] = "ksm",
	[DEVPUB_REASON_SWAPCACHE] = "swapcache",
	[DEVPUB_REASON_SWAPPED] = "swapped",
	[DEVPUB_REASON_PINNED] = "pinned",
	[DEVPUB_REASON_BUSY] = "busy",
	[DEVPUB_REASON_NO_SPACE] = "no_space",
	[DEVPUB_REASON_OTHER_DEVICE] = "other_device",
};

#define NR_REASONS	(sizeof(reasons) / sizeof(*reasons))

CASE(agree_with_info)
{
	int fd = device_open();
	struct devpub_info info = device_info(fd);
	char provider[32], node[32], expected[32];

	CHECK_EQ(device_counter(fd, "capacity"), info.capacity);
	CHECK_EQ(device_counter(fd, "free"), info.free);
	CHECK_EQ(info.free, info.capacity);
	test_read_text(device_attribute(fd, "provider"), provider,
		       sizeof(provider));
	CHECK(!strcmp(provider, info.provider == DEVPUB_PROVIDER_CARVE ?
				"carve" : "reserved"));
	test_read_text(device_attribute(fd, "node"), node, sizeof(node));
	snprintf(expected, sizeof(expected), "%d", info.node);
	CHECK(!strcmp(node, expected));
}

CASE(info_is_sane)
{
	int fd = device_open();
	struct devpub_info info = device_info(fd);

	CHECK_EQ(info.flags, 0);
	CHECK_EQ(info.index, 0);
	CHECK_CMP(info.capacity, >=, 2ULL << 20);
	CHECK_EQ(info.capacity % PAGE, 0);
	CHECK_EQ(info.phys_start % PAGE, 0);
	CHECK_CMP(info.window, >=, 512);
	CHECK_CMP(info.window, <=, 65536);
	CHECK(info.provider == DEVPUB_PROVIDER_CARVE ||
	      info.provider == DEVPUB_PROVIDER_RESERVED);
	CHECK(info.node >= -1);
}

CASE(iomem)
{
	int fd = device_open();
	struct devpub_info info = device_info(fd);
	FILE *file = fopen("/proc/iomem", "re");
	unsigned long long start, end;
	char line[128], name[64];
	bool found = false;

	CHECK(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, " %llx-%llx : %63s", &start, &end, name)
			== 3 && !strcmp(name, "devpub0");
	fclose(file);
	CHECK(found);
	CHECK_EQ(start, info.phys_start);
	CHECK_EQ(end, info.phys_start + info.capacity - 1);
}

/* Device node and sysfs agree.  Only root may open the node until udev changes that. */
CASE(device_node)
{
	unsigned int major, minor;
	char text[32];
	struct stat st;
	int fd = device_open();

	CHECK_CALL(fstat(fd, &st));
	CHECK(S_ISCHR(st.st_mode));
	test_read_text(device_attribute(fd, "dev"), text, sizeof(text));
	CHECK_EQ(sscanf(text, "%u:%u", &major, &minor), 2);
	CHECK_EQ(major, major(st.st_rdev));
	CHECK_EQ(minor, minor(st.st_rdev));
}

static unsigned long long refused(int fd, enum devpub_reason reason)
{
	char name[64];

	snprintf(name, sizeof(name), "refused/%s", reasons[reason]);
	return device_counter(fd, name);
}

CASE(all_refusals_are_there)
{
	int fd = device_open();

	for (int i = DEVPUB_REASON_UNMAPPED; i < (int)NR_REASONS; i++)
		refused(fd, i);
}

CASE(read_only)
{
	static const char * const names[] = {
		"capacity", "free", "provider", "node", "migrated_to",
		"migrated_from", "populated", "evicted", "refused/shared",
	};
	int fd = device_open();
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK_CALL(stat(device_attribute(fd, names[i]), &st));
		CHECK_EQ(st.st_mode & 0777, 0444);
	}
}

/* A call adds exactly its results to the counters. */
CASE(counters)
{
	int fd = device_open();
	unsigned long long to = device_counter(fd, "migrated_to");
	unsigned long long from = device_counter(fd, "migrated_from");
	unsigned long long populated = device_counter(fd, "populated");
	unsigned long long evicted = device_counter(fd, "evicted");
	struct devpub_evict evict = { 0 };
	char *addr = mem_new(PAGES, 1);
	char *hole = mem_map(100);
	struct devpub_migrate arg;

	arg = migrate_arg(addr, PAGES, NULL);
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	CHECK_CMP(arg.moved, >, 0);
	to += arg.moved;
	CHECK_EQ(device_counter(fd, "migrated_to"), to);
	CHECK_EQ(device_counter(fd, "free"),
		 device_counter(fd, "capacity") - arg.moved * PAGE);

	arg = migrate_arg(hole, 100, NULL);
	arg.flags = DEVPUB_MIGRATE_POPULATE;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	CHECK_EQ(device_counter(fd, "populated"), populated + arg.populated);
	CHECK_EQ(device_counter(fd, "migrated_to"), to);

	arg = migrate_arg(addr, PAGES, NULL);
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg));
	CHECK_CMP(arg.moved, >, 0);
	CHECK_EQ(device_counter(fd, "migrated_from"), from + arg.moved);

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &evict));
	CHECK_CMP(evict.moved, >, 0);
	CHECK_EQ(device_counter(fd, "evicted"), evicted + evict.moved);
}

CASE(refusals_by_reason)
{
	unsigned long long before[NR_REASONS];
	int fd = device_open();
	char *addr = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(addr != MAP_FAILED);
	memset(addr, 1, 16 * PAGE);
	for (int i = DEVPUB_REASON_UNMAPPED; i < (int)NR_REASONS; i++)
		before[i] = refused(fd, i);
	to_device_all(fd, addr, 16, DEVPUB_REASON_SHARED);
	CHECK_CALL(munmap(addr, 16 * PAGE));
	to_device_all(fd, addr, 7, DEVPUB_REASON_UNMAPPED);
	before[DEVPUB_REASON_SHARED] += 16;
	before[DEVPUB_REASON_UNMAPPED] += 7;
	for (int i = DEVPUB_REASON_UNMAPPED; i < (int)NR_REASONS; i++)
		CHECK_EQ(refused(fd, i), before[i]);
}
