/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates that the kernel trusts.  Pure. */
#ifndef DEVPUB_TOOLS_KEY_H
#define DEVPUB_TOOLS_KEY_H

#include <stdbool.h>
#include <stddef.h>

/* Enough for an identifier. */
#define KEY_ID_SIZE	256

/* The subject key identifier of a certificate in DER, in hex, or false if it has none. */
bool key_id(const unsigned char *der, size_t size, char id[KEY_ID_SIZE]);

/* Its serial number as modinfo writes it, "0A:FF:01", or false if that is no certificate. */
bool key_serial(const unsigned char *der, size_t size, char serial[KEY_ID_SIZE]);

/* Is a line of /proc/keys that of the certificate with this identifier? */
bool key_has_id(const char *line, const char *id);

/* Is it that of a certificate with this name?  There may be more of that name. */
bool key_has_name(const char *line, const char *name);

#endif /* DEVPUB_TOOLS_KEY_H */
