// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Moves ranges of memory. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int devpub_check_ranges(const struct devpub *dev,
			const struct devpub_range *ranges, size_t n,
			const void *array, uint64_t *pages)
{
	const uint64_t mask = dev->page_size - 1;
	uint64_t end;
	size_t i;

	if (!n)
		return -EINVAL;
	*pages = 0;
	for (i = 0; i < n; i++) {
		if (!ranges[i].length || (ranges[i].addr & mask) ||
		    (ranges[i].length & mask))
			return -EINVAL;
		if (__builtin_add_overflow(ranges[i].addr, ranges[i].length,
					   &end))
			return -EOVERFLOW;
		if (__builtin_add_overflow(*pages, ranges[i].length / dev->page_size,
					   pages))
			return -EOVERFLOW;
	}
	return array && *pages > SIZE_MAX - (uintptr_t)array ? -EFAULT : 0;
}

static void account(struct devpub_outcome *outcome,
		    const struct devpub_migrate *arg,
		    const unsigned char *reasons, uint64_t pages)
{
	uint64_t i;

	outcome->done += arg->done;
	outcome->moved += arg->moved;
	outcome->populated += arg->populated;
	outcome->already += arg->already;
	outcome->absent += arg->absent;
	outcome->refused += arg->refused;
	for (i = 0; i < pages; i++)
		if (reasons[i] < DEVPUB_REASONS_MAX)
			outcome->reason[reasons[i]]++;
}

/*
 * Migrate one range.  To count by reason, this needs an array, and allocates one if the
 * caller has passed none.
 */
static int migrate_range(const struct devpub *dev,
			 const struct devpub_process *process,
			 unsigned long command, unsigned int flags,
			 const struct devpub_range *range,
			 unsigned char *reasons, struct devpub_outcome *outcome)
{
	struct devpub_migrate arg = {
		.flags = flags,
		.addr = range->addr,
		.length = range->length,
	};
	const uint64_t pages = range->length / dev->page_size;
	unsigned char *own = NULL;
	int ret;

	if (!reasons && outcome) {
		/* A range of a 64-bit process may have more pages than a 32-bit caller can count. */
		own = pages <= SIZE_MAX ? malloc(pages) : NULL;
		if (!own)
			return -ENOMEM;
		reasons = own;
	}
	arg.reasons = (uintptr_t)reasons;
	if (process) {
		arg.flags |= DEVPUB_MIGRATE_PID;
		arg.pid = process->pid;
	}
	ret = devpub_process_call(dev, process, command, &arg);
	if (ret == -ESRCH) {
		if (reasons)
			memset(reasons, DEVPUB_REASON_UNSEEN, pages);
	} else if (outcome) {
		/* If the kernel has no results, the counts in @arg are still 0. */
		account(outcome, &arg, reasons, arg.done / dev->page_size);
	}
	free(own);
	return ret;
}

static int migrate(const struct devpub *dev,
		   const struct devpub_process *process, unsigned long command,
		   const struct devpub_range *ranges, size_t n,
		   unsigned int flags, unsigned char *reasons,
		   struct devpub_outcome *outcome)
{
	uint64_t pages;
	size_t i;
	int ret;

	if (outcome)
		memset(outcome, 0, sizeof(*outcome));
	/* Only the library sets DEVPUB_MIGRATE_PID. */
	if (flags & ~DEVPUB_MIGRATE_POPULATE)
		return -EINVAL;
	ret = devpub_check_ranges(dev, ranges, n, reasons, &pages);
	if (ret)
		return ret;
	if (reasons)
		memset(reasons, DEVPUB_REASON_UNSEEN, pages);

	for (i = 0; i < n && !ret; i++) {
		ret = migrate_range(dev, process, command, flags, &ranges[i],
				    reasons, outcome);
		if (reasons)
			reasons += ranges[i].length / dev->page_size;
	}
	return ret;
}

EXPORT
int devpub_migrate_to_v(const struct devpub *dev,
			const struct devpub_process *process,
			const struct devpub_range *ranges, size_t n,
			unsigned int flags, unsigned char *reasons,
			struct devpub_outcome *outcome)
{
	return migrate(dev, process, DEVPUB_IOC_MIGRATE_TO, ranges, n, flags,
		       reasons, outcome);
}

EXPORT
int devpub_migrate_from_v(const struct devpub *dev,
			  const struct devpub_process *process,
			  const struct devpub_range *ranges, size_t n,
			  unsigned int flags, unsigned char *reasons,
			  struct devpub_outcome *outcome)
{
	if (flags)
		return -EINVAL;
	return migrate(dev, process, DEVPUB_IOC_MIGRATE_FROM, ranges, n, flags,
		       reasons, outcome);
}

EXPORT
int devpub_migrate_to(const struct devpub *dev, const void *addr, size_t length,
		      unsigned int flags, unsigned char *reasons,
		      struct devpub_outcome *outcome)
{
	const struct devpub_range range = { (uintptr_t)addr, length };

	return devpub_migrate_to_v(dev, NULL, &range, 1, flags, reasons,
				   outcome);
}

EXPORT
int devpub_migrate_from(const struct devpub *dev, const void *addr,
			size_t length, unsigned int flags,
			unsigned char *reasons, struct devpub_outcome *outcome)
{
	const struct devpub_range range = { (uintptr_t)addr, length };

	return devpub_migrate_from_v(dev, NULL, &range, 1, flags, reasons,
				     outcome);
}
