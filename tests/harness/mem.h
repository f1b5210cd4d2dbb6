/* SPDX-License-Identifier: GPL-2.0 */
/* Memory to migrate: mapped, filled, checked, and seen through /proc. */
#ifndef DEVPUB_TESTS_MEM_H
#define DEVPUB_TESTS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUGE_PAGES	512UL

/* Private anonymous memory of small pages, not yet touched. */
void *mem_map(size_t pages);
/* The same, at a 2 MiB border and asking for huge pages. */
void *mem_map_huge(size_t pages);
/* The same, filled. */
void *mem_new(size_t pages, uint64_t seed);

/* Every word's value depends on its place and the seed. */
void mem_fill(void *addr, size_t pages, uint64_t seed);
void mem_check(const void *addr, size_t pages, uint64_t seed);
void mem_check_zero(const void *addr, size_t pages);

/* The frame of each page, 0 where none is present. */
void mem_pfns(const void *addr, size_t pages, uint64_t *pfns);
uint64_t mem_pfn(const void *addr);
/* The flags of /proc/kpageflags of a present page's frame, or 0. */
uint64_t mem_kpageflags(const void *addr);
/* A value in kB of the mapping that holds the address. */
long long mem_smaps(const void *addr, const char *name);
/* The start of a mapping by the name in /proc/self/maps, or NULL. */
void *mem_find(const char *name, size_t *pages);

#endif /* DEVPUB_TESTS_MEM_H */
