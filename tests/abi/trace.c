// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Trace events and fdinfo of the module. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "tracing.h"

#define PAGES	600UL

static const char * const events[] = {
	"devpub_migrate_begin", "devpub_migrate_step", "devpub_migrate_end",
	"devpub_alloc", "devpub_free", "devpub_evict_begin", "devpub_evict_end",
};

#define NR_EVENTS	(sizeof(events) / sizeof(*events))

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* Check that the first string occurs, and the second after it. */
static const char *after(const char *text, const char *what)
{
	const char *found = strstr(text, what);

	if (!found)
		FAIL("no \"%s\" in order in the trace", what);
	return found + strlen(what);
}

/* Return the sum of the numbers after a word. */
static unsigned long sum(const char *text, const char *event, const char *word)
{
	unsigned long total = 0;
	const char *at = text, *end;

	while ((at = strstr(at, event))) {
		end = strchr(at, '\n');
		at = strstr(at, word);
		CHECK(at && at < end);
		total += strtoul(at + strlen(word), NULL, 0);
	}
	return total;
}

CASE(each_event_is_there)
{
	char path[128];

	tracing_need();
	for (size_t i = 0; i < NR_EVENTS; i++) {
		snprintf(path, sizeof(path), EVENTS "/%s/format", events[i]);
		if (access(path, R_OK))
			FAIL("no event %s", events[i]);
	}
}

CASE(migration_to)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1), wanted[160], *text;
	const char *at;

	/* No page is busy, so one call moves all. */
	move_to_device(fd, addr, PAGES);
	move_to_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	tracing_listen();
	move_to_device(fd, addr, PAGES);
	text = tracing_heard();

	snprintf(wanted, sizeof(wanted),
		 "devpub_migrate_begin: devpub0 pid=%d to addr=%p length=%lu",
		 getpid(), (void *)addr, PAGES * PAGE);
	at = after(text, wanted);
	at = after(at, "devpub_migrate_step: devpub0 setup addr=");
	at = after(at, "devpub_alloc: devpub0 ");
	at = after(at, "devpub_migrate_step: devpub0 fill addr=");
	at = after(at, "devpub_migrate_step: devpub0 pages addr=");
	at = after(at, "devpub_migrate_step: devpub0 finalize addr=");
	after(at, "devpub_migrate_end: devpub0 ");
	CHECK_CMP(sum(text, "devpub_alloc: ", " got="), >=, PAGES);
	CHECK_EQ(count(text, "devpub_migrate_begin: "),
		 count(text, "devpub_migrate_end: "));
	CHECK_EQ(count(text, "devpub_migrate_step: devpub0 setup "),
		 count(text, "devpub_migrate_step: devpub0 finalize "));
}

CASE(migration_from)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1), *text;
	const char *at;

	move_to_device(fd, addr, PAGES);
	tracing_listen();
	move_to_system(fd, addr, PAGES);
	text = tracing_heard();
	at = after(text, "devpub_migrate_begin: devpub0 ");
	at = after(at, " from addr=");
	at = after(at, "devpub_free: devpub0 pfn=0x");
	after(at, "devpub_migrate_end: devpub0 ");
	CHECK_EQ(count(text, "devpub_free: devpub0 "), PAGES);
	CHECK_EQ(count(text, "devpub_alloc: "), 0);
}

/* The event has the reasons by their numbers in the ABI. */
CASE(reasons_counted)
{
	int fd = device_open();
	char *addr = mem_map(PAGES), *text;
	struct devpub_migrate arg = migrate_arg(addr, PAGES, NULL);

	tracing_listen();
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	text = tracing_heard();
	CHECK_EQ(arg.absent, PAGES);
	CHECK(strstr(text, "to done=2457600 ret=0 pages={0x0,0x0,0x0,0x0,0x258,0x0,"));
}

CASE(eviction)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1), *text;
	struct devpub_evict arg = { 0 };
	const char *at;

	move_to_device(fd, addr, PAGES);
	tracing_listen();
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	text = tracing_heard();
	at = after(text, "devpub_evict_begin: devpub0 moved=0 pages=600 ret=0");
	after(at, "devpub_evict_end: devpub0 moved=600 pages=0 ret=0");
}

/* Disabled events record nothing. */
CASE(silent_unless_asked)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1), *text;

	tracing_listen();
	CHECK(!test_write_text(EVENTS "/enable", "0"));
	move_to_device(fd, addr, PAGES);
	text = tracing_heard();
	CHECK_EQ(count(text, "devpub_"), 0);
}

CASE(fdinfo)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1), path[64];
	struct devpub_info info = device_info(fd);
	char text[1024];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	tracing_read(path, text, sizeof(text));
	CHECK(strstr(text, "devpub-device:\tdevpub0\n"));
	CHECK(strstr(text, "devpub-draining:\t0\n"));
	CHECK_EQ(test_field(path, "devpub-capacity-kB"), info.capacity / 1024);
	CHECK_EQ(test_field(path, "devpub-used-kB"), 0);
	move_to_device(fd, addr, PAGES);
	CHECK_EQ(test_field(path, "devpub-used-kB"), PAGES * 4);
}
