// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <inttypes.h>
#include <string.h>

#include "array.h"
#include "operation.h"
#include "text.h"

/*
 * The arguments of each operation, one letter each: a and o are addresses, l is a length, v is
 * a value, and e is the expected value.
 */
static const struct {
	const char *name;
	const char *arguments;
	const char *usage;
} operations[] = {
	[DEVPUB_OP_READ] = { "read", "al", "ADDR LENGTH" },
	[DEVPUB_OP_WRITE] = { "write", "al", "ADDR LENGTH" },
	[DEVPUB_OP_FILL] = { "fill", "alv", "ADDR LENGTH VALUE" },
	[DEVPUB_OP_COPY] = { "copy", "oal", "FROM TO LENGTH" },
	[DEVPUB_OP_COMPARE] = { "compare", "aol", "ADDR OTHER LENGTH" },
	[DEVPUB_OP_ADD] = { "add", "av", "ADDR VALUE" },
	[DEVPUB_OP_EXCHANGE] = { "exchange", "av", "ADDR VALUE" },
	[DEVPUB_OP_COMPARE_EXCHANGE] = { "compare-exchange", "aev", "ADDR EXPECTED VALUE" },
};

const char *operation_name(unsigned int op)
{
	return op < ARRAY_SIZE(operations) ? operations[op].name : "unknown";
}

bool operation_writes(unsigned int op)
{
	return op != DEVPUB_OP_READ && op != DEVPUB_OP_COMPARE;
}

bool operation_has_other(unsigned int op)
{
	return op == DEVPUB_OP_COPY || op == DEVPUB_OP_COMPARE;
}

static bool is_atomic(unsigned int op)
{
	return op >= DEVPUB_OP_ADD;
}

static int parse_width(const struct command *command, const char *width,
		       struct operation *operation)
{
	const bool small = operation->op == DEVPUB_OP_FILL;
	uint64_t bits = 64;

	if (!strchr(operations[operation->op].arguments, 'v')) {
		if (width)
			return ctl_usage(command, "--width: %s has no value",
					 operation_name(operation->op));
		return CTL_OK;
	}
	if (width && (!text_parse_number(width, 64, &bits) ||
		      !(bits == 32 || bits == 64 || (small && (bits == 8 || bits == 16)))))
		return ctl_usage(command, "--width %s: write %s", width,
				 small ? "8, 16, 32 or 64" : "32 or 64");
	operation->width = bits;
	return CTL_OK;
}

static int parse_argument(const struct command *command, char kind, const char *word,
			  bool offsets, struct operation *operation)
{
	uint64_t *const value = kind == 'v' ? &operation->operand : &operation->compare;
	uint64_t *const addr = kind == 'a' ? &operation->addr : &operation->other;

	switch (kind) {
	case 'l':
		if (text_parse_size(word, "", NULL, &operation->length) && operation->length)
			return CTL_OK;
		return ctl_usage(command, "'%s' is no length; write a size from 1 on, such as 4K",
				 word);
	case 'v':
	case 'e':
		if (text_parse_value(word, operation->width, value))
			return CTL_OK;
		return ctl_usage(command, "'%s' is no value of %u bits", word, operation->width);
	default:
		if (offsets ? text_parse_size(word, "", NULL, addr) :
			      text_parse_address(word, addr))
			return CTL_OK;
		return ctl_usage(command, offsets ? "'%s' is no offset; write a size, such as 4K" :
				 "'%s' is no address; write it in hexadecimal, as in /proc/PID/maps",
				 word);
	}
}

/* The kernel would refuse the same, without a reason. */
static int check(const struct command *command, const struct operation *operation)
{
	const uint64_t addr = operation->addr, other = operation->other;
	const uint64_t length = operation->length;
	uint64_t end;

	if (is_atomic(operation->op) && addr % length)
		return ctl_usage(command, "address 0x%" PRIx64 " is not a multiple of %" PRIu64 " bytes",
				 addr, length);
	if (__builtin_add_overflow(addr, length, &end) ||
	    __builtin_add_overflow(other, length, &end))
		return ctl_usage(command, "the addresses exceed 64 bits");
	if (operation->op == DEVPUB_OP_COPY && addr < other + length && other < addr + length)
		return ctl_usage(command, "the ranges of the copy overlap");
	return CTL_OK;
}

int operation_parse(const struct command *command, char *const *words, int n, bool offsets,
		    const char *width, struct operation *operation)
{
	const char *arguments;
	unsigned int op = 0, bits;
	int i, status;

	while (op < ARRAY_SIZE(operations) && strcmp(words[0], operations[op].name))
		op++;
	if (op == ARRAY_SIZE(operations))
		return ctl_usage(command, "there is no operation '%s'", words[0]);
	arguments = operations[op].arguments;
	if (n - 1 != (int)strlen(arguments))
		return ctl_usage(command, "write: %s %s", operations[op].name,
				 operations[op].usage);
	*operation = (struct operation) { .op = op };
	status = parse_width(command, width, operation);
	for (i = 0; arguments[i] && !status; i++)
		status = parse_argument(command, arguments[i], words[i + 1], offsets, operation);
	if (status)
		return status;
	if (is_atomic(op))
		operation->length = operation->width / 8;
	if (op == DEVPUB_OP_FILL)
		for (bits = operation->width; bits < 64; bits *= 2)
			operation->operand |= operation->operand << bits;
	return check(command, operation);
}
