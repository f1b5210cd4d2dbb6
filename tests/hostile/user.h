/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Ordinary users: the attackers and the victims. */
#ifndef DEVPUB_TESTS_HOSTILE_USER_H
#define DEVPUB_TESTS_HOSTILE_USER_H

#include <sys/types.h>

#define ATTACKER	1000U
#define VICTIM		1001U

/* Let ordinary users open every devpub device, as members of its group may. */
void user_admit(void);

/* Drop root permanently: the calling process belongs to @uid and is dumpable. */
void user_become(uid_t uid);

/* Fork a child that belongs to @uid and is killed when the case ends.  Return as fork(). */
pid_t user_fork(uid_t uid);

#endif /* DEVPUB_TESTS_HOSTILE_USER_H */
