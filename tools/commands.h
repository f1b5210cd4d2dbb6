/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The commands of devpubctl.  Each is in the file of its name. */
#ifndef DEVPUB_TOOLS_COMMANDS_H
#define DEVPUB_TOOLS_COMMANDS_H

#include "ctl.h"

extern const struct command command_list, command_info, command_stats;
extern const struct command command_create, command_destroy, command_evict;
extern const struct command command_migrate, command_locations, command_run;
extern const struct command command_access, command_top, command_doctor, command_bench;

#endif /* DEVPUB_TOOLS_COMMANDS_H */
