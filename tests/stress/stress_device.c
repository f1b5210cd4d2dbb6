// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The ioctls of the stress. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "stress.h"

/* Return whether a call succeeded.  Note that the device is gone, or report the error. */
static bool ended_well(struct stress_thread *thread, const char *call, int ret)
{
	if (!ret)
		return true;
	if (errno == ENODEV)
		atomic_store(&thread->shared->gone, true);
	else
		stress_wrong(thread, "%s: %s", call, strerror(errno));
	return false;
}

/* Check that the counts match the array, as far as the call came. */
static bool agree(const struct devpub_migrate *arg, const unsigned char *reasons,
		  unsigned long *total)
{
	unsigned long pages[REASONS] = { 0 }, refused = 0;

	if (arg->done % PAGE || arg->done > arg->length)
		return false;
	for (size_t i = 0; i < arg->done / PAGE; i++) {
		if (reasons[i] == DEVPUB_REASON_UNSEEN || reasons[i] >= REASONS)
			return false;
		pages[reasons[i]]++;
		total[reasons[i]]++;
	}
	for (int i = DEVPUB_REASON_UNMAPPED; i < REASONS; i++)
		refused += pages[i];
	return arg->moved == pages[DEVPUB_REASON_MOVED] &&
	       arg->populated == pages[DEVPUB_REASON_POPULATED] &&
	       arg->already == pages[DEVPUB_REASON_ALREADY] &&
	       arg->absent == pages[DEVPUB_REASON_ABSENT] &&
	       arg->refused == refused;
}

void stress_migrate(struct stress_thread *thread, unsigned long cmd, char *addr,
		    size_t pages, unsigned int flags)
{
	bool from = cmd == DEVPUB_IOC_MIGRATE_FROM;
	struct devpub_migrate arg = migrate_arg(addr, pages, thread->reasons);
	int ret;

	arg.flags = flags;
	ret = ioctl(thread->fd, cmd, &arg);
	if (!ended_well(thread, from ? "migrate from" : "migrate to", ret) &&
	    !atomic_load(&thread->shared->gone))
		return;
	if (!agree(&arg, thread->reasons, from ? thread->result->reasons_from :
						 thread->result->reasons_to))
		stress_wrong(thread, "the counts of a migration do not agree");
	else if (!ret && arg.done != arg.length)
		stress_wrong(thread, "a migration did %llu of %llu bytes",
			     (unsigned long long)arg.done,
			     (unsigned long long)arg.length);
}

/* Query the locations of the pages.  Return whether the call succeeded. */
static bool query_pages(struct stress_thread *thread, char *addr, size_t pages,
			struct devpub_query *arg)
{
	*arg = (struct devpub_query) {
		.addr = address(addr),
		.length = pages * PAGE,
	};
	return ended_well(thread, "query",
			  ioctl(thread->fd, DEVPUB_IOC_QUERY, arg));
}

void stress_settle(struct stress_thread *thread, char *addr, size_t pages)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct devpub_query arg;

	/* A page may be in another processor's LRU batch at first. */
	for (int i = 0; i < 50; i++) {
		stress_migrate(thread, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0);
		if (!query_pages(thread, addr, pages, &arg) || arg.device == pages)
			return;
		nanosleep(&pause, NULL);
	}
	stress_wrong(thread, "only %llu of %zu pages that nothing else uses moved to the device",
		     (unsigned long long)arg.device, pages);
}

void stress_query(struct stress_thread *thread, char *addr, size_t pages)
{
	struct devpub_query arg;

	if (query_pages(thread, addr, pages, &arg) &&
	    arg.absent + arg.system + arg.device + arg.other_device + arg.other !=
	    pages)
		stress_wrong(thread, "the counts of a query do not agree");
}

void stress_evict(struct stress_thread *thread)
{
	struct devpub_evict arg = { 0 };
	int ret = ioctl(thread->fd, DEVPUB_IOC_EVICT, &arg);

	if (ret && errno == EPERM)
		thread->result->failed[STRESS_EVICT]++;
	else if (ended_well(thread, "evict", ret))
		thread->result->evicted += arg.moved;
}
