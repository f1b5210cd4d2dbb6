// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Memory that can't move to the device.  It is refused with a reason and does not change.
 * Private copies of a file's pages can move.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	16UL

static void check_refused(char *addr, size_t pages, enum devpub_reason reason)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);

	mem_fill(addr, pages, 1);
	to_device_all(fd, addr, pages, reason);
	mem_check(addr, pages, 1);
	CHECK_EQ(query(fd, addr, pages, NULL).device, 0);
	CHECK_EQ(device_free_pages(fd), idle);
	to_system_all(fd, addr, pages, DEVPUB_REASON_ALREADY);
	mem_fill(addr, pages, 2);
	mem_check(addr, pages, 2);
}

static char *map_shared(int file, size_t pages)
{
	char *addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			  file < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED,
			  file, 0);

	CHECK(addr != MAP_FAILED);
	return addr;
}

ONCE(shared_anonymous, "shared anonymous memory is refused as shared")
{
	check_refused(map_shared(-1, PAGES), PAGES, DEVPUB_REASON_SHARED);
}

ONCE(memfd, "a memfd is refused as shared")
{
	int file = memfd_create("conformance", MFD_CLOEXEC);

	if (file < 0 && errno == ENOSYS)
		SKIP("no memfd: the kernel has no CONFIG_MEMFD_CREATE");
	CHECK_CALL(file);
	CHECK_CALL(ftruncate(file, PAGES * PAGE));
	check_refused(map_shared(file, PAGES), PAGES, DEVPUB_REASON_SHARED);
}

ONCE(sysv, "System V shared memory is refused as shared")
{
	int id = shmget(IPC_PRIVATE, PAGES * PAGE, IPC_CREAT | 0600);
	char *addr;

	if (id < 0 && errno == ENOSYS)
		SKIP("no System V shared memory: the kernel has no CONFIG_SYSVIPC");
	CHECK_CALL(id);
	addr = shmat(id, NULL, 0);
	CHECK_CALL(shmctl(id, IPC_RMID, NULL));
	CHECK(addr != (void *)-1);
	check_refused(addr, PAGES, DEVPUB_REASON_SHARED);
}

ONCE(posix_shm, "POSIX shared memory is refused as shared")
{
	int file = shm_open("/devpub-conformance", O_RDWR | O_CREAT | O_EXCL,
			    0600);

	CHECK_CALL(file);
	CHECK_CALL(shm_unlink("/devpub-conformance"));
	CHECK_CALL(ftruncate(file, PAGES * PAGE));
	check_refused(map_shared(file, PAGES), PAGES, DEVPUB_REASON_SHARED);
}

ONCE(hugetlb, "hugetlb memory is refused as such")
{
	const char *path = "/proc/sys/vm/nr_hugepages";
	unsigned long long pages;
	char text[32], *addr;

	if (access(path, F_OK))
		SKIP("no hugetlb: the kernel has no CONFIG_HUGETLBFS");
	CHECK_CALL(test_read_value(path, &pages));
	snprintf(text, sizeof(text), "%llu", pages + 1);
	CHECK_CALL(test_write_text(path, text));
	addr = mmap(NULL, HUGE_PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	snprintf(text, sizeof(text), "%llu", pages);
	CHECK_CALL(test_write_text(path, text));
	if (addr == MAP_FAILED)
		SKIP("no huge page to be had: %s", strerror(errno));
	check_refused(addr, HUGE_PAGES, DEVPUB_REASON_HUGETLB);
	CHECK_CALL(munmap(addr, HUGE_PAGES * PAGE));
}

ONCE(vdso, "the kernel's own mappings are refused as special")
{
	int fd = device_open();
	size_t pages;
	char *addr = mem_find("[vdso]", &pages);

	if (!addr)
		SKIP("no vdso in this process");
	to_device_all(fd, addr, pages, DEVPUB_REASON_SPECIAL);
	/* The device sees what is there. */
	CHECK(!memcmp(mem_view(addr, PAGE / sizeof(uint64_t)), addr, PAGE));
}

ONCE(nothing, "an address without memory is refused as unmapped")
{
	int fd = device_open();
	char *addr = mem_map(PAGES);

	CHECK_CALL(munmap(addr, PAGES * PAGE));
	to_device_all(fd, addr, PAGES, DEVPUB_REASON_UNMAPPED);
	if (mem_by_device())
		CHECK_EQ(mem_try_touch(addr, false), EFAULT);
}

/* Create a file of PAGES pages; the contents of each depend on its number. */
static int new_file(void)
{
	char path[] = "/tmp/devpub-conformance-XXXXXX";
	char *data = mem_map(1);
	int file = mkstemp(path);

	CHECK_CALL(file);
	CHECK_CALL(unlink(path));
	for (size_t i = 0; i < PAGES; i++) {
		mem_fill(data, 1, 100 + i);
		CHECK_EQ(write(file, data, PAGE), PAGE);
	}
	return file;
}

static char *map_file_private(int file)
{
	char *addr = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE, file, 0);

	CHECK(addr != MAP_FAILED);
	return addr;
}

ONCE(file_untouched, "unwritten pages of a private mapping of a file are refused as the file's")
{
	int fd = device_open();
	char *addr = map_file_private(new_file());

	for (size_t i = 0; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
	to_device_all(fd, addr, PAGES, DEVPUB_REASON_FILE);
	for (size_t i = 0; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
}

ONCE(file_between, "unwritten pages between written ones of a private mapping are refused as the file's")
{
	int fd = device_open();
	char *addr = map_file_private(new_file());

	mem_fill(addr, 1, 1);
	mem_fill(addr + (PAGES - 1) * PAGE, 1, 1);
	for (size_t i = 1; i < PAGES - 1; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
	to_device_all(fd, addr + PAGE, PAGES - 2, DEVPUB_REASON_FILE);
	move_to_device(fd, addr, 1);
	for (size_t i = 1; i < PAGES - 1; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
	mem_check(addr, 1, 1);
}

PLACES(file_written,
	"written pages of a private file mapping are the process's: they move, and the file never shows it")
{
	int file = new_file();
	char *addr = map_file_private(file), *seen = mem_map(1);

	mem_fill(addr, PAGES / 2, 1);
	place_put(place, addr, PAGES / 2);
	mem_check(addr, PAGES / 2, 1);
	for (size_t i = PAGES / 2; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
	mem_fill(addr, PAGES / 2, 2);
	for (size_t i = 0; i < PAGES; i++) {
		CHECK_EQ(pread(file, seen, PAGE, i * PAGE), PAGE);
		mem_check(seen, 1, 100 + i);
	}
	mem_check(addr, PAGES / 2, 2);
	place_check(place, addr, PAGES / 2);
}

PLACES(file_dontneed, "MADV_DONTNEED of written pages of a private mapping shows the file again")
{
	char *addr = map_file_private(new_file());

	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_DONTNEED));
	place_check_used(place, 0);
	for (size_t i = 0; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, 100 + i);
}

PLACES(file_changes, "what is written to the file shows in the unwritten pages only")
{
	int file = new_file();
	char *addr = map_file_private(file), *data = mem_new(1, 3);

	mem_fill(addr, PAGES / 2, 1);
	place_put(place, addr, PAGES / 2);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(pwrite(file, data, PAGE, i * PAGE), PAGE);
	mem_check(addr, PAGES / 2, 1);
	for (size_t i = PAGES / 2; i < PAGES; i++)
		mem_check(addr + i * PAGE, 1, 3);
	place_check(place, addr, PAGES / 2);
}

PLACES(file_truncated,
	"a file that is cut short takes the written pages of its private mappings along")
{
	int file = new_file();
	char *addr = map_file_private(file);

	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	CHECK_CALL(ftruncate(file, PAGES / 2 * PAGE));
	place_check_used(place, PAGES / 2);
	mem_check(addr, PAGES / 2, 1);
	check_absent(place->fd, addr + PAGES / 2 * PAGE, PAGES / 2);
}
