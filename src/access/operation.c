// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Operations: what the engine does with memory.  A slice runs until the operation is
 * complete, it has handled enough bytes, or the mirror lacks an entry.  It waits for nothing
 * and allocates nothing.
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/page-flags.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "access/mirror.h"
#include "access/operation.h"
#include "export.h"

/* Properties of an operation. */
#define OP_WRITES	BIT(0)	/* writes at @addr */
#define OP_OTHER	BIT(1)	/* reads at @other */
#define OP_ATOMIC	BIT(2)
#define OP_OPERAND	BIT(3)	/* uses @operand */
#define OP_COMPARE	BIT(4)	/* uses @compare */

static const u8 op_flags[] = {
	[DEVPUB_OP_READ]		= 0,
	[DEVPUB_OP_WRITE]		= OP_WRITES,
	[DEVPUB_OP_FILL]		= OP_WRITES | OP_OPERAND,
	[DEVPUB_OP_COPY]		= OP_WRITES | OP_OTHER,
	[DEVPUB_OP_COMPARE]		= OP_OTHER,
	[DEVPUB_OP_ADD]			= OP_WRITES | OP_ATOMIC | OP_OPERAND,
	[DEVPUB_OP_EXCHANGE]		= OP_WRITES | OP_ATOMIC | OP_OPERAND,
	[DEVPUB_OP_COMPARE_EXCHANGE]	= OP_WRITES | OP_ATOMIC | OP_OPERAND | OP_COMPARE,
};

static int check_range(u64 addr, u64 length, u64 limit)
{
	u64 end;

	if (check_add_overflow(addr, length, &end))
		return -EOVERFLOW;
	return end > limit ? -EFAULT : 0;
}

/* Check that a value fits the width of an atomic operation. */
static bool value_fits(const struct devpub_operation *operation, u64 value)
{
	return operation->length == sizeof(u64) || value <= U32_MAX;
}

/**
 * devpub_operation_check() - check if an operation is valid
 * @operation: the operation
 * @limit: end of the address space that the process may map
 *
 * Context: any.
 * Return: 0, -EINVAL, -EOVERFLOW, or -EFAULT when a range exceeds @limit.
 */
int devpub_operation_check(const struct devpub_operation *operation, u64 limit)
{
	unsigned long addr = operation->addr, length = operation->length;
	unsigned long other = operation->other;
	u8 flags;
	int ret;

	if (operation->op >= ARRAY_SIZE(op_flags) || !length)
		return -EINVAL;
	flags = op_flags[operation->op];
	if ((!(flags & OP_OTHER) && other) ||
	    (!(flags & OP_OPERAND) && operation->operand) ||
	    (!(flags & OP_COMPARE) && operation->compare))
		return -EINVAL;
	if (flags & OP_ATOMIC) {
		if ((length != sizeof(u32) && length != sizeof(u64)) || addr % length ||
		    !value_fits(operation, operation->operand) ||
		    !value_fits(operation, operation->compare))
			return -EINVAL;
	}
	ret = check_range(addr, length, limit);
	if (!ret && flags & OP_OTHER)
		ret = check_range(other, length, limit);
	if (ret)
		return ret;
	/* The result of an overlapping copy would depend on where it is interrupted. */
	if (operation->op == DEVPUB_OP_COPY && addr < other + length && other < addr + length)
		return -EINVAL;
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_operation_check);

/* Return true if the operation is a single access, which must not be torn. */
static bool is_single_access(const struct devpub_operation *operation)
{
	return operation->length <= sizeof(u64) && is_power_of_2(operation->length) &&
	       IS_ALIGNED(operation->addr, operation->length);
}

static void access_single(void *to, const void *from, size_t n)
{
	switch (n) {
	case 1:
		WRITE_ONCE(*(u8 *)to, READ_ONCE(*(const u8 *)from));
		break;
	case 2:
		WRITE_ONCE(*(u16 *)to, READ_ONCE(*(const u16 *)from));
		break;
	case 4:
		WRITE_ONCE(*(u32 *)to, READ_ONCE(*(const u32 *)from));
		break;
	default:
		WRITE_ONCE(*(u64 *)to, READ_ONCE(*(const u64 *)from));
		break;
	}
}

/* The byte at an address A becomes byte A % 8 of the pattern, so a fill can be resumed. */
static void access_fill(u8 *to, unsigned long addr, u64 pattern, size_t n)
{
	const u8 *bytes = (const u8 *)&pattern;
	size_t words;

	for (; n && addr % sizeof(pattern); n--)
		*to++ = bytes[addr++ % sizeof(pattern)];
	words = n / sizeof(pattern);
	memset64((u64 *)to, pattern, words);
	to += words * sizeof(pattern);
	for (n %= sizeof(pattern); n; n--)
		*to++ = *bytes++;
}

/* Return the number of bytes at the start that are equal. */
static size_t access_compare(const u8 *one, const u8 *other, size_t n)
{
	size_t equal = 0;

	if (!memcmp(one, other, n))
		return n;
	while (equal < n && one[equal] == other[equal])
		equal++;
	return equal;
}

/*
 * Access @n bytes of the operation.  Returns the number of bytes that are complete; with less
 * than @n, a comparison has found a difference, or the memory that is read is poisoned.
 */
static size_t access_bytes(struct devpub_operation *operation,
			   const struct devpub_mirror_span *spans, size_t n)
{
	void *kaddr = spans[0].kaddr;

	switch (operation->op) {
	case DEVPUB_OP_READ:
		n -= copy_mc_to_kernel(operation->buffer + operation->done, kaddr, n);
		if (n == operation->length && is_single_access(operation))
			access_single(operation->buffer, kaddr, n);
		return n;
	case DEVPUB_OP_WRITE:
		if (is_single_access(operation))
			access_single(kaddr, operation->buffer, n);
		else
			memcpy(kaddr, operation->buffer + operation->done, n);
		return n;
	case DEVPUB_OP_FILL:
		access_fill(kaddr, spans[0].addr, operation->operand, n);
		return n;
	case DEVPUB_OP_COPY:
		return n - copy_mc_to_kernel(kaddr, spans[1].kaddr, n);
	default:
		return access_compare(kaddr, spans[1].kaddr, n);
	}
}

static u64 access_atomic_32(const struct devpub_operation *operation, atomic_t *value)
{
	switch (operation->op) {
	case DEVPUB_OP_ADD:
		return (u32)atomic_fetch_add(operation->operand, value);
	case DEVPUB_OP_EXCHANGE:
		return (u32)atomic_xchg(value, operation->operand);
	default:
		return (u32)atomic_cmpxchg(value, operation->compare, operation->operand);
	}
}

static u64 access_atomic_64(const struct devpub_operation *operation, atomic64_t *value)
{
	switch (operation->op) {
	case DEVPUB_OP_ADD:
		return atomic64_fetch_add(operation->operand, value);
	case DEVPUB_OP_EXCHANGE:
		return atomic64_xchg(value, operation->operand);
	default:
		return atomic64_cmpxchg(value, operation->compare, operation->operand);
	}
}

/* The CPU's atomic operations on the kernel's mapping are atomic with those of the process. */
static size_t access_atomic(struct devpub_operation *operation, void *kaddr)
{
	u64 probe;

	if (copy_mc_to_kernel(&probe, kaddr, operation->length))
		return 0;
	operation->result = operation->length == sizeof(u32) ?
			    access_atomic_32(operation, kaddr) :
			    access_atomic_64(operation, kaddr);
	return operation->length;
}

/* Record that the operation can't go on because of an address. */
static void slice_stop(struct devpub_operation *operation, unsigned long addr, bool write,
		       enum devpub_operation_state state)
{
	operation->fault_addr = addr;
	operation->fault_write = write;
	operation->state = state;
}

/* Handle at most @n bytes, up to the end of a page.  Returns the number handled. */
static size_t slice_step(struct devpub_operation *operation, struct devpub_mirror *mirror,
			 struct devpub_mirror_span *spans, size_t n)
{
	u8 flags = op_flags[operation->op];
	unsigned int nr_spans = flags & OP_OTHER ? 2 : 1, i;
	struct devpub_mirror_span *read = &spans[nr_spans - 1], *missing;
	bool poisoned;
	size_t got;

	spans[0].addr = operation->addr + operation->done;
	spans[1].addr = operation->other + operation->done;
	for (i = 0; i < nr_spans; i++)
		n = min(n, PAGE_SIZE - offset_in_page(spans[i].addr));

	missing = devpub_mirror_lock(mirror, spans, nr_spans);
	if (missing) {
		slice_stop(operation, missing->addr, missing->write, DEVPUB_OPERATION_FAULT);
		return 0;
	}
	poisoned = PageHWPoison(read->page);
	if (poisoned)
		got = 0;
	else if (flags & OP_ATOMIC)
		got = access_atomic(operation, spans[0].kaddr);
	else
		got = access_bytes(operation, spans, n);
	operation->done += got;
	if (operation->done == operation->length ||
	    (got < n && operation->op == DEVPUB_OP_COMPARE && !poisoned))
		operation->state = DEVPUB_OPERATION_DONE;
	else if (got < n)
		slice_stop(operation, read->addr + got, false, DEVPUB_OPERATION_POISON);
	devpub_mirror_unlock(spans, nr_spans);
	return got;
}

/**
 * devpub_operation_slice() - execute a part of an operation
 * @operation: the operation, which devpub_operation_check() has found valid.  Its @state and
 *	       @done tell how far it came
 * @mirror: the memory that it accesses
 *
 * Context: process context, inside the device's gate.  Does not wait.
 */
void devpub_operation_slice(struct devpub_operation *operation,
			    struct devpub_mirror *mirror)
{
	struct devpub_mirror_span spans[2] = {
		{ .write = op_flags[operation->op] & OP_WRITES },
	};
	size_t left = DEVPUB_OPERATION_SLICE;

	operation->state = DEVPUB_OPERATION_MORE;
	while (left && operation->state == DEVPUB_OPERATION_MORE)
		left -= slice_step(operation, mirror, spans,
				   min(left, operation->length - operation->done));
	devpub_mirror_put(spans, ARRAY_SIZE(spans));
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_operation_slice);
