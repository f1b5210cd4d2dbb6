// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The contents of pages. */
#include "stress.h"

#define WORDS	(PAGE / sizeof(uint64_t))

/* The last steps of splitmix64: each bit of the result depends on all bits of the input. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint64_t page_base(const struct stress_page *page)
{
	return mix(page->written_at + page->generation +
		   ((uint64_t)page->process << 48));
}

static uint64_t page_word(uint64_t base, size_t index)
{
	return (base ^ index) * 0x9e3779b97f4a7c15ULL;
}

void stress_page_fill(const struct stress_thread *thread,
		      struct stress_page *page, void *addr)
{
	uint64_t *word = addr;
	uint64_t base;

	page->written_at = address(addr);
	page->generation = thread->generation;
	page->process = thread->process;
	page->free = false;
	base = page_base(page);
	for (size_t i = 0; i < WORDS; i++)
		word[i] = page_word(base, i);
}

long stress_page_check(const struct stress_page *page, const void *copy)
{
	const uint64_t base = page_base(page);
	const volatile uint64_t *word = copy;

	for (size_t i = 0; i < WORDS; i++) {
		uint64_t found = word[i];

		if (!found && (page->free || !page->generation))
			continue;
		if (!page->generation || found != page_word(base, i))
			return i * sizeof(*word);
	}
	return -1;
}
