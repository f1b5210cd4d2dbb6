/* SPDX-License-Identifier: GPL-2.0 */
/* Ordinary users, who attack and are attacked. */
#ifndef DEVPUB_TESTS_HOSTILE_USER_H
#define DEVPUB_TESTS_HOSTILE_USER_H

#include <sys/types.h>

#define ATTACKER	1000U
#define VICTIM		1001U

/* Let ordinary users open every devpub device, as members of its group may. */
void user_admit(void);

/* Give up root for good: the calling process is @uid's, and dumpable. */
void user_become(uid_t uid);

/* A child that is @uid's and dies with its case; returns as fork() does. */
pid_t user_fork(uid_t uid);

#endif /* DEVPUB_TESTS_HOSTILE_USER_H */
