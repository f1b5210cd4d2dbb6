/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Direct reads into pages that move.  Each read reads one page of a file with known content,
 * and every word is compared after the read.
 */
#ifndef DEVPUB_TESTS_HOSTILE_READS_H
#define DEVPUB_TESTS_HOSTILE_READS_H

#include <stddef.h>
#include <stdint.h>

/* The file's length, in blocks of a page. */
#define READS_BLOCKS	1024UL

/* Fill a block with the content of the file. */
void reads_fill_block(void *page, uint64_t block);

/* How pages leave the device. */
enum reads_way {
	READS_FROM,	/* their owner calls MIGRATE_FROM */
	READS_EVICT,	/* root calls EVICT */
	READS_UNBIND,	/* root unbinds the device, and binds it again */
	READS_UNLOAD,	/* root unloads the module, and loads it again */
};

/*
 * An ordinary user makes this number of direct reads of the file into pages that move to the
 * device and leave it again.  The case fails if a word is lost.  @prepare, which may be NULL, is
 * called in the user's process before it opens the file.
 */
void reads_beside(const char *path, enum reads_way way, unsigned long count,
		  void (*prepare)(void));

#endif /* DEVPUB_TESTS_HOSTILE_READS_H */
