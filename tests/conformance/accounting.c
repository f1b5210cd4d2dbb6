// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory statistics: pagemap, smaps, numa_maps, RSS, meminfo. */
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "hold.h"
#include "machine.h"
#include "mem.h"
#include "pagemap.h"
#include "place.h"

#define PAGES	64UL

/* The kernel keeps these counters per processor and sums them up from time to time. */
#define MANY	4096UL
#define SLACK	512UL

#define KIB(pages)	((long long)(pages) * (long long)PAGE / 1024)

PLACES(pagemap, "pagemap shows each page as present, anonymous, the process's own and not swapped")
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t entries[PAGES];

	pagemap_read(addr, PAGES, entries);
	for (size_t i = 0; i < PAGES; i++) {
		CHECK(entries[i] & PAGEMAP_PRESENT);
		CHECK(entries[i] & PAGEMAP_EXCLUSIVE);
		CHECK(!(entries[i] & PAGEMAP_FILE));
		CHECK(!(entries[i] & PAGEMAP_SWAPPED));
	}
}

PLACES(pagemap_shared, "pagemap shows pages that a child shares as no process's own, and again as such later")
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t entries[PAGES];
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		_exit(0);
	}
	pagemap_read(addr, PAGES, entries);
	for (size_t i = 0; i < PAGES; i++)
		CHECK(!(entries[i] & PAGEMAP_EXCLUSIVE));
	test_gate_signal(&gate, 0);
	test_wait(pid);
	pagemap_read(addr, PAGES, entries);
	for (size_t i = 0; i < PAGES; i++)
		CHECK(entries[i] & PAGEMAP_EXCLUSIVE);
	place_check(place, addr, PAGES);
}

PLACES(pagemap_holes, "pagemap shows holes between pages as nothing")
{
	char *addr = mem_map(PAGES);
	uint64_t entries[PAGES];

	for (size_t i = 0; i < PAGES; i += 2) {
		mem_fill(addr + i * PAGE, 1, i);
		place_put(place, addr + i * PAGE, 1);
	}
	pagemap_read(addr, PAGES, entries);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(!!(entries[i] & PAGEMAP_PRESENT), i % 2 == 0);
}

static void drop_sys_admin(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	CHECK_CALL(syscall(SYS_capget, &header, data));
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	CHECK_CALL(syscall(SYS_capset, &header, data));
}

PLACES(pagemap_unprivileged, "pagemap hides frame numbers, and no more, from processes without privileges")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();
	uint64_t entry;

	if (pid == 0) {
		drop_sys_admin();
		pagemap_read(addr, 1, &entry);
		CHECK(entry & PAGEMAP_PRESENT);
		CHECK_EQ(entry & PAGEMAP_PFN, 0);
		_exit(0);
	}
	test_wait(pid);
}

PLACES(pagemap_scan, "PAGEMAP_SCAN finds the pages that are there as one range")
{
	char *addr = mem_map(3 * PAGES);
	struct page_region found[8];

	mem_fill(addr + PAGES * PAGE, PAGES, 1);
	place_put(place, addr + PAGES * PAGE, PAGES);
	CHECK_EQ(pagemap_scan(addr, 3 * PAGES, 0, PAGE_IS_PRESENT, found, 8), 1);
	CHECK_EQ(found[0].start, address(addr) + PAGES * PAGE);
	CHECK_EQ(found[0].end, address(addr) + 2 * PAGES * PAGE);
	CHECK_EQ(found[0].categories & PAGE_IS_PRESENT, PAGE_IS_PRESENT);
}

PLACES(smaps, "smaps counts pages as resident, anonymous, dirty and private")
{
	char *addr = place_new(place, PAGES, 1);

	CHECK_EQ(mem_smaps(addr, "Rss"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Pss"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Anonymous"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Private_Dirty"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Shared_Dirty"), 0);
	CHECK_EQ(mem_smaps(addr, "Shared_Clean"), 0);
	CHECK_EQ(mem_smaps(addr, "Swap"), 0);
	CHECK_EQ(mem_smaps(addr, "AnonHugePages"), 0);
}

PLACES(smaps_shared, "smaps counts half of what a child shares")
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		CHECK_EQ(mem_smaps(addr, "Pss"), KIB(PAGES) / 2);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	CHECK_EQ(mem_smaps(addr, "Rss"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Pss"), KIB(PAGES) / 2);
	CHECK_EQ(mem_smaps(addr, "Shared_Dirty"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Private_Dirty"), 0);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	CHECK_EQ(mem_smaps(addr, "Pss"), KIB(PAGES));
	CHECK_EQ(mem_smaps(addr, "Private_Dirty"), KIB(PAGES));
}

PLACES(smaps_rollup, "smaps_rollup grows by the pages, and shrinks when they go")
{
	const char *file = "/proc/self/smaps_rollup";
	long long before = test_field(file, "Anonymous");
	char *addr = place_new(place, MANY, 1);

	CHECK_CMP(test_field(file, "Anonymous"), >=, before + KIB(MANY));
	CHECK_CMP(test_field(file, "Anonymous"), <, before + KIB(MANY + PAGES));
	CHECK_CALL(munmap(addr, MANY * PAGE));
	CHECK_CMP(test_field(file, "Anonymous"), <, before + KIB(PAGES));
}

static atomic_bool mapped_enough;

static void *map_and_unmap(void *unused)
{
	while (!mapped_enough) {
		void *addr = mem_map(1);

		CHECK_CALL(munmap(addr, PAGE));
	}
	return unused;
}

ONCE(rollup_contended, "smaps_rollup shows all pages while another thread maps and unmaps memory")
{
	const char *file = "/proc/self/smaps_rollup";
	long long before = test_field(file, "Anonymous");
	char *addr = mem_new(MANY, 1);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, map_and_unmap, NULL), 0);
	for (int i = 0; i < 500; i++)
		CHECK_CMP(test_field(file, "Anonymous"), >=,
			  before + KIB(MANY));
	mapped_enough = true;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_check(addr, MANY, 1);
}

/* Return N of the word "name=N" in the line of numa_maps for the address, or -1. */
static long long numa_maps(const void *addr, const char *name)
{
	FILE *file = fopen("/proc/self/numa_maps", "re");
	size_t length = strlen(name);
	long long value = -1;
	char line[1024];

	if (!file)
		SKIP("no /proc/self/numa_maps");
	while (fgets(line, sizeof(line), file)) {
		if (strtoull(line, NULL, 16) != address(addr))
			continue;
		for (char *word = strtok(line, " "); word;
		     word = strtok(NULL, " \n"))
			if (!strncmp(word, name, length) && word[length] == '=')
				value = strtoll(word + length + 1, NULL, 10);
	}
	fclose(file);
	return value;
}

PLACES(numa_maps, "numa_maps counts pages as anonymous, dirty and on the node that they are on")
{
	char *addr, name[16];
	int node;

	place_stay_on_cpu();
	addr = place_new(place, PAGES, 1);
	if (place->kind == PLACE_DEVICE)
		node = device_info(place->fd).node;
	else
		CHECK_CALL(syscall(SYS_move_pages, 0, 1, &addr, NULL, &node, 0));
	snprintf(name, sizeof(name), "N%d", node);
	CHECK_EQ(numa_maps(addr, "anon"), PAGES);
	CHECK_EQ(numa_maps(addr, "dirty"), PAGES);
	CHECK_EQ(numa_maps(addr, name), PAGES);
}

/* Field 1 of statm: resident pages. */
static long long statm_resident(void)
{
	long long size, resident;
	char text[128];

	test_read_text("/proc/self/statm", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%lld %lld", &size, &resident), 2);
	return resident;
}

PLACES(rss, "the resident set counts pages wherever they are, and shrinks when they go")
{
	const char *file = "/proc/self/status";
	long long before = test_field(file, "VmRSS");
	long long anon = test_field(file, "RssAnon");
	long long resident = statm_resident();
	char *addr = place_new(place, MANY, 1);

	CHECK_CMP(test_field(file, "VmRSS"), >=, before + KIB(MANY - SLACK));
	CHECK_CMP(test_field(file, "VmRSS"), <, before + KIB(MANY + SLACK));
	CHECK_CMP(test_field(file, "RssAnon"), >=, anon + KIB(MANY - SLACK));
	CHECK_CMP(test_field(file, "RssAnon"), <, anon + KIB(MANY + SLACK));
	CHECK_CMP(statm_resident(), >=, resident + (long long)(MANY - SLACK));
	CHECK_EQ(test_field(file, "VmSwap"), 0);
	CHECK_CALL(munmap(addr, MANY * PAGE));
	CHECK_CMP(test_field(file, "VmRSS"), <, before + KIB(SLACK));
	CHECK_CMP(test_field(file, "RssAnon"), <, anon + KIB(SLACK));
}

PLACES(populated, "pages that come into being on the device count as others do")
{
	const char *file = "/proc/self/status";
	long long before = test_field(file, "VmRSS");
	char *addr = mem_map(MANY);

	if (place->kind == PLACE_SYSTEM)
		mem_set(addr, 0, MANY * PAGE);
	else
		CHECK_EQ(populate(place->fd, addr, MANY)
				 .pages[DEVPUB_REASON_POPULATED], MANY);
	if (place->kind == PLACE_RETURNED)
		move_to_system(place->fd, addr, MANY);
	CHECK_EQ(mem_smaps(addr, "Rss"), KIB(MANY));
	CHECK_EQ(mem_smaps(addr, "Anonymous"), KIB(MANY));
	CHECK_CMP(test_field(file, "VmRSS"), >=, before + KIB(MANY - SLACK));
	CHECK_CMP(test_field(file, "VmRSS"), <, before + KIB(MANY + SLACK));
	mem_check_zero(addr, MANY);
}

PLACES(anon_pages, "the machine's count of anonymous pages grows by the pages, and shrinks when they go")
{
	long long before = machine_meminfo("AnonPages");
	char *addr = place_new(place, MANY, 1);

	CHECK_CMP(machine_meminfo("AnonPages"), >=, before + KIB(MANY - SLACK));
	CHECK_CMP(machine_meminfo("AnonPages"), <, before + KIB(MANY + SLACK));
	CHECK_CALL(munmap(addr, MANY * PAGE));
	CHECK_CMP(machine_meminfo("AnonPages"), <, before + KIB(SLACK));
	CHECK_CMP(machine_meminfo("AnonPages") + KIB(SLACK), >, before);
}

/* Drain the per-processor lists as well, whose pages do not count as free. */
static long long free_kb(void)
{
	long long free = machine_meminfo("MemFree"), count;
	FILE *zones = fopen("/proc/zoneinfo", "re");
	char line[256];

	while (zones && fgets(line, sizeof(line), zones))
		if (sscanf(line, " count: %lld", &count) == 1)
			free += KIB(count);
	if (zones)
		fclose(zones);
	return free;
}

ONCE(free_memory, "what is on the device leaves as much system memory free")
{
	int fd = device_open();
	char *addr = mem_new(4 * MANY, 1);
	long long before = free_kb();

	move_to_device(fd, addr, 4 * MANY);
	CHECK_CMP(free_kb(), >, before + KIB(3 * MANY));
	move_to_system(fd, addr, 4 * MANY);
	CHECK_CMP(free_kb(), <, before + KIB(MANY));
	mem_check(addr, 4 * MANY, 1);
}

PLACES(kpagecount, "kpagecount counts the mappings of a page")
{
	char *addr = place_new(place, 1, 1);
	struct test_gate gate;
	pid_t pid;

	CHECK_EQ(pagemap_kpagecount(addr), 1);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		_exit(0);
	}
	CHECK_EQ(pagemap_kpagecount(addr), 2);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

PLACES(kpageflags, "kpageflags shows a mapped anonymous page")
{
	char *addr = place_new(place, 1, 1);
	uint64_t flags = mem_kpageflags(addr);

	CHECK(flags & 1ULL << KPF_MMAP);
	CHECK(flags & 1ULL << KPF_ANON);
	CHECK(!(flags & 1ULL << KPF_NOPAGE));
}

PLACES(kpageflags_ksm, "kpageflags says of no page that KSM merged it when it did not")
{
	char *addr = place_new(place, 1, 1);

	CHECK(!(mem_kpageflags(addr) & 1ULL << KPF_KSM));
}

PLACES(limits, "pages of a process that may have no more address space nor data move all the same")
{
	char *addr = place_new(place, PAGES, 1);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };

	/* The helpers must not be the first that need a new page. */
	check_let_go(place, place_new(place, PAGES, 2), PAGES);
	CHECK_CALL(setrlimit(RLIMIT_AS, &none));
	CHECK_CALL(setrlimit(RLIMIT_DATA, &none));
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	check_let_go(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
}
