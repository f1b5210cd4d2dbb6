/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is expected of the kernel: see the tables in expect.c.
 */
#ifndef DEVPUB_EXPECT_H
#define DEVPUB_EXPECT_H

#include <kunit/test.h>

#include "pte.h"

struct page;

/* Ways for a page to move; bits, for a row may be about several. */
enum devpub_way {
	DEVPUB_TO	= 1,	/* to the device */
	DEVPUB_FROM	= 2,	/* back, by address */
	DEVPUB_EVICT	= 4,	/* back, by device page */
};

/* What stands in its way. */
enum devpub_obstacle {
	DEVPUB_NOTHING,
	DEVPUB_REF,		/* one get_page() */
	DEVPUB_TWO_REFS,
	DEVPUB_GUP,		/* get_user_pages(), that is FOLL_GET */
	DEVPUB_PIN,		/* pin_user_pages(), that is FOLL_PIN */
	DEVPUB_LATE_REF,	/* one get_page(), once the engine has copied it */
	DEVPUB_SWAPCACHE,	/* it still has a copy in swap */
	DEVPUB_FULL,		/* no page is free on the device */
	DEVPUB_NO_MEMORY,	/* an allocation of the system's fails */
	DEVPUB_HOLE,		/* there is no page yet; it is to be filled */
	DEVPUB_HOLE_TAKEN,	/* its owner fills it, while it is to be filled */
};

/* What becomes of the page. */
enum devpub_fate {
	DEVPUB_MOVED,
	DEVPUB_FILLED,		/* there was none; there is one on the device now */
	DEVPUB_SKIPPED,		/* collected; the engine does not choose it */
	DEVPUB_NOT_COLLECTED,	/* migrate_vma_setup() refuses it */
	DEVPUB_NOT_MOVED,	/* migrate_vma_pages() refuses it */
	DEVPUB_NOT_FILLED,	/* likewise, and there was none before */
};

/* When a page is looked at. */
enum devpub_phase {
	DEVPUB_PHASE_FRESH,	/* just faulted in, the batches not drained yet */
	DEVPUB_PHASE_BEFORE,
	DEVPUB_PHASE_SETUP,	/* after migrate_vma_setup() */
	DEVPUB_PHASE_FILLED,	/* after the engine has allocated and copied */
	DEVPUB_PHASE_PAGES,	/* after migrate_vma_pages() */
	DEVPUB_PHASE_FINALIZED,	/* after migrate_vma_finalize() */
};

enum devpub_role {
	DEVPUB_SOURCE,
	DEVPUB_DESTINATION,
};

/**
 * struct devpub_expect_fate - what becomes of a page that should move
 * @ways:	ways that the row is about
 * @obstacle:	what stands in its way
 * @refs:	references to it that this is
 * @fate:	what becomes of it
 * @reason:	what the engine says
 */
struct devpub_expect_fate {
	unsigned int ways;
	enum devpub_obstacle obstacle;
	int refs;
	enum devpub_fate fate;
	u8 reason;
};

/**
 * struct devpub_expect_count - a page in a phase
 * @ways:	ways that the row is about
 * @fate:	what becomes of the page
 * @phase:	when
 * @role:	which of the two pages
 * @mapped:	by all who mapped it at first, each with a reference; or by no one
 * @extra:	references beside those of mappings and obstacles
 * @locked:	it is
 * @lru:	it is on an LRU list
 */
struct devpub_expect_count {
	unsigned int ways;
	enum devpub_fate fate;
	enum devpub_phase phase;
	enum devpub_role role;
	bool mapped;
	int extra;
	bool locked;
	bool lru;
};

/* What goes on with a device page. */
enum devpub_state {
	DEVPUB_STATE_FREE,
	DEVPUB_STATE_ALLOCATED,
	DEVPUB_STATE_MAPPED,
	DEVPUB_STATE_HELD,		/* by get_page() */
};

/**
 * struct devpub_expect_state - a device page at rest
 * @state:	what goes on with it
 * @refs:	references, each time
 * @mapped:	mappings, each time
 * @locked:	it is
 */
struct devpub_expect_state {
	enum devpub_state state;
	int refs;
	int mapped;
	bool locked;
};

/* What happened to a page before its page table entry is looked at. */
enum devpub_scene {
	DEVPUB_SCENE_MOVED_TO,
	DEVPUB_SCENE_MOVED_BACK,
	DEVPUB_SCENE_REFUSED,
	DEVPUB_SCENE_COLLECTED,		/* between the two, after migrate_vma_setup() */
	DEVPUB_SCENE_FILLED,		/* a hole's population */
	DEVPUB_SCENE_FORK_PARENT,
	DEVPUB_SCENE_FORK_CHILD,
	DEVPUB_SCENE_PROTECTED,		/* mprotect(PROT_READ) */
	DEVPUB_SCENE_UNPROTECTED,	/* and PROT_READ | PROT_WRITE again */
	DEVPUB_SCENE_PROTECTED_WHOLLY,	/* mprotect(PROT_NONE) */
	DEVPUB_SCENES,
};

/**
 * enum devpub_mark - a mark of a page table entry
 * @DEVPUB_CLEAR:	is not set
 * @DEVPUB_SET:		is set
 * @DEVPUB_KEPT:	is as it was before
 * @DEVPUB_CHANGED:	is not as it was before
 * @DEVPUB_KEPT_OR_DIRTY: is as it was before, or set because the page is dirty
 * @DEVPUB_AS_DIRTY:	is as the dirty mark is
 * @DEVPUB_NO_SUCH:	this kernel's entries have no such mark
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
 * struct devpub_expect_pte - the entry of a page after a scene
 * @scene:	what happened
 * @migration:	it is a migration entry, and present where it is none
 * @on_device:	the frame is the device's
 * @writable:	as struct devpub_pte has them, which goes for all below
 * @dirty:	likewise
 * @young:	likewise
 * @soft_dirty:	likewise
 * @special:	likewise
 * @devmap:	likewise
 */
struct devpub_expect_pte {
	enum devpub_scene scene;
	enum devpub_mark migration;
	enum devpub_mark on_device;
	enum devpub_mark writable;
	enum devpub_mark dirty;
	enum devpub_mark young;
	enum devpub_mark soft_dirty;
	enum devpub_mark special;
	enum devpub_mark devmap;
};

/* References that a device page which is out holds to its pagemap. */
extern int devpub_expect_pagemap_refs;

const struct devpub_expect_fate *
devpub_expect_fate(struct kunit *test, enum devpub_way way,
		   enum devpub_obstacle obstacle);
void devpub_expect_counts(struct kunit *test, enum devpub_way way,
			  enum devpub_fate fate, enum devpub_phase phase,
			  enum devpub_role role, struct page *page, int maps,
			  int held);
void devpub_expect_state(struct kunit *test, enum devpub_state state,
			 struct page *page, int n, int held);
void devpub_expect_pte(struct kunit *test, enum devpub_scene scene,
		       const struct devpub_pte *before, struct devpub_pte now);
const char *devpub_expect_pte_spoil(unsigned int row, unsigned int member);

#endif /* DEVPUB_EXPECT_H */
