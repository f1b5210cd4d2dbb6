// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* SHA-256 (FIPS 180-4), so that users can compare with sha256sum. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sha256.h"

#define BLOCK	64

static uint32_t round_constant[64];
static uint32_t first_state[8];

static uint32_t rotate(uint32_t word, int bits)
{
	return word >> bits | word << (32 - bits);
}

/* The constants are fractional bits of roots of the first primes; see FIPS 180-4. */
static void set_constants(void)
{
	int found = 0;

	for (int n = 2; found < 64; n++) {
		int divisor = 2;

		while (n % divisor)
			divisor++;
		if (divisor < n)
			continue;
		round_constant[found] = fmodl(cbrtl(n), 1) * 0x1p32L;
		if (found < 8)
			first_state[found] = fmodl(sqrtl(n), 1) * 0x1p32L;
		found++;
	}
}

static void hash_block(uint32_t *state, const unsigned char *block)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 |
		       block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}

	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = s[7] + round_constant[i] + w[i] +
			      (rotate(s[4], 6) ^ rotate(s[4], 11) ^
			       rotate(s[4], 25)) +
			      ((s[4] & s[5]) ^ (~s[4] & s[6]));
		uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^
			       rotate(s[0], 22)) +
			      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

struct sha256 sha256(const void *data, size_t size)
{
	const unsigned char *byte = data;
	unsigned char tail[2 * BLOCK] = { 0 };
	size_t whole = size / BLOCK * BLOCK, rest = size - whole;
	size_t end = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	struct sha256 digest;
	uint32_t state[8];

	if (!first_state[0])
		set_constants();
	memcpy(state, first_state, sizeof(state));
	for (size_t i = 0; i < whole; i += BLOCK)
		hash_block(state, byte + i);
	memcpy(tail, byte + whole, rest);
	tail[rest] = 0x80;
	for (int i = 0; i < 8; i++)
		tail[end - 1 - i] = (uint64_t)size * 8 >> 8 * i;
	for (size_t i = 0; i < end; i += BLOCK)
		hash_block(state, tail + i);
	for (int i = 0; i < 8; i++)
		sprintf(digest.hex + 8 * i, "%08x", state[i]);
	return digest;
}
