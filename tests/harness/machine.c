// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "harness.h"
#include "machine.h"

#define SETTINGS	8

static struct {
	char path[96], before[128];
} settings[SETTINGS];
static unsigned int changed;

static bool swap_is_on, disk_loaded;

#define MEMORY	"/sys/devices/system/memory/"
#define KSM	"/sys/kernel/mm/ksm/"

static char movable[96];

static void undo(void)
{
	while (changed--)
		if (test_write_text(settings[changed].path,
				    settings[changed].before))
			test_note("%s: could not be set back to '%s'",
				  settings[changed].path,
				  settings[changed].before);
	changed = 0;
	if (movable[0]) {
		/* The block may be offline already. */
		test_write_text(movable, "offline");
		if (test_write_text(movable, "online"))
			test_note("%s: could not be put back", movable);
		movable[0] = '\0';
	}
	if (swap_is_on && swapoff(DISK))
		test_note("swapoff: %s", strerror(errno));
	if (swap_is_on)
		disk_end(disk_loaded);
	swap_is_on = false;
}

/* Such files show the active choice in brackets: "always [madvise] never" */
static void chosen(char *text)
{
	char *from = strchr(text, '['), *to = strchr(text, ']');

	if (!from || !to || to < from)
		return;
	*to = '\0';
	memmove(text, from + 1, to - from);
}

void machine_set(const char *path, const char *text)
{
	char *before = settings[changed].before;

	if (access(path, R_OK | W_OK)) {
		undo();
		SKIP("no %s", path);
	}
	test_read_text(path, before, sizeof(settings[changed].before));
	chosen(before);
	snprintf(settings[changed].path, sizeof(settings[changed].path), "%s",
		 path);
	if (test_write_text(path, text)) {
		undo();
		SKIP("%s: '%s': %s", path, text, strerror(errno));
	}
	CHECK_CMP(++changed, <, SETTINGS);
}

void machine_set_if_there(const char *path, const char *text)
{
	if (!access(path, R_OK | W_OK))
		machine_set(path, text);
}

void machine_needs(const char *path)
{
	if (access(path, F_OK))
		SKIP("no %s", path);
}

void machine_lacks(const char *function, const char *why)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*s %255s", name) == 1 &&
			!strcmp(name, function);
	if (symbols)
		fclose(symbols);
	if (found)
		SKIP("%s", why);
}

unsigned long long machine_vmstat(const char *name)
{
	return test_counter("/proc/vmstat", name);
}

unsigned long machine_nodes(void)
{
	unsigned long nodes = 0;
	char path[64];

	for (unsigned int node = 0; node < 63; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%u/meminfo", node);
		if (!access(path, R_OK))
			nodes |= 1UL << node;
	}
	if (!nodes)
		SKIP("this kernel knows no nodes");
	return nodes;
}

int machine_other_node(int node)
{
	unsigned long others = machine_nodes() & ~(1UL << node);

	if (!others)
		SKIP("needs a second node with memory");
	return __builtin_ctzl(others);
}

void machine_swap_on(void)
{
	static uint32_t header[PAGE / sizeof(uint32_t)];
	uint64_t size;
	int file;

	if (test_field("/proc/meminfo", "SwapTotal") > 0)
		SKIP("the system has swap already");
	disk_loaded = disk_begin();
	file = open(DISK, O_RDWR | O_EXCL | O_CLOEXEC);
	if (!disk_loaded || file < 0 || ioctl(file, BLKGETSIZE64, &size))
		SKIP(DISK " is in use");
	/* union swap_header: version and last page after the boot block */
	header[1024 / 4] = 1;
	header[1024 / 4 + 1] = size / PAGE - 1;
	memcpy((char *)header + PAGE - 10, "SWAPSPACE2", 10);
	CHECK_EQ(write(file, header, PAGE), PAGE);
	CHECK_CALL(fsync(file));
	close(file);
	if (swapon(DISK, 0)) {
		disk_end(disk_loaded);
		SKIP("swapon: %s", strerror(errno));
	}
	swap_is_on = true;
}

static int node_of_block(unsigned long long nr)
{
	char path[96];

	for (int node = 0; node < 64; node++) {
		snprintf(path, sizeof(path), MEMORY "memory%llu/node%d", nr, node);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

/* Return true if the block went offline and came back as movable memory. */
static bool make_movable(const char *state)
{
	char text[32];

	test_read_text(state, text, sizeof(text));
	if (strncmp(text, "online", 6) || test_write_text(state, "offline"))
		return false;
	if (!test_write_text(state, "online_movable"))
		return true;
	if (test_write_text(state, "online"))
		test_note("%s: could not be put back", state);
	return false;
}

void machine_movable_block(struct machine_block *block)
{
	char text[32];
	unsigned long long size;
	int tries = 8;

	if (access(MEMORY "block_size_bytes", R_OK))
		SKIP("no memory blocks");
	test_read_text(MEMORY "block_size_bytes", text, sizeof(text));
	size = strtoull(text, NULL, 16);
	/* The kernel's own memory is usually at low addresses. */
	for (long long nr = (1ULL << 36) / size; nr >= 0 && tries; nr--) {
		snprintf(block->state, sizeof(block->state),
			 MEMORY "memory%lld/state", nr);
		if (access(block->state, R_OK | W_OK))
			continue;
		tries--;
		if (!make_movable(block->state))
			continue;
		snprintf(movable, sizeof(movable), "%s", block->state);
		block->first = nr * (size / PAGE);
		block->frames = size / PAGE;
		block->node = node_of_block(nr);
		return;
	}
	SKIP("no memory block can go offline");
}

long long machine_meminfo(const char *name)
{
	const char *path = "/proc/sys/vm/stat_refresh";
	char text[8];

	if (!access(path, R_OK))
		test_read_text(path, text, sizeof(text));
	return test_field("/proc/meminfo", name);
}

void machine_drain_batches(void)
{
	/* compact_nodes() (mm/compaction.c) first drains all LRU batches. */
	test_write_text("/proc/sys/vm/compact_memory", "1");
}

void machine_ksm_on(const char *pages, const char *pause_ms)
{
	machine_set(KSM "pages_to_scan", pages);
	machine_set(KSM "sleep_millisecs", pause_ms);
	/* KSM skips pages that it has scanned without a match. */
	machine_set_if_there(KSM "smart_scan", "0");
	machine_set(KSM "run", "1");
}

void machine_run(void (*body)(struct place *place), struct place *place)
{
	pid_t pid = test_fork();
	int status;

	if (pid == 0) {
		changed = 0;
		swap_is_on = false;
		movable[0] = '\0';
		body(place);
		fflush(stdout);
		_exit(0);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	undo();
	if (WIFSIGNALED(status))
		FAIL("killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}
