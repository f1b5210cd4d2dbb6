/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of a device, and where the kernel says that memory is. */
#ifndef DEVPUB_TESTS_DEVICE_H
#define DEVPUB_TESTS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/devpub.h>

#define PAGE		4096UL
#define REASONS		32

/* 0, or -1 with errno when there is no such device. */
int device_info_of(unsigned int index, struct devpub_info *info);

/* Open device 0 (or another one); the case fails or is skipped without it. */
int device_open(void);
int device_open_nth(unsigned int index);
struct devpub_info device_info(int fd);
uint64_t device_free_pages(int fd);
/* The case fails unless so many pages become free soon. */
void device_await_free_pages(int fd, uint64_t pages);
/* The device's directory in sysfs with a file's name behind it. */
const char *device_attribute(int fd, const char *name);
unsigned long long device_counter(int fd, const char *name);

/* How many pages met which reason. */
struct outcome {
	unsigned long pages[REASONS];
};

/*
 * The counts sum to what is done, and the array of reasons to the counts; the
 * case fails otherwise.
 */
struct outcome check_sums(const struct devpub_migrate *arg,
			  const unsigned char *reasons);

/*
 * Calls that must succeed, cover the whole range and agree with themselves.
 * They are repeated for the pages that are busy for a moment: any page may sit
 * in another CPU's LRU batch.  The array of reasons may be NULL.
 */
struct outcome migrate_range(int fd, unsigned long cmd, const void *addr,
			     size_t pages, unsigned int flags,
			     unsigned char *reasons);
struct outcome to_device(int fd, const void *addr, size_t pages);
struct outcome populate(int fd, const void *addr, size_t pages);
struct outcome to_system(int fd, const void *addr, size_t pages);
/* No second try: for use under load, where pages are busy all the time. */
struct outcome to_device_once(int fd, const void *addr, size_t pages);
struct outcome to_system_once(int fd, const void *addr, size_t pages);

/* The case fails unless every page meets that reason. */
void to_device_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason);
void to_system_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason);
void move_to_device(int fd, const void *addr, size_t pages);
void move_to_system(int fd, const void *addr, size_t pages);

/* Each page of the range must be there, as both QUERY and pagemap see it. */
void check_on_device(int fd, const void *addr, size_t pages);
void check_in_system(int fd, const void *addr, size_t pages);
void check_absent(int fd, const void *addr, size_t pages);
struct devpub_query query(int fd, const void *addr, size_t pages,
			  unsigned char *locations);

static inline uint64_t address(const void *addr)
{
	return (uintptr_t)addr;
}

static inline struct devpub_migrate migrate_arg(const void *addr, size_t pages,
						const unsigned char *reasons)
{
	return (struct devpub_migrate) {
		.addr = address(addr),
		.length = (uint64_t)pages * PAGE,
		.reasons = address(reasons),
	};
}

#endif /* DEVPUB_TESTS_DEVICE_H */
