/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Certificates that the kernel trusts.  These functions have no side effects. */
#ifndef DEVPUB_TOOLS_KEY_H
#define DEVPUB_TOOLS_KEY_H

#include <stdbool.h>
#include <stddef.h>

/* Size of a buffer for an identifier. */
#define KEY_ID_SIZE	256

/* Get the subject key identifier of a DER certificate in hex.  Return false if it has none. */
bool key_id(const unsigned char *der, size_t size, char id[KEY_ID_SIZE]);

/* Get its serial number in modinfo's format "0A:FF:01".  Return false if it is no certificate. */
bool key_serial(const unsigned char *der, size_t size, char serial[KEY_ID_SIZE]);

/* Return true if a line of /proc/keys is for the certificate with this identifier. */
bool key_has_id(const char *line, const char *id);

/* Return true if it is for a certificate with this name.  Several may have the name. */
bool key_has_name(const char *line, const char *name);

#endif /* DEVPUB_TOOLS_KEY_H */
