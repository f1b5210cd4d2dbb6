/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers, sizes and names as people write them.  Pure, but for text_file(). */
#ifndef DEVPUB_TOOLS_TEXT_H
#define DEVPUB_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for text_size(). */
#define TEXT_SIZE	24

/*
 * "268435456", "256M", "256MiB", "1.5G", "0x10000000": bytes.  Suffixes are
 * powers of 1024.  The text ends at one of the characters @ends, or at its own
 * end; @rest, unless NULL, receives where.
 */
bool text_parse_size(const char *text, const char *ends, const char **rest,
		     uint64_t *bytes);

/* A decimal number up to @max, and nothing else. */
bool text_parse_number(const char *text, uint64_t max, uint64_t *number);

/* "55d0c0a00000-55d0c0a21000", hexadecimal as in /proc/PID/maps, or with 0x. */
bool text_parse_range(const char *text, uint64_t *start, uint64_t *end);

/* "devpub0", "/dev/devpub0" or "0". */
bool text_parse_device(const char *text, unsigned int *index);

/* 268435456: "256M"; 1610612736: "1.5G"; with ctl_bytes: "1610612736". */
const char *text_size(char buffer[TEXT_SIZE], uint64_t bytes);

/* The first line of a file without its end, or false. */
bool text_file(const char *path, char *text, size_t size);

#endif /* DEVPUB_TOOLS_TEXT_H */
