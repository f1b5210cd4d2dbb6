// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "key.h"

/* Tags of DER, and the longest of what has its length in one byte. */
#define DER_BOOLEAN	0x01
#define DER_OCTETS	0x04
#define DER_SHORT	0x7f

/* Behind the object identifier 2.5.29.14: "critical" perhaps, and octets in octets. */
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

	/* What stands before it is of no interest, and has not its shape. */
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

/*
 * "07c9d086 I------ 1 perm 1f030000 0 0 asymmetri Name: 5a6b7c8d: X509.rsa 5a6b7c8d []":
 * from the name on.  The word before it is the type, cut off.
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
