/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the tests share. */
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

/* A child that runs @body, says that it is ready, and lives until it is killed. */
pid_t start(void (*body)(void));
void stop(pid_t pid);

/* What a case that failed has left */
void stop_all(void);

/* Have a name that looks like the end of a name, and the state of one that has ended. */
void be_named(void);

/* In a child: without privilege, and not for longer than its parent. */
void be_a_user(void);

/* Are so many of its pages seen, at least?  True where no frames are shown. */
bool is_seen(pid_t pid, uint64_t pages);

/* test_names.c */
bool names_shown(void);
bool names_fitted(void);
bool paths_cleaned(void);

/* test_keys.c */
bool keys_identified(void);
bool keys_numbered(void);
bool keys_found(void);

/* test_hostile.c: processes that ordinary users run, and what they may not do to us. */
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

/* What this program is when it is started with arguments: such a process. */
int test_peer(char **argv);

#endif /* DEVPUB_TOOLS_TEST_H */
