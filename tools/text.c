// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "text.h"

static const char units[] = "KMGTPE";

/* Accept digits only; strtoull() itself also accepts signs and blanks. */
static bool parse_digits(const char *text, int base, const char **rest,
			 uint64_t *number)
{
	char *end;

	if (base == 10 ? !isdigit((unsigned char)*text) :
			 !isxdigit((unsigned char)*text))
		return false;
	/* Reject a second "0x", which strtoull() would skip. */
	if (base == 16 && text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	*rest = end;
	return !errno;
}

/* Return a fraction of a unit, such as ".5", in bytes. */
static bool parse_fraction(const char **text, uint64_t *millionths)
{
	uint64_t weight = 100000;

	*millionths = 0;
	if (**text != '.')
		return true;
	(*text)++;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++) {
		*millionths += (**text - '0') * weight;
		weight /= 10;
	}
	return true;
}

bool text_parse_size(const char *text, const char *ends, const char **rest,
		     uint64_t *bytes)
{
	uint64_t whole, millionths = 0, part, unit = 1;
	const char *end, *found;
	bool hex;

	hex = text[0] == '0' && tolower((unsigned char)text[1]) == 'x';
	if (!parse_digits(hex ? text + 2 : text, hex ? 16 : 10, &end, &whole))
		return false;
	if (!hex && !parse_fraction(&end, &millionths))
		return false;
	found = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (found) {
		unit = 1ULL << (10 * (found - units + 1));
		end++;
		if (!strncmp(end, "iB", 2))
			end += 2;
	} else if (millionths) {
		return false;
	}
	if (*end && !strchr(ends, *end))
		return false;
	/* Compute in two steps, so that a large unit does not overflow. */
	part = unit / 1000000 * millionths + unit % 1000000 * millionths / 1000000;
	if (__builtin_mul_overflow(whole, unit, bytes) ||
	    __builtin_add_overflow(*bytes, part, bytes))
		return false;
	if (rest)
		*rest = end;
	return true;
}

bool text_parse_number(const char *text, uint64_t max, uint64_t *number)
{
	const char *rest;

	return parse_digits(text, 10, &rest, number) && !*rest && *number <= max;
}

static bool parse_address(const char *text, const char **rest, uint64_t *addr)
{
	if (text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
		text += 2;
	return parse_digits(text, 16, rest, addr);
}

bool text_parse_address(const char *text, uint64_t *addr)
{
	const char *rest;

	return parse_address(text, &rest, addr) && !*rest;
}

bool text_parse_value(const char *text, unsigned int bits, uint64_t *value)
{
	const uint64_t most = UINT64_MAX >> (64 - bits);
	const bool negative = *text == '-';
	const char *rest;
	bool hex;

	text += negative;
	hex = text[0] == '0' && tolower((unsigned char)text[1]) == 'x';
	if (!parse_digits(hex ? text + 2 : text, hex ? 16 : 10, &rest, value) || *rest)
		return false;
	if (*value > (negative ? most / 2 + 1 : most))
		return false;
	if (negative)
		*value = -*value & most;
	return true;
}

bool text_parse_range(const char *text, uint64_t *start, uint64_t *end)
{
	const char *rest;

	return parse_address(text, &rest, start) && *rest == '-' &&
	       parse_address(rest + 1, &rest, end) && !*rest && *start < *end;
}

bool text_parse_device(const char *text, unsigned int *index)
{
	uint64_t number;

	if (!strncmp(text, "/dev/", 5))
		text += 5;
	if (!strncmp(text, "devpub", 6))
		text += 6;
	if (!text_parse_number(text, UINT32_MAX, &number))
		return false;
	*index = number;
	return true;
}

const char *text_size(char buffer[TEXT_SIZE], uint64_t bytes)
{
	uint64_t unit = 1, tenths;
	int i = -1;

	if (ctl_bytes) {
		snprintf(buffer, TEXT_SIZE, "%" PRIu64, bytes);
		return buffer;
	}
	/* A value that rounds to 1024 of a unit is 1 of the next unit. */
	while (i + 1 < (int)sizeof(units) - 1 &&
	       bytes / unit + (bytes % unit >= unit - unit / 20) >= 1024) {
		unit *= 1024;
		i++;
	}
	if (i < 0) {
		snprintf(buffer, TEXT_SIZE, "%" PRIu64 "B", bytes);
		return buffer;
	}
	tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
	if (tenths % 10)
		snprintf(buffer, TEXT_SIZE, "%" PRIu64 ".%u%c", tenths / 10,
			 (unsigned int)(tenths % 10), units[i]);
	else
		snprintf(buffer, TEXT_SIZE, "%" PRIu64 "%c", tenths / 10,
			 units[i]);
	return buffer;
}

bool text_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}
