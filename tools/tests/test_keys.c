// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of parsing certificates and the kernel's list of keys. */
#include <string.h>

#include "test.h"
#include "key.h"

bool keys_identified(void)
{
	/* The middle of a certificate: another extension, and the identifier 0aff01. */
	static const unsigned char der[] = {
		0x30, 0x1f, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x04, 0x04, 0x03,
		0x02, 0x07, 0x80, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x05,
		0x04, 0x03, 0x0a, 0xff, 0x01,
	};
	static const unsigned char critical[] = {
		0x06, 0x03, 0x55, 0x1d, 0x0e, 0x01, 0x01, 0xff, 0x04, 0x05, 0x04, 0x03,
		0x0a, 0xff, 0x01,
	};
	unsigned char wrong[sizeof(der)];
	char id[KEY_ID_SIZE];
	size_t i;

	CHECK(key_id(der, sizeof(der), id) && same(id, "0aff01"));
	CHECK(key_id(critical, sizeof(critical), id) && same(id, "0aff01"));
	for (i = 0; i < sizeof(der); i++)
		CHECK(!key_id(der, i, id));
	/* The object identifier, and the tags and lengths of its value */
	for (i = 17; i < 26; i++) {
		memcpy(wrong, der, sizeof(der));
		wrong[i]++;
		CHECK(!key_id(wrong, sizeof(wrong), id));
	}
	return true;
}

bool keys_numbered(void)
{
	/* The beginning of two certificates: one of version 3 with the number 0x8aff01, as
	 * short as can be, and one of version 1 whose lengths take more bytes.
	 */
	static const unsigned char der[] = {
		0x30, 0x0d, 0x30, 0x0b, 0xa0, 0x03, 0x02, 0x01, 0x02,
		0x02, 0x04, 0x00, 0x8a, 0xff, 0x01,
	};
	static const unsigned char old[] = {
		0x30, 0x82, 0x00, 0x06, 0x30, 0x81, 0x03, 0x02, 0x01, 0x07,
	};
	unsigned char wrong[sizeof(der)];
	char serial[KEY_ID_SIZE];
	size_t i;

	CHECK(key_serial(der, sizeof(der), serial) && same(serial, "8A:FF:01"));
	CHECK(key_serial(old, sizeof(old), serial) && same(serial, "07"));
	for (i = 0; i < sizeof(der); i++)
		CHECK(!key_serial(der, i, serial));
	/* The tags and lengths before the serial number */
	for (i = 0; i < 6; i++) {
		memcpy(wrong, der, sizeof(der));
		wrong[i]++;
		CHECK(!key_serial(wrong, sizeof(wrong), serial));
	}
	return true;
}

bool keys_found(void)
{
	static const char dkms[] =
		"07c9d086 I------     1 perm 1f030000     0     0 asymmetri DKMS module signing key: 0aff01: X509.rsa 0aff01 []\n";
	static const char user[] =
		"07c9d086 I--Q---     1 perm 3f010000     0     0 user      DKMS module signing key: 0aff01: 3\n";

	CHECK(key_has_id(dkms, "0aff01"));
	CHECK(!key_has_id(dkms, "0aff02") && !key_has_id(dkms, "aff01"));
	CHECK(!key_has_id(dkms, "0aff") && !key_has_id(user, "0aff01"));
	CHECK(key_has_name(dkms, "DKMS module signing key"));
	CHECK(!key_has_name(dkms, "asymmetri") && !key_has_name(user, "DKMS"));
	CHECK(!key_has_id("", "0aff01") && !key_has_name("07c9d086 I--\n", "I"));
	return true;
}
