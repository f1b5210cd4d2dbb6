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
#include <linux/nospec.h>
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

/* Size of the buffers of DEVPUB_OP_COMPARE, which are on the stack. */
#define COMPARE_BYTES	256

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
	flags = op_flags[array_index_nospec(operation->op, ARRAY_SIZE(op_flags))];
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

/* Record that the operation can't go on because of an address. */
static void slice_stop(struct devpub_operation *operation, unsigned long addr, bool write,
		       enum devpub_operation_state state)
{
	operation->fault_addr = addr;
	operation->fault_write = write;
	operation->state = state;
}

/*
 * Copy from the memory of a span.  Returns the number of bytes before a memory error, which
 * it records.
 */
static size_t access_copy_from(struct devpub_operation *operation,
			       const struct devpub_mirror_span *span, size_t at, void *to,
			       size_t n)
{
	size_t got = n - copy_mc_to_kernel(to, span->kaddr + at, n);

	if (got < n)
		slice_stop(operation, span->addr + at + got, false, DEVPUB_OPERATION_POISON);
	return got;
}

/*
 * Return the number of bytes at the start that are equal.  Compares copies, because memcmp()
 * does not survive a memory error.
 */
static size_t access_compare(struct devpub_operation *operation,
			     const struct devpub_mirror_span *spans, size_t n)
{
	u8 one[COMPARE_BYTES], other[COMPARE_BYTES];
	size_t equal = 0, part, i;

	while (equal < n && operation->state == DEVPUB_OPERATION_MORE) {
		part = min(n - equal, sizeof(one));
		part = access_copy_from(operation, &spans[0], equal, one, part);
		part = access_copy_from(operation, &spans[1], equal, other, part);
		if (memcmp(one, other, part)) {
			for (i = 0; one[i] == other[i]; i++)
				;
			operation->state = DEVPUB_OPERATION_DONE;
			return equal + i;
		}
		equal += part;
	}
	return equal;
}

/*
 * Access @n bytes of the operation.  Returns the number of bytes that are complete; with less
 * than @n, the state of the operation tells why.
 */
static size_t access_bytes(struct devpub_operation *operation,
			   const struct devpub_mirror_span *spans, size_t n)
{
	void *kaddr = spans[0].kaddr;

	switch (operation->op) {
	case DEVPUB_OP_READ:
		n = access_copy_from(operation, &spans[0], 0,
				     operation->buffer + operation->done, n);
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
		return access_copy_from(operation, &spans[1], 0, kaddr, n);
	default:
		return access_compare(operation, spans, n);
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
static size_t access_atomic(struct devpub_operation *operation,
			    const struct devpub_mirror_span *span)
{
	size_t n = operation->length;
	u64 probe;

	if (access_copy_from(operation, span, 0, &probe, n) < n)
		return 0;
	operation->result = n == sizeof(u32) ? access_atomic_32(operation, span->kaddr) :
					       access_atomic_64(operation, span->kaddr);
	return n;
}

/*
 * Find a page that memory_failure() has marked.  It marks a page before it unmaps it, and
 * can fail to unmap it.
 */
static struct devpub_mirror_span *find_poisoned(struct devpub_mirror_span *spans,
						unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (is_page_hwpoison(spans[i].page))
			return &spans[i];
	return NULL;
}

/* Handle at most @n bytes, up to the end of a page.  Returns the number handled. */
static size_t slice_step(struct devpub_operation *operation, struct devpub_mirror *mirror,
			 struct devpub_mirror_span *spans, size_t n)
{
	u8 flags = op_flags[operation->op];
	unsigned int nr_spans = flags & OP_OTHER ? 2 : 1, i;
	struct devpub_mirror_span *missing, *poisoned;
	size_t got = 0;

	spans[0].addr = operation->addr + operation->done;
	spans[1].addr = operation->other + operation->done;
	for (i = 0; i < nr_spans; i++)
		n = min(n, PAGE_SIZE - offset_in_page(spans[i].addr));

	missing = devpub_mirror_lock(mirror, spans, nr_spans);
	if (missing) {
		slice_stop(operation, missing->addr, missing->write, DEVPUB_OPERATION_FAULT);
		return 0;
	}
	poisoned = find_poisoned(spans, nr_spans);
	if (poisoned)
		slice_stop(operation, poisoned->addr, poisoned->write,
			   DEVPUB_OPERATION_POISON);
	else if (flags & OP_ATOMIC)
		got = access_atomic(operation, spans);
	else
		got = access_bytes(operation, spans, n);
	devpub_mirror_unlock(spans, nr_spans);

	operation->done += got;
	if (operation->done == operation->length)
		operation->state = DEVPUB_OPERATION_DONE;
	return got;
}

/**
 * devpub_operation_misses() - check if the mirror lacks an entry for the next bytes
 * @operation: the operation, which no slice executes.  If there is no entry, its @state becomes
 *	       DEVPUB_OPERATION_FAULT
 * @mirror: the memory that it accesses
 *
 * An entry may turn out not to permit the access.
 *
 * Context: process context.
 * Return: true if an entry was missing at a moment during the call.
 */
bool devpub_operation_misses(struct devpub_operation *operation, struct devpub_mirror *mirror)
{
	u8 flags = op_flags[operation->op];
	unsigned long addr = operation->addr + operation->done;
	unsigned long other = operation->other + operation->done;

	if (!devpub_mirror_peek(mirror, addr))
		slice_stop(operation, addr, flags & OP_WRITES, DEVPUB_OPERATION_FAULT);
	else if (flags & OP_OTHER && !devpub_mirror_peek(mirror, other))
		slice_stop(operation, other, false, DEVPUB_OPERATION_FAULT);
	else
		return false;
	return true;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_operation_misses);

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
