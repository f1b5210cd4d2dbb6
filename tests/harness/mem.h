/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Memory to migrate: functions that map, fill, access, check and inspect it. */
#ifndef DEVPUB_TESTS_MEM_H
#define DEVPUB_TESTS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUGE_PAGES	512UL

/* Map private anonymous memory of small pages, untouched. */
void *mem_map(size_t pages);
/* The same, aligned to 2 MiB and with MADV_HUGEPAGE. */
void *mem_map_huge(size_t pages);
/* The same, filled. */
void *mem_new(size_t pages, uint64_t seed);

/* The value of each word depends on its position and the seed. */
void mem_fill(void *addr, size_t pages, uint64_t seed);
void mem_check(const void *addr, size_t pages, uint64_t seed);
void mem_check_zero(const void *addr, size_t pages);

/*
 * Let the device instead of the CPU do all accesses of mem_fill(), mem_check(),
 * mem_check_zero() and of the functions below, in this process and in its children.
 */
void mem_use_device(void);
bool mem_by_device(void);
/* Return the number of operations that the device has got in this case. */
uint64_t mem_device_operations(void);

/* If the device gets an error, the case fails, except as noted. */
void mem_write(void *addr, const void *data, size_t size);
void mem_set(void *addr, unsigned char value, size_t size);
bool mem_equal(const void *one, const void *other, size_t size);
char mem_get(const char *byte);
void mem_put(char *byte, char value);
/* Single accesses to 32 bits, with acquire and release order, and an atomic addition. */
uint32_t mem_get_word(const uint32_t *word);
void mem_put_word(uint32_t *word, uint32_t value);
void mem_add_word(void *word, uint32_t value);

/*
 * Read a byte, and with @write also write its value back.  Return 0, or the device's error,
 * which must be at this byte.
 */
int mem_try_touch(volatile char *byte, bool write);

/*
 * Return the contents of at most 16 pages, or memory for new contents, which mem_commit()
 * writes.  For the CPU, this is @addr itself; for the device, it is a buffer of the thread.
 */
const uint64_t *mem_view(const void *addr, size_t words);
uint64_t *mem_stage(void *addr, size_t words);
void mem_commit(void *addr, size_t words);

/* Get the frame of each page; 0 if the page is not present. */
void mem_pfns(const void *addr, size_t pages, uint64_t *pfns);
uint64_t mem_pfn(const void *addr);
/* Return the flags of a page in /proc/kpageflags, or 0 if it is not present. */
uint64_t mem_kpageflags(const void *addr);
/* Return a value in kB of the mapping that contains the address, from smaps. */
long long mem_smaps(const void *addr, const char *name);
/* Return the start of the mapping with this name in /proc/self/maps, or NULL. */
void *mem_find(const char *name, size_t *pages);

#endif /* DEVPUB_TESTS_MEM_H */
