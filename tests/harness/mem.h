/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Memory to migrate: functions that map, fill, check and inspect it. */
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
