/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_OPERATION_H
#define DEVPUB_OPERATION_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/types.h>

struct devpub_mirror;

/* Maximum number of bytes that a slice handles. */
#define DEVPUB_OPERATION_SLICE	(256UL << 10)

/**
 * enum devpub_operation_state - how the last slice of an operation ended
 * @DEVPUB_OPERATION_MORE:	there is more to do
 * @DEVPUB_OPERATION_DONE:	the operation is complete
 * @DEVPUB_OPERATION_FAULT:	the mirror has no suitable entry for @fault_addr
 * @DEVPUB_OPERATION_POISON:	the memory at @fault_addr has a hardware error
 * @DEVPUB_OPERATION_GONE:	the gate is closed
 */
enum devpub_operation_state {
	DEVPUB_OPERATION_MORE,
	DEVPUB_OPERATION_DONE,
	DEVPUB_OPERATION_FAULT,
	DEVPUB_OPERATION_POISON,
	DEVPUB_OPERATION_GONE,
};

/**
 * struct devpub_operation - one command for a device's engine
 * @op:		in: an enum devpub_op
 * @addr:	in: the address in the process's memory
 * @length:	in: number of bytes; for atomic operations, 4 or 8
 * @other:	in: the other address of DEVPUB_OP_COPY and DEVPUB_OP_COMPARE
 * @buffer:	in: kernel memory of @length bytes for DEVPUB_OP_READ and DEVPUB_OP_WRITE
 * @operand:	in: the operand of atomic operations, and the pattern of DEVPUB_OP_FILL
 * @compare:	in: the value that DEVPUB_OP_COMPARE_EXCHANGE expects
 * @done:	out: bytes that are complete, from @addr on.  After DEVPUB_OP_COMPARE less than
 *		@length if the next byte differs
 * @faults:	out: number of misses of the mirror that were resolved
 * @result:	out: the value before an atomic operation
 * @fault_addr:	out: the address of the last miss or error
 * @fault_write: out: the access at @fault_addr was a write
 * @state:	how the last slice ended
 * @single:	complete @ended after one slice, whatever its state
 * @list:	entry of the channel's list, or empty
 * @ended:	completed when the engine is done with the operation for now
 *
 * The caller fills in the "in" members and sets all others to 0.
 */
struct devpub_operation {
	unsigned int op;
	unsigned long addr;
	unsigned long length;
	unsigned long other;
	void *buffer;
	u64 operand;
	u64 compare;

	unsigned long done;
	u64 faults;
	u64 result;
	unsigned long fault_addr;
	bool fault_write;

	enum devpub_operation_state state;
	bool single;
	struct list_head list;
	struct completion ended;
};

int devpub_operation_check(const struct devpub_operation *operation, u64 limit);
bool devpub_operation_misses(struct devpub_operation *operation,
			     struct devpub_mirror *mirror);
void devpub_operation_slice(struct devpub_operation *operation,
			    struct devpub_mirror *mirror);

#endif /* DEVPUB_OPERATION_H */
