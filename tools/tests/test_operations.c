// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of the operations that "devpubctl access" takes. */
#include <string.h>

#include "test.h"
#include "array.h"
#include "operation.h"
#include "text.h"

bool values_read(void)
{
	static const struct {
		const char *text;
		unsigned int bits;
		uint64_t value;
	} good[] = {
		{ "0", 8, 0 }, { "255", 8, 255 }, { "0xff", 8, 255 }, { "-1", 8, 255 },
		{ "-128", 8, 128 }, { "0xFFFF", 16, 0xffff }, { "-0x8000", 16, 0x8000 },
		{ "4294967295", 32, UINT32_MAX }, { "-1", 32, UINT32_MAX },
		{ "18446744073709551615", 64, UINT64_MAX }, { "-1", 64, UINT64_MAX },
		{ "-9223372036854775808", 64, 1ULL << 63 }, { "-0", 64, 0 },
	};
	static const struct {
		const char *text;
		unsigned int bits;
	} bad[] = {
		{ "", 64 }, { "-", 64 }, { "--1", 64 }, { "+1", 64 }, { " 1", 64 },
		{ "0x", 64 }, { "1x", 64 }, { "1K", 64 }, { "0x0x1", 64 }, { "ff", 64 },
		{ "256", 8 }, { "-129", 8 }, { "0x100000000", 32 }, { "-2147483649", 32 },
		{ "18446744073709551616", 64 }, { "-9223372036854775809", 64 },
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		value = 42;
		if (!text_parse_value(good[i].text, good[i].bits, &value) ||
		    value != good[i].value) {
			printf("# '%s' is not understood\n", good[i].text);
			return false;
		}
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (text_parse_value(bad[i].text, bad[i].bits, &value)) {
			printf("# '%s' is taken for a value\n", bad[i].text);
			return false;
		}
	}
	CHECK(text_parse_address("7fFf1000", &value) && value == 0x7fff1000);
	CHECK(text_parse_address("0x10", &value) && value == 0x10);
	CHECK(!text_parse_address("10-20", &value) && !text_parse_address("-1", &value));
	return true;
}

/* Parse words that are separated by blanks. */
static bool parse(const char *line, bool offsets, const char *width, struct operation *operation)
{
	static const struct command command = { .name = "access" };
	char text[128], *words[5];
	int n = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (words[n] = strtok(text, " "); words[n]; words[n] = strtok(NULL, " "))
		n++;
	return !operation_parse(&command, words, n, offsets, width, operation);
}

bool operations_read(void)
{
	struct operation it;

	CHECK(parse("read 1000 4K", false, NULL, &it));
	CHECK(it.op == DEVPUB_OP_READ && it.addr == 0x1000 && it.length == 4096);
	CHECK(!it.other && !it.operand && !it.compare);
	CHECK(parse("write 1000 1", true, NULL, &it));
	CHECK(it.op == DEVPUB_OP_WRITE && it.addr == 1000 && it.length == 1);
	CHECK(parse("fill 1 3 0x1234", false, "16", &it));
	CHECK(it.op == DEVPUB_OP_FILL && it.addr == 1 && it.length == 3);
	CHECK(it.operand == 0x1234123412341234);
	CHECK(parse("fill 1 3 -1", false, "8", &it) && it.operand == UINT64_MAX);
	CHECK(parse("fill 1 3 0x1234", false, NULL, &it) && it.operand == 0x1234);
	/* The second address of a copy is its destination. */
	CHECK(parse("copy 1000 2000 4K", false, NULL, &it));
	CHECK(it.op == DEVPUB_OP_COPY && it.addr == 0x2000 && it.other == 0x1000);
	CHECK(parse("copy 2000 1000 4K", false, NULL, &it));
	CHECK(parse("compare 1000 1800 4K", false, NULL, &it));
	CHECK(it.op == DEVPUB_OP_COMPARE && it.addr == 0x1000 && it.other == 0x1800);
	CHECK(parse("add 1008 -1", false, NULL, &it));
	CHECK(it.op == DEVPUB_OP_ADD && it.length == 8 && it.operand == UINT64_MAX);
	CHECK(parse("exchange 1004 7", false, "32", &it));
	CHECK(it.op == DEVPUB_OP_EXCHANGE && it.length == 4 && it.operand == 7);
	CHECK(parse("compare-exchange 1000 7 8", false, NULL, &it));
	CHECK(it.op == DEVPUB_OP_COMPARE_EXCHANGE && it.compare == 7 && it.operand == 8);
	return true;
}
