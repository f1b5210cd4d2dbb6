// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "pagemap.h"

#define WORDS		(PAGE / sizeof(uint64_t))

void *mem_map(size_t pages)
{
	void *addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		FAIL("mmap of %zu pages: %s", pages, strerror(errno));
	/* This fails only if the kernel has no huge pages. */
	madvise(addr, pages * PAGE, MADV_NOHUGEPAGE);
	return addr;
}

void *mem_map_huge(size_t pages)
{
	const uintptr_t huge = HUGE_PAGES * PAGE;
	char *addr = mem_map(pages + HUGE_PAGES);
	char *start = (char *)(((uintptr_t)addr + huge - 1) & ~(huge - 1));

	if (start > addr)
		CHECK_CALL(munmap(addr, start - addr));
	CHECK_CALL(munmap(start + pages * PAGE, addr + huge - start));
	if (madvise(start, pages * PAGE, MADV_HUGEPAGE))
		SKIP("no transparent huge pages in this kernel");
	return start;
}

void *mem_new(size_t pages, uint64_t seed)
{
	void *addr = mem_map(pages);

	mem_fill(addr, pages, seed);
	return addr;
}

static uint64_t mem_word(uint64_t seed, size_t index)
{
	return (seed << 40 ^ (index + 1)) * 0x9e3779b97f4a7c15ULL;
}

/* Words that are accessed at a time. */
#define CHUNK		(16 * WORDS)

static size_t chunk_at(size_t first, size_t words)
{
	return words - first < CHUNK ? words - first : CHUNK;
}

void mem_fill(void *addr, size_t pages, uint64_t seed)
{
	uint64_t *word = addr, *to;
	size_t n;

	for (size_t first = 0; first < pages * WORDS; first += n) {
		n = chunk_at(first, pages * WORDS);
		to = mem_stage(word + first, n);
		for (size_t i = 0; i < n; i++)
			to[i] = mem_word(seed, first + i);
		mem_commit(word + first, n);
	}
}

/* Check all words against those of the seed, or against 0 without a seed. */
static void check_words(const void *addr, size_t pages, const uint64_t *seed, const char *what)
{
	const uint64_t *word = addr, *seen;
	size_t n;

	for (size_t first = 0; first < pages * WORDS; first += n) {
		n = chunk_at(first, pages * WORDS);
		seen = mem_view(word + first, n);
		for (size_t i = 0, at = first; i < n; i++, at++)
			if (seen[i] != (seed ? mem_word(*seed, at) : 0))
				FAIL("%s in page %zu of %zu, byte %#zx: %#llx", what,
				     (size_t)(at / WORDS), pages, (size_t)(at % WORDS * 8),
				     (unsigned long long)seen[i]);
	}
}

void mem_check(const void *addr, size_t pages, uint64_t seed)
{
	check_words(addr, pages, &seed, "wrong data");
}

void mem_check_zero(const void *addr, size_t pages)
{
	check_words(addr, pages, NULL, "not zero");
}

void mem_pfns(const void *addr, size_t pages, uint64_t *pfns)
{
	pagemap_read(addr, pages, pfns);
	for (size_t i = 0; i < pages; i++) {
		if (!(pfns[i] & PAGEMAP_PRESENT)) {
			pfns[i] = 0;
			continue;
		}
		pfns[i] &= PAGEMAP_PFN;
		if (!pfns[i])
			FAIL("pagemap hides frame numbers: run as root");
	}
}

uint64_t mem_pfn(const void *addr)
{
	uint64_t pfn;

	mem_pfns(addr, 1, &pfn);
	return pfn;
}

uint64_t mem_kpageflags(const void *addr)
{
	uint64_t pfn = mem_pfn(addr);
	uint64_t flags = 0;

	if (pfn)
		pagemap_entries("/proc/kpageflags", pfn, 1, &flags);
	return flags;
}

/* Read /proc/self/maps up to the mapping that contains addr or has the name. */
static bool find_mapping(FILE *file, uint64_t addr, const char *name,
			 unsigned long long *start, unsigned long long *end)
{
	char line[512], path[256];

	while (fgets(line, sizeof(line), file)) {
		path[0] = '\0';
		if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %255s",
			   start, end, path) < 2)
			continue;
		if (name ? !strcmp(path, name) : addr >= *start && addr < *end)
			return true;
	}
	return false;
}

long long mem_smaps(const void *addr, const char *name)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long long start, end;
	size_t length = strlen(name);
	long long value = -1;
	char line[512];

	CHECK(file);
	if (!find_mapping(file, address(addr), NULL, &start, &end))
		FAIL("no mapping at %p", addr);
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "VmFlags:", 8))
			break;
		if (!strncmp(line, name, length) && line[length] == ':')
			value = strtoll(line + length + 1, NULL, 10);
	}
	fclose(file);
	return value;
}

void *mem_find(const char *name, size_t *pages)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long long start, end;
	void *found = NULL;

	CHECK(file);
	if (find_mapping(file, 0, name, &start, &end)) {
		*pages = (end - start) / PAGE;
		found = (void *)(uintptr_t)start;
	}
	fclose(file);
	return found;
}
