/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Expectations of the kernel: see the tables in expect.c.
 */
#ifndef DEVPUB_EXPECT_H
#define DEVPUB_EXPECT_H

#include <kunit/test.h>

#include "pte.h"
#include "spy.h"

struct page;

/* Directions of a migration.  They are bits, because a row may apply to several. */
enum devpub_direction {
	DEVPUB_TO	= 1,	/* to the device */
	DEVPUB_FROM	= 2,	/* from the device, by address */
	DEVPUB_EVICT	= 4,	/* from the device, by device page */
};

/* Obstacles to the migration of a page. */
enum devpub_obstacle {
	DEVPUB_NOTHING,
	DEVPUB_REF,		/* one get_page() */
	DEVPUB_TWO_REFS,
	DEVPUB_GUP,		/* get_user_pages() (FOLL_GET) */
	DEVPUB_PIN,		/* pin_user_pages() (FOLL_PIN) */
	DEVPUB_LATE_REF,	/* one get_page(), after the engine has copied the page */
	DEVPUB_SWAPCACHE,	/* the page still has a copy in swap */
	DEVPUB_FULL,		/* no page is free on the device */
	DEVPUB_NO_MEMORY,	/* an allocation of system memory fails */
	DEVPUB_HOLE,		/* there is no page; a hole is to be filled */
	DEVPUB_HOLE_TAKEN,	/* the process fills the hole during the migration */
};

/* The result of the page. */
enum devpub_result {
	DEVPUB_MOVED,
	DEVPUB_FILLED,		/* the hole has a page on the device now */
	DEVPUB_SKIPPED,		/* collected, but the engine does not select it */
	DEVPUB_NOT_COLLECTED,	/* migrate_vma_setup() refuses it */
	DEVPUB_NOT_MOVED,	/* migrate_vma_pages() refuses it */
	DEVPUB_NOT_FILLED,	/* migrate_vma_pages() refuses to fill the hole */
};

enum devpub_role {
	DEVPUB_SOURCE,
	DEVPUB_DESTINATION,
};

/**
 * struct devpub_expect_result - the result of a page that is to move
 * @directions:	directions that the row applies to
 * @obstacle:	the obstacle
 * @refs:	number of references that the obstacle holds
 * @result:	the result of the page
 * @reason:	the reason that the engine reports
 */
struct devpub_expect_result {
	unsigned int directions;
	enum devpub_obstacle obstacle;
	int refs;
	enum devpub_result result;
	u8 reason;
};

/**
 * struct devpub_expect_count - the counts of a page in a phase
 * @directions:	directions that the row applies to
 * @result:	the result of the page
 * @phase:	the phase of the migration
 * @role:	source or destination
 * @mapped:	all processes that mapped the source map this page, each with a reference;
 *		if false, none does
 * @extra:	references in addition to those of mappings and obstacles
 * @locked:	the page is locked
 * @lru:	the page is on an LRU list
 */
struct devpub_expect_count {
	unsigned int directions;
	enum devpub_result result;
	enum devpub_phase phase;
	enum devpub_role role;
	bool mapped;
	int extra;
	bool locked;
	bool lru;
};

/* The state of a device page. */
enum devpub_state {
	DEVPUB_STATE_FREE,
	DEVPUB_STATE_ALLOCATED,
	DEVPUB_STATE_MAPPED,
	DEVPUB_STATE_HELD,		/* referenced by get_page() */
};

/**
 * struct devpub_expect_state - a device page at rest
 * @state:	the state of the page
 * @refs:	references per mapping or holder
 * @mapped:	mappings per mapping or holder
 * @locked:	the page is locked
 */
struct devpub_expect_state {
	enum devpub_state state;
	int refs;
	int mapped;
	bool locked;
};

/* The event before a page table entry is checked. */
enum devpub_event {
	DEVPUB_EVENT_MOVED_TO,
	DEVPUB_EVENT_MOVED_FROM,
	DEVPUB_EVENT_REFUSED,
	DEVPUB_EVENT_COLLECTED,		/* during a migration, after migrate_vma_setup() */
	DEVPUB_EVENT_FILLED,		/* a hole was filled */
	DEVPUB_EVENT_FORK_PARENT,
	DEVPUB_EVENT_FORK_CHILD,
	DEVPUB_EVENT_PROTECTED,		/* mprotect(PROT_READ) */
	DEVPUB_EVENT_UNPROTECTED,	/* mprotect(PROT_READ | PROT_WRITE) after that */
	DEVPUB_EVENT_PROTECTED_WHOLLY,	/* mprotect(PROT_NONE) */
	DEVPUB_EVENTS,
};

/**
 * enum devpub_mark - the expected value of a flag of a page table entry
 * @DEVPUB_CLEAR:	clear
 * @DEVPUB_SET:		set
 * @DEVPUB_KEPT:	the value before the event
 * @DEVPUB_CHANGED:	not the value before the event
 * @DEVPUB_KEPT_OR_DIRTY: the value before the event, or set if the page is dirty
 * @DEVPUB_AS_DIRTY:	the value of the dirty flag
 * @DEVPUB_NO_SUCH:	this kernel's entries have no such flag
 */
enum devpub_mark {
	DEVPUB_CLEAR,
	DEVPUB_SET,
	DEVPUB_KEPT,
	DEVPUB_CHANGED,
	DEVPUB_KEPT_OR_DIRTY,
	DEVPUB_AS_DIRTY,
	DEVPUB_NO_SUCH,
};

/**
 * struct devpub_expect_pte - the page table entry of a page after an event
 * @event:	the event
 * @migration:	the entry is a migration entry; if not, the page is present
 * @on_device:	the page is a device page
 * @writable:	as in struct devpub_pte
 * @dirty:	as in struct devpub_pte
 * @young:	as in struct devpub_pte
 * @soft_dirty:	as in struct devpub_pte
 * @special:	as in struct devpub_pte
 * @devmap:	as in struct devpub_pte
 */
struct devpub_expect_pte {
	enum devpub_event event;
	enum devpub_mark migration;
	enum devpub_mark on_device;
	enum devpub_mark writable;
	enum devpub_mark dirty;
	enum devpub_mark young;
	enum devpub_mark soft_dirty;
	enum devpub_mark special;
	enum devpub_mark devmap;
};

/* References that a device page in use holds to its pagemap. */
extern int devpub_expect_pagemap_refs;

const struct devpub_expect_result *
devpub_expect_result(struct kunit *test, enum devpub_direction direction,
		     enum devpub_obstacle obstacle);
void devpub_expect_counts(struct kunit *test, enum devpub_direction direction,
			  enum devpub_result result, enum devpub_phase phase,
			  enum devpub_role role, struct page *page, int maps,
			  int held);
void devpub_expect_state(struct kunit *test, enum devpub_state state,
			 struct page *page, int n, int held);
void devpub_expect_pte(struct kunit *test, enum devpub_event event,
		       const struct devpub_pte *before, struct devpub_pte now);
const char *devpub_expect_pte_spoil(unsigned int row, unsigned int member);

#endif /* DEVPUB_EXPECT_H */
