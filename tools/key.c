// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <stdio.h>
#include <string.h>

#include "key.h"

/* Tags of DER, and the maximum length that is encoded in one byte. */
#define DER_BOOLEAN	0x01
#define DER_INTEGER	0x02
#define DER_OCTETS	0x04
#define DER_SEQUENCE	0x30
#define DER_VERSION	0xa0
#define DER_SHORT	0x7f

/* Parse the value of the extension 2.5.29.14: optional "critical", then nested octet strings. */
static size_t identifier(const unsigned char *der, size_t size,
			 const unsigned char **id)
{
	if (size >= 3 && der[0] == DER_BOOLEAN && der[1] == 1) {
		der += 3;
		size -= 3;
	}
	if (size < 5 || der[0] != DER_OCTETS || der[2] != DER_OCTETS ||
	    der[1] > DER_SHORT || der[1] != der[3] + 2 || !der[3] ||
	    der[3] > size - 4)
		return 0;
	*id = der + 4;
	return der[3];
}

bool key_id(const unsigned char *der, size_t size, char id[KEY_ID_SIZE])
{
	static const unsigned char wanted[] = { 0x06, 0x03, 0x55, 0x1d, 0x0e };
	const unsigned char *octets;
	size_t i, j, n;

	/* Search the extension by its object identifier. */
	for (i = 0; i + sizeof(wanted) <= size; i++) {
		if (memcmp(der + i, wanted, sizeof(wanted)))
			continue;
		n = identifier(der + i + sizeof(wanted), size - i - sizeof(wanted),
			       &octets);
		for (j = 0; j < n; j++)
			snprintf(id + 2 * j, 3, "%02x", octets[j]);
		if (n)
			return true;
	}
	return false;
}

/* Skip the tag and the length at *der.  Return the length, or 0. */
static size_t enter(const unsigned char **der, const unsigned char *end,
		    unsigned char tag)
{
	size_t length, bytes;

	if (end - *der < 2 || **der != tag)
		return 0;
	length = (*der)[1];
	*der += 2;
	if (length > DER_SHORT) {
		bytes = length & DER_SHORT;
		for (length = 0; bytes && *der < end; bytes--)
			length = length << 8 | *(*der)++;
	}
	return length <= (size_t)(end - *der) ? length : 0;
}

bool key_serial(const unsigned char *der, size_t size, char serial[KEY_ID_SIZE])
{
	const unsigned char *end = der + size;
	size_t n;

	/* The certificate, its signed part, the version, and the serial number. */
	if (!enter(&der, end, DER_SEQUENCE) || !enter(&der, end, DER_SEQUENCE))
		return false;
	n = enter(&der, end, DER_VERSION);
	der += n;
	n = enter(&der, end, DER_INTEGER);
	for (; n > 1 && !*der; n--)
		der++;
	if (!n || 3 * n > KEY_ID_SIZE)
		return false;
	for (; n; n--, serial += 3)
		snprintf(serial, 4, n > 1 ? "%02X:" : "%02X", *der++);
	return true;
}

/*
 * Return the part from the name on of a line such as
 * "07c9d086 I------ 1 perm 1f030000 0 0 asymmetri Name: 5a6b7c8d: X509.rsa 5a6b7c8d []".
 * The word before the name is the truncated type.
 */
static const char *description(const char *line)
{
	char type[16];
	int n = 0;

	if (sscanf(line, "%*x %*s %*s %*s %*s %*s %*s %15s %n", type, &n) != 1 || !n ||
	    strcmp(type, "asymmetri"))
		return NULL;
	return line + n;
}

bool key_has_id(const char *line, const char *id)
{
	const char *text = description(line);
	char wanted[KEY_ID_SIZE + 4];

	snprintf(wanted, sizeof(wanted), ": %s: ", id);
	return text && strstr(text, wanted);
}

bool key_has_name(const char *line, const char *name)
{
	const char *text = description(line);

	return text && strstr(text, name);
}
