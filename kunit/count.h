/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Page counts: checks a page in each phase of the engine's own migrations.
 */
#ifndef DEVPUB_COUNT_H
#define DEVPUB_COUNT_H

#include "expect.h"
#include "pte.h"
#include "spy.h"

struct devpub_user;

#define DEVPUB_MAX_MAPS	3

struct devpub_count_param {
	int maps;
	enum devpub_obstacle obstacle;
};

/**
 * struct devpub_count - a migrating page
 * @spy:	checks the page in each phase
 * @test:	the case
 * @direction:	the direction
 * @param:	the number of mappings and the obstacle
 * @row:	the expected result
 * @users:	the processes that map the page
 * @addr:	the address at which they map it
 * @before:	their page table entries before the migration
 * @src:	the page; NULL for a hole
 * @dst:	the destination that the engine has allocated
 * @seen:	bit mask of the phases that the spy has seen
 * @again:	the spy has seen the whole first attempt, and ignores later ones
 * @held:	a page that the system could reuse, held by a reference so that it can
 *		be checked
 */
struct devpub_count {
	struct devpub_spy spy;
	struct kunit *test;
	enum devpub_direction direction;
	struct devpub_count_param param;
	const struct devpub_expect_result *row;
	struct devpub_user *users[DEVPUB_MAX_MAPS];
	unsigned long addr;
	struct devpub_pte before[DEVPUB_MAX_MAPS];
	struct page *src;
	struct page *dst;
	unsigned long seen;
	bool again;
	struct page *held;
};

struct devpub_count *devpub_count_begin(struct kunit *test, enum devpub_direction direction,
					const struct devpub_count_param *param);
void devpub_count_make_page(struct devpub_count *c);
void devpub_count_read_before(struct devpub_count *c);
void devpub_count_expect(struct devpub_count *c, enum devpub_phase phase,
			 enum devpub_role role);
void devpub_count_migrate(struct devpub_count *c, bool populate);
void devpub_count_check_after(struct devpub_count *c);

#endif /* DEVPUB_COUNT_H */
