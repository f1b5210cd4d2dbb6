/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The operations of a device on memory, as "devpubctl access" takes them. */
#ifndef DEVPUB_TOOLS_OPERATION_H
#define DEVPUB_TOOLS_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <devpub.h>

#include "ctl.h"

/* Description of the operations and their arguments, for the help. */
#define OPERATION_HELP							\
	"  read ADDR LENGTH    read memory, and write the bytes to stdout\n"	\
	"  write ADDR LENGTH   read bytes from stdin, and write them to memory\n" \
	"  fill ADDR LENGTH VALUE\n"					\
	"                      fill memory with repetitions of the value\n"	\
	"  copy FROM TO LENGTH\n"					\
	"                      copy memory; the ranges must not overlap\n"	\
	"  compare ADDR OTHER LENGTH\n"					\
	"                      compare memory, up to the first difference\n"	\
	"  add ADDR VALUE      add to the value in memory, atomically\n"	\
	"  exchange ADDR VALUE replace the value in memory, atomically\n"	\
	"  compare-exchange ADDR EXPECTED VALUE\n"			\
	"                      replace the value if it is the expected one, atomically\n"

/**
 * struct operation - an operation
 * @op:		an enum devpub_op
 * @width:	bits of a value; 0 if the operation has none
 * @addr:	address, or offset in a file
 * @other:	address of the second range of a copy or comparison
 * @length:	length in bytes
 * @operand:	value; that of a fill is repeated to 8 bytes
 * @compare:	expected value
 */
struct operation {
	unsigned int op;
	unsigned int width;
	uint64_t addr;
	uint64_t other;
	uint64_t length;
	uint64_t operand;
	uint64_t compare;
};

/*
 * Parse the name of an operation and its arguments.  Addresses are hexadecimal; with @offsets,
 * they are written as sizes.  @width is the argument of --width, or NULL.  Return 0, or an exit
 * status after a message for the command.
 */
int operation_parse(const struct command *command, char *const *words, int n, bool offsets,
		    const char *width, struct operation *operation);

/* Return the name of an operation. */
const char *operation_name(unsigned int op);

/* Return true if the operation changes memory. */
bool operation_writes(unsigned int op);

/* Return true if the operation has a second range. */
bool operation_has_other(unsigned int op);

#endif /* DEVPUB_TOOLS_OPERATION_H */
