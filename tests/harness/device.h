/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Calls of a device, and the locations of memory that the kernel reports. */
#ifndef DEVPUB_TESTS_DEVICE_H
#define DEVPUB_TESTS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/devpub.h>

#define PAGE		4096UL
#define REASONS		32

/* Return 0, or -1 with errno if there is no such device. */
int device_info_of(unsigned int index, struct devpub_info *info);

/* Open device 0 or another one.  Without it, the case fails or is skipped. */
int device_open(void);
int device_open_nth(unsigned int index);
struct devpub_info device_info(int fd);
uint64_t device_free_pages(int fd);
/* Wait for this number of free pages; the case fails if there are not enough soon. */
void device_await_free_pages(int fd, uint64_t pages);
/* Take device 0 from its driver, and return the milliseconds that this took. */
unsigned long long device_unbind(void);
/* Bring it back, as soon as that is possible. */
void device_bind(void);
/* Return the path of a file in the device's sysfs directory. */
const char *device_attribute(int fd, const char *name);
unsigned long long device_counter(int fd, const char *name);

/* Numbers of pages by reason. */
struct outcome {
	unsigned long pages[REASONS];
};

/*
 * Check that the sum of the counts is done, and that the array of reasons agrees with the
 * counts.  Otherwise the case fails.
 */
struct outcome check_sums(const struct devpub_migrate *arg,
			  const unsigned char *reasons);

/*
 * Make calls that must succeed, complete the whole range, and return consistent results.
 * Repeat them for busy pages, because any page may be in another CPU's LRU batch.  The array of
 * reasons may be NULL.
 */
struct outcome migrate_range(int fd, unsigned long cmd, const void *addr,
			     size_t pages, unsigned int flags,
			     unsigned char *reasons);
struct outcome to_device(int fd, const void *addr, size_t pages);
struct outcome populate(int fd, const void *addr, size_t pages);
struct outcome to_system(int fd, const void *addr, size_t pages);
/* The same without retries, for use under load, where pages are busy all the time. */
struct outcome to_device_once(int fd, const void *addr, size_t pages);
struct outcome to_system_once(int fd, const void *addr, size_t pages);

/* Check that every page has this reason. */
void to_device_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason);
void to_system_all(int fd, const void *addr, size_t pages,
		   enum devpub_reason reason);
void move_to_device(int fd, const void *addr, size_t pages);
void move_to_system(int fd, const void *addr, size_t pages);

/* Check with QUERY and with pagemap that each page of the range has this location. */
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
