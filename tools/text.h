/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Parses and formats numbers, sizes and names.  Only text_file() has side effects. */
#ifndef DEVPUB_TOOLS_TEXT_H
#define DEVPUB_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Size of a buffer for text_size(). */
#define TEXT_SIZE	24

/*
 * Parse a size in bytes: "268435456", "256M", "256MiB", "1.5G" or "0x10000000".  Suffixes are
 * powers of 1024.  The size ends at one of the characters @ends, or at the end of the text.
 * @rest, unless NULL, receives a pointer to its end.
 */
bool text_parse_size(const char *text, const char *ends, const char **rest,
		     uint64_t *bytes);

/* Parse a decimal number up to @max, without any other text. */
bool text_parse_number(const char *text, uint64_t max, uint64_t *number);

/* Parse an address in hexadecimal, with or without 0x. */
bool text_parse_address(const char *text, uint64_t *addr);

/*
 * Parse a value of this number of bits, in decimal, or in hexadecimal with 0x.  A negative value
 * becomes its two's complement.
 */
bool text_parse_value(const char *text, unsigned int bits, uint64_t *value);

/* Parse a range in hexadecimal, with or without 0x, such as "55d0c0a00000-55d0c0a21000". */
bool text_parse_range(const char *text, uint64_t *start, uint64_t *end);

/* Parse a device: "devpub0", "/dev/devpub0" or "0". */
bool text_parse_device(const char *text, unsigned int *index);

/* Format a size: 268435456 as "256M", 1610612736 as "1.5G", or, with ctl_bytes, in bytes. */
const char *text_size(char buffer[TEXT_SIZE], uint64_t bytes);

/* Read the first line of a file without its newline.  Return false on failure. */
bool text_file(const char *path, char *text, size_t size);

#endif /* DEVPUB_TOOLS_TEXT_H */
