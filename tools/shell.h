/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other programs, by a shell.  They are looked for in absolute folders only: who runs
 * devpubctl as root must not run what lies in the folder where he stands.
 */
#ifndef DEVPUB_TOOLS_SHELL_H
#define DEVPUB_TOOLS_SHELL_H

#include <stdio.h>

/* As popen(3) to read from, and pclose(3). */
FILE *shell_open(const char *command);
int shell_close(FILE *pipe);

/* As system(3). */
int shell_run(const char *command);

/* The absolute folders of a PATH, and those of the system, for free(). */
char *shell_path(const char *path);

#endif /* DEVPUB_TOOLS_SHELL_H */
