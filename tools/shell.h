/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Runs other programs by a shell.  It searches them in absolute folders only, because
 * devpubctl as root must not run a program of the current folder.
 */
#ifndef DEVPUB_TOOLS_SHELL_H
#define DEVPUB_TOOLS_SHELL_H

#include <stdio.h>

/* As popen(3) for reading, and pclose(3). */
FILE *shell_open(const char *command);
int shell_close(FILE *pipe);

/* As system(3). */
int shell_run(const char *command);

/* Return the absolute folders of a PATH, and those of the system.  Free it with free(). */
char *shell_path(const char *path);

#endif /* DEVPUB_TOOLS_SHELL_H */
