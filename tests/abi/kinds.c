// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Kinds of memory: which of them move, and the reasons for those that do not. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"

/* Check both directions: the pages are refused on the way there, and are not on a device. */
static void stays(int fd, void *addr, size_t pages, enum devpub_reason reason)
{
	to_device_all(fd, addr, pages, reason);
	CHECK_EQ(query(fd, addr, pages, NULL).device, 0);
	to_system_all(fd, addr, pages, DEVPUB_REASON_ALREADY);
}

/* Clean pages belong to the page cache, written pages to the process. */
static void private_file(int file)
{
	const size_t pages = 40;
	unsigned char reasons[40];
	int fd = device_open();
	char *data = mem_new(pages, 1);
	char *addr;

	CHECK_EQ(write(file, data, pages * PAGE), pages * PAGE);
	addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    file, 0);
	CHECK(addr != MAP_FAILED);
	mem_check(addr, pages, 1);
	stays(fd, addr, pages, DEVPUB_REASON_FILE);

	for (size_t i = 0; i < pages; i += 2)
		mem_fill(addr + i * PAGE, 1, i);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0, reasons);
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(reasons[i], i % 2 ? DEVPUB_REASON_FILE :
					     DEVPUB_REASON_MOVED);
	for (size_t i = 0; i < pages; i++) {
		if (i % 2) {
			check_in_system(fd, addr + i * PAGE, 1);
			CHECK(!memcmp(addr + i * PAGE, data + i * PAGE, PAGE));
		} else {
			check_on_device(fd, addr + i * PAGE, 1);
			mem_check(addr + i * PAGE, 1, i);
		}
	}
	CHECK_EQ(to_system(fd, addr, pages).pages[DEVPUB_REASON_MOVED],
		 pages / 2);
	for (size_t i = 0; i < pages; i += 2)
		mem_check(addr + i * PAGE, 1, i);

	/* The file has not changed. */
	CHECK_EQ(pread(file, addr, pages * PAGE, 0), pages * PAGE);
	CHECK(!memcmp(addr, data, pages * PAGE));
}

CASE(file_private)
{
	char path[] = "/tmp/devpub-test-XXXXXX";
	int file = mkstemp(path);

	CHECK_CALL(file);
	unlink(path);
	private_file(file);
}

CASE(memfd_private)
{
	private_file(memfd_create("devpub-test", MFD_CLOEXEC));
}

/* Holes of a file mapping are not populated. */
CASE(file_not_populated)
{
	int file = memfd_create("devpub-test", MFD_CLOEXEC);
	int fd = device_open();
	char *addr;

	CHECK_CALL(ftruncate(file, 16 * PAGE));
	addr = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file,
		    0);
	CHECK(addr != MAP_FAILED);
	addr[0] = 1;
	CHECK_EQ(populate(fd, addr, 16).pages[DEVPUB_REASON_POPULATED], 0);
	check_absent(fd, addr + PAGE, 15);
}

static void shared(char *addr)
{
	const size_t pages = 16;
	int fd = device_open();

	CHECK(addr != MAP_FAILED);
	mem_fill(addr, pages, 1);
	stays(fd, addr, pages, DEVPUB_REASON_SHARED);
	check_in_system(fd, addr, pages);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_SHARED], pages);
	mem_check(addr, pages, 1);
}

CASE(shared_anonymous)
{
	shared(mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

CASE(shared_memfd)
{
	int file = memfd_create("devpub-test", MFD_CLOEXEC);

	CHECK_CALL(ftruncate(file, 16 * PAGE));
	shared(mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		    0));
}

CASE(shared_sysv)
{
	int id = shmget(IPC_PRIVATE, 16 * PAGE, IPC_CREAT | 0600);
	void *addr;

	if (id < 0)
		SKIP("shmget: %s", strerror(errno));
	addr = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	shared(addr);
}

/* A private mapping of /dev/zero is anonymous memory with a file name. */
CASE(dev_zero_private)
{
	int fd = device_open(), zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *addr;

	CHECK_CALL(zero);
	addr = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero,
		    0);
	CHECK(addr != MAP_FAILED);
	mem_fill(addr, 16, 1);
	move_to_device(fd, addr, 16);
	check_on_device(fd, addr, 16);
	mem_check(addr, 16, 1);
}

/* Map one 2 MiB hugetlb page, which is reserved for the case. */
static char *hugetlb_map(void)
{
	const char *knob = "/proc/sys/vm/nr_hugepages";
	unsigned long long reserved;
	char text[32];
	char *addr;

	if (test_read_value(knob, &reserved))
		SKIP("no hugetlb in this kernel");
	snprintf(text, sizeof(text), "%llu", reserved + 1);
	test_write_text(knob, text);
	addr = mmap(NULL, HUGE_PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	/* The kernel keeps it as a surplus page until it is unmapped. */
	snprintf(text, sizeof(text), "%llu", reserved);
	test_write_text(knob, text);
	if (addr == MAP_FAILED)
		SKIP("no 2 MiB page can be reserved");
	return addr;
}

CASE(hugetlb)
{
	int fd = device_open();
	char *addr = hugetlb_map();

	mem_fill(addr, HUGE_PAGES, 1);
	stays(fd, addr, HUGE_PAGES, DEVPUB_REASON_HUGETLB);
	to_device_all(fd, addr + 3 * PAGE, 5, DEVPUB_REASON_HUGETLB);
	CHECK_EQ(query(fd, addr, HUGE_PAGES, NULL).other, HUGE_PAGES);
	mem_check(addr, HUGE_PAGES, 1);
}

/* A query does not allocate a reserved page. */
CASE(hugetlb_untouched)
{
	int fd = device_open();
	char *addr = hugetlb_map();
	long long unused = test_field("/proc/meminfo", "HugePages_Free");

	CHECK_CMP(unused, >, 0);
	query(fd, addr, HUGE_PAGES, NULL);
	populate(fd, addr, HUGE_PAGES);
	CHECK_EQ(test_field("/proc/meminfo", "HugePages_Free"), unused);
	mem_check_zero(addr, HUGE_PAGES);
}

CASE(zero_page)
{
	const size_t pages = 32;
	int fd = device_open();
	char *addr = mem_map(pages);

	mem_check_zero(addr, pages);
	to_device_all(fd, addr, pages, DEVPUB_REASON_ABSENT);
	CHECK_EQ(query(fd, addr, pages, NULL).absent, pages);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_POPULATED],
		 pages);
	check_on_device(fd, addr, pages);
	mem_check_zero(addr, pages);
	mem_fill(addr, pages, 1);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

CASE(prot_read)
{
	int fd = device_open();
	char *addr = mem_new(32, 1);

	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_READ));
	move_to_device(fd, addr, 32);
	check_on_device(fd, addr, 32);
	mem_check(addr, 32, 1);
	/* The mapping is still not writable: the kernel refuses to write to it. */
	CHECK_ERRNO(read(open("/dev/zero", O_RDONLY), addr, 1), EFAULT);
	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_READ | PROT_WRITE));
	check_on_device(fd, addr, 32);
	mem_fill(addr, 32, 2);
	move_to_system(fd, addr, 32);
	mem_check(addr, 32, 2);
}

CASE(prot_none)
{
	int fd = device_open();
	char *addr = mem_new(32, 1);

	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_NONE));
	CHECK_EQ(query(fd, addr, 32, NULL).system, 32);
	move_to_device(fd, addr, 32);
	CHECK_EQ(query(fd, addr, 32, NULL).device, 32);
	CHECK_ERRNO(pwrite(memfd_create("x", 0), addr, 1, 0), EFAULT);
	CHECK_ERRNO(read(open("/dev/zero", O_RDONLY), addr, 1), EFAULT);
	move_to_system(fd, addr, 32);
	CHECK_EQ(query(fd, addr, 32, NULL).system, 32);
	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_READ | PROT_WRITE));
	mem_check(addr, 32, 1);
	mem_fill(addr, 32, 2);
	mem_check(addr, 32, 2);
}

CASE(prot_none_hole)
{
	int fd = device_open();
	char *addr = mem_map(32);

	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_NONE));
	to_device_all(fd, addr, 32, DEVPUB_REASON_ABSENT);
	CHECK_EQ(populate(fd, addr, 32).pages[DEVPUB_REASON_ABSENT], 32);
	check_absent(fd, addr, 32);
	CHECK_CALL(mprotect(addr, 32 * PAGE, PROT_READ));
	mem_check_zero(addr, 32);
}

/* The kernel updates the count in per-CPU batches. */
static void await_mlocked(long long before)
{
	long long now;

	for (int i = 0; i < 30; i++) {
		now = machine_meminfo("Mlocked");
		if (now <= before + 60)
			return;
		test_sleep(100);
	}
	FAIL("Mlocked is %lld kB after, %lld kB before", now, before);
}

CASE(mlocked)
{
	const size_t pages = 64;
	int fd = device_open();
	long long before = machine_meminfo("Mlocked");
	char *addr = mem_new(pages, 1);

	if (mlock(addr, pages * PAGE))
		SKIP("mlock: %s", strerror(errno));
	CHECK_EQ(mem_smaps(addr, "Locked"), pages * 4);
	for (int round = 0; round < 3; round++) {
		move_to_device(fd, addr, pages);
		check_on_device(fd, addr, pages);
		mem_check(addr, pages, 1);
		move_to_system(fd, addr, pages);
		mem_check(addr, pages, 1);
	}
	CHECK_EQ(mem_smaps(addr, "Locked"), pages * 4);
	CHECK_CALL(munmap(addr, pages * PAGE));
	await_mlocked(before);
}

CASE(mlocked_ends_on_device)
{
	const size_t pages = 64;
	int fd = device_open();
	long long before = machine_meminfo("Mlocked");
	char *addr = mem_new(pages, 1);

	if (mlock(addr, pages * PAGE))
		SKIP("mlock: %s", strerror(errno));
	move_to_device(fd, addr, pages);
	CHECK_CALL(munmap(addr, pages * PAGE));
	await_mlocked(before);
}

/* munlock() skips device pages, so freeing them must correct the count. */
CASE(munlocked_on_device)
{
	const size_t pages = 64;
	int fd = device_open();
	long long before = machine_meminfo("Mlocked");
	char *addr = mem_new(pages, 1);

	if (mlock(addr, pages * PAGE))
		SKIP("mlock: %s", strerror(errno));
	move_to_device(fd, addr, pages);
	CHECK_CALL(munlock(addr, pages * PAGE));
	mem_check(addr, pages, 1);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
	CHECK_CALL(munmap(addr, pages * PAGE));
	await_mlocked(before);
}

#define KSM_DIR		"/sys/kernel/mm/ksm/"

CASE(ksm_merged)
{
	const size_t pages = 64;
	char run[32], scan[32];
	int fd = device_open();
	char *addr = mem_map(pages);
	bool merged = false;

	if (access(KSM_DIR "run", W_OK))
		SKIP("no KSM in this kernel");
	for (size_t i = 0; i < pages; i++)
		mem_fill(addr + i * PAGE, 1, 7);
	CHECK_CALL(madvise(addr, pages * PAGE, MADV_MERGEABLE));
	test_read_text(KSM_DIR "run", run, sizeof(run));
	test_read_text(KSM_DIR "pages_to_scan", scan, sizeof(scan));
	CHECK_CALL(test_write_text(KSM_DIR "pages_to_scan", "2000"));
	CHECK_CALL(test_write_text(KSM_DIR "run", "1"));
	for (int i = 0; i < 300 && !merged; i++) {
		uint64_t pfn = mem_pfn(addr);

		merged = true;
		for (size_t j = 1; j < pages; j++)
			merged &= mem_pfn(addr + j * PAGE) == pfn;
		test_sleep(100);
	}
	CHECK_CALL(test_write_text(KSM_DIR "run", "0"));
	CHECK_CALL(test_write_text(KSM_DIR "pages_to_scan", scan));
	if (!merged)
		SKIP("KSM merged nothing within 30 s");
	stays(fd, addr, pages, DEVPUB_REASON_KSM);
	for (size_t i = 0; i < pages; i++)
		mem_check(addr + i * PAGE, 1, 7);

	/* A write unmerges the page, but KSM may merge it again. */
	mem_fill(addr, 1, 8);
	stays(fd, addr, pages, DEVPUB_REASON_KSM);
	CHECK_CALL(madvise(addr, pages * PAGE, MADV_UNMERGEABLE));
	move_to_device(fd, addr, pages);
	mem_check(addr, 1, 8);
	mem_check(addr + PAGE, 1, 7);
	CHECK_CALL(test_write_text(KSM_DIR "run", run));
}
