// SPDX-License-Identifier: GPL-2.0
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
#include "machine.h"
#include "place.h"

#define SETTINGS	8

static struct {
	char path[96], before[128];
} settings[SETTINGS];
static unsigned int changed;

static bool swap_is_on, disk_loaded;

static void undo(void)
{
	while (changed--)
		if (test_write_text(settings[changed].path,
				    settings[changed].before))
			test_note("%s: could not be set back to '%s'",
				  settings[changed].path,
				  settings[changed].before);
	changed = 0;
	if (swap_is_on && swapoff(DISK))
		test_note("swapoff: %s", strerror(errno));
	if (swap_is_on)
		disk_end(disk_loaded);
	swap_is_on = false;
}

/* Files of a choice show it in brackets: "always [madvise] never" */
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
	/* union swap_header: version and last page behind the boot block */
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

void machine_run(void (*body)(struct place *place), struct place *place)
{
	pid_t pid = test_fork();
	int status;

	if (pid == 0) {
		changed = 0;
		swap_is_on = false;
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
