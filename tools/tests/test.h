/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of the tests share. */
#ifndef DEVPUB_TOOLS_TEST_H
#define DEVPUB_TOOLS_TEST_H

#include <devpub_check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CHECK_FAIL(...)							\
	do {								\
		printf("# %s:%d: ", __FILE__, __LINE__);		\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		return false;						\
	} while (0)

bool same(const char *is, const char *should);

/* Start a child that runs @body, reports that it is ready, and lives until it is killed. */
pid_t start(void (*body)(void));
void stop(pid_t pid);

/* Clean up after a failed case */
void stop_all(void);

/* Set a name that looks like the end of the name and the state of an ended process. */
void be_named(void);

/* In a child: drop privileges, and end with the parent. */
void be_a_user(void);

/* Return true if a scan finds at least this many pages, or if frame numbers are hidden. */
bool is_seen(pid_t pid, uint64_t pages);

/* test_names.c */
bool names_shown(void);
bool names_fitted(void);
bool paths_cleaned(void);

/* test_operations.c */
bool values_read(void);
bool operations_read(void);

/* test_keys.c */
bool keys_identified(void);
bool keys_numbered(void);
bool keys_found(void);

/* test_hostile.c: processes of ordinary users that try to disturb the tools */
bool stat_parsed(void);
bool named_to_hide(void);
bool zombie_has_ended(void);
bool main_thread_gone(void);
bool descriptors_out(void);
bool storm_of_exec(void);

/* test_reserved.c */
bool reservation_passed_over(void);
bool reservation_by_hand(void);
bool move_is_stopped(void);

/* test_family.c */
bool deep_family(void);
bool number_used_again(void);

/* Run as such a process, if this program is started with arguments. */
int test_peer(char **argv);

#endif /* DEVPUB_TOOLS_TEST_H */
