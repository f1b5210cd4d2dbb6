// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "disk.h"
#include "harness.h"
#include "stuck.h"
#include "user.h"

/* A page takes a minute: longer than any bound, but too short for the hung task detector. */
#define BYTES_A_SECOND	"64"
#define DISK_PAGES	2048UL
#define FIRST_PAGE	256UL
#define STACK		32768UL
#define READY_MS	60000

/* Memory shared with the stuck process, which touches it before it is stuck. */
struct stuck_control {
	atomic_int holder, queuer;
	atomic_uint waiting;
	atomic_int hold, queue, call;
	off_t page;
};

static struct cgroup group;
static char file[160];
static unsigned int used;

static void limit(const char *bytes)
{
	struct stat stat;
	char line[80];

	CHECK_CALL(lstat(DISK, &stat));
	snprintf(line, sizeof(line), "%u:%u rbps=%s", major(stat.st_rdev),
		 minor(stat.st_rdev), bytes);
	cgroup_write(&group, "io.max", line);
}

void stuck_let_go(void)
{
	limit("max");
}

void stuck_run(void (*body)(void))
{
	bool loaded;
	int status;
	pid_t pid;

	cgroup_create(&group, "io");
	snprintf(file, sizeof(file), "%s/io.max", group.path);
	if (access(file, F_OK)) {
		cgroup_remove(&group);
		SKIP("no io.max: the kernel has no CONFIG_BLK_DEV_THROTTLING");
	}
	loaded = disk_begin();
	CHECK_CALL(chmod(DISK, 0444));
	limit(BYTES_A_SECOND);

	pid = test_fork();
	if (pid == 0) {
		body();
		fflush(stdout);
		_exit(0);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	stuck_let_go();
	cgroup_write(&group, "cgroup.kill", "1");
	while (cgroup_field(&group, "cgroup.events", "populated"))
		test_sleep(50);
	cgroup_remove(&group);
	disk_end(loaded);
	if (WIFSIGNALED(status))
		FAIL("killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}

/* Use a system call that does not take the lock. */
static void await(atomic_int *flag)
{
	while (!atomic_load(flag))
		syscall(SYS_futex, flag, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void release(atomic_int *flag)
{
	atomic_store(flag, 1);
	syscall(SYS_futex, flag, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void *hold(void *data)
{
	struct stuck_control *control = data;
	int disk = open(DISK, O_RDONLY | O_CLOEXEC);
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char *map, byte;

	CHECK(disk >= 0 && mem >= 0);
	map = mmap(NULL, DISK_PAGES * PAGE, PROT_READ, MAP_SHARED, disk, 0);
	CHECK(map != MAP_FAILED);
	/* Disable read-ahead, which would drop the lock. */
	CHECK_CALL(madvise(map, DISK_PAGES * PAGE, MADV_RANDOM));
	atomic_store(&control->holder, gettid());
	await(&control->hold);
	if (pread(mem, &byte, 1, address(map + control->page * PAGE)) != 1)
		_exit(1);
	return NULL;
}

static void *queue(void *data)
{
	struct stuck_control *control = data;

	atomic_store(&control->queuer, gettid());
	await(&control->queue);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return NULL;
}

static void *call(void *data)
{
	struct stuck *stuck = data;

	atomic_fetch_add(&stuck->control->waiting, 1);
	await(&stuck->control->call);
	stuck->call(stuck);
	return NULL;
}

static void thread(void *(*run)(void *), void *data)
{
	pthread_attr_t attr;
	pthread_t id;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attr, STACK), 0);
	CHECK_EQ(pthread_create(&id, &attr, run, data), 0);
}

static int call_apart(void *data)
{
	call(data);
	return 0;
}

static void be_stuck(struct stuck *stuck)
{
	/* A fault would wait for the lock as well. */
	CHECK_CALL(mlockall(MCL_CURRENT));
	stuck->fd = device_open();
	if (stuck->prepare)
		stuck->prepare(stuck);
	thread(hold, stuck->control);
	thread(queue, stuck->control);
	if (stuck->apart) {
		char *stack = malloc(2 * STACK);

		CHECK(stack);
		memset(stack, 0, 2 * STACK);
		CHECK_CALL(clone(call_apart, stack + 2 * STACK,
				 CLONE_VM | CLONE_FILES | SIGCHLD, stuck));
	} else {
		for (unsigned int i = 0; i < stuck->callers; i++)
			thread(call, stuck);
	}
	for (;;)
		pause();
}

static void await_waiting(pid_t tid, const char *what)
{
	unsigned long long end = test_milliseconds() + READY_MS;

	for (int in_a_row = 0; in_a_row < 5; in_a_row++) {
		if (test_task_state(tid) != 'D')
			in_a_row = -1;
		if (test_milliseconds() > end)
			FAIL("the thread that %s does not wait", what);
		test_sleep(20);
	}
}

static pid_t only_child(pid_t pid)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	test_read_text(path, text, sizeof(text));
	CHECK_CMP(atoi(text), >, 0);
	return atoi(text);
}

void stuck_start(struct stuck *stuck, uid_t uid)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned long long end = test_milliseconds() + READY_MS;
	struct stuck_control *control;

	control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(control != MAP_FAILED);
	control->page = FIRST_PAGE + used++;
	stuck->control = control;

	stuck->pid = test_fork();
	if (stuck->pid == 0) {
		cgroup_enter(&group);
		CHECK_CALL(setrlimit(RLIMIT_MEMLOCK, &all));
		user_become(uid);
		be_stuck(stuck);
	}
	while (atomic_load(&control->waiting) < stuck->callers ||
	       !control->holder || !control->queuer) {
		if (test_milliseconds() > end)
			FAIL("the process that should be stuck is not ready");
		test_sleep(20);
	}
	if (stuck->apart)
		stuck->caller = only_child(stuck->pid);
	release(&control->hold);
	await_waiting(control->holder, "reads its memory");
	release(&control->queue);
	await_waiting(control->queuer, "maps memory");
	release(&control->call);
	if (stuck->callers)
		test_sleep(1000);
}

unsigned int stuck_time_to_end(pid_t pid, unsigned int limit_ms)
{
	unsigned long long begin = test_milliseconds(), now;
	char state;

	for (;;) {
		now = test_milliseconds() - begin;
		state = test_task_state(pid);
		if (!state || state == 'Z' || state == 'X' || now > limit_ms)
			return now;
		test_sleep(10);
	}
}

bool stuck_in_call(pid_t pid)
{
	char path[288], text[4096];
	struct dirent *entry;
	bool found = false;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && !found && (entry = readdir(tasks))) {
		ssize_t got;
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid,
			 entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[got > 0 ? got : 0] = '\0';
		found = strstr(text, "[devpub]");
	}
	if (tasks)
		closedir(tasks);
	return found;
}

unsigned int stuck_time_to_leave(pid_t pid, unsigned int limit_ms)
{
	unsigned long long begin = test_milliseconds(), now;

	for (;;) {
		now = test_milliseconds() - begin;
		if (now > limit_ms || !stuck_in_call(pid))
			return now;
		test_sleep(10);
	}
}
