// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Runs the cases of a test program and reports the results as KTAP. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "differences.h"
#include "disk.h"
#include "harness.h"
#include "ktap.h"

/* A generous limit for slow emulated machines: it must only detect hangs. */
#define CASE_SECONDS	720U

/* Print the duration of cases that take this long. */
#define SLOW_SECONDS	5

/* Time for a killed case to exit, and for a device to get its pages back. */
#define GRACE_MS	20000

#define MAX_DEVICES	16

static struct test_case *first;
static struct test_case **last = &first;

/* Memory that the processes of a case share. */
static struct {
	char skip_reason[256];
	/* The first failed check. */
	char failure[512];
} *shared;

void test_register(struct test_case *test)
{
	*last = test;
	last = &test->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!shared->failure[0])
		strcpy(shared->failure, text);
	printf("# %s:%d: %s\n", file, line, text);
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(shared->skip_reason, sizeof(shared->skip_reason), fmt, args);
	va_end(args);
	fflush(stdout);
	_exit(KTAP_EXIT_SKIP);
}

void test_note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

pid_t test_fork(void)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		FAIL("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

void test_wait(pid_t pid)
{
	int status;

	CHECK_CALL(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		FAIL("child killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		FAIL("child exited with %d", WEXITSTATUS(status));
}

void test_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	test_wait_killed(pid);
}

void test_wait_killed(pid_t pid)
{
	int status;

	CHECK_CALL(waitpid(pid, &status, 0));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		FAIL("child ended before it was killed: status %#x", status);
}

void test_gate_open(struct test_gate *gate)
{
	CHECK_CALL(pipe2(gate->fd[0], O_CLOEXEC));
	CHECK_CALL(pipe2(gate->fd[1], O_CLOEXEC));
}

void test_gate_signal(struct test_gate *gate, int self)
{
	CHECK_EQ(write(gate->fd[self][1], "", 1), 1);
}

void test_gate_await(struct test_gate *gate, int self)
{
	char byte;

	/* This process has the other end open as well, so the read would not see its exit. */
	if (gate->fd[!self][1] >= 0)
		close(gate->fd[!self][1]);
	gate->fd[!self][1] = -1;
	if (read(gate->fd[!self][0], &byte, 1) != 1)
		FAIL("the other process is gone");
}

unsigned int test_rounds_of(unsigned int rounds, unsigned int full)
{
	const char *set = getenv("FULL");

	return set && *set ? full : rounds;
}

unsigned int test_rounds(unsigned int rounds)
{
	return test_rounds_of(rounds, 10 * rounds);
}

char test_task_state(pid_t tid)
{
	char path[32], text[256], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (access(path, R_OK))
		return '\0';
	test_read_text(path, text, sizeof(text));
	end = strrchr(text, ')');
	return end ? end[2] : '\0';
}

unsigned long long test_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void test_sleep(unsigned int milliseconds)
{
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

int test_read_value(const char *path, unsigned long long *value)
{
	FILE *file = fopen(path, "re");
	int items;

	if (!file)
		return -1;
	items = fscanf(file, "%llu", value);
	fclose(file);
	return items == 1 ? 0 : -1;
}

unsigned long long test_counter(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	unsigned long long value;
	char word[64];

	if (!file)
		FAIL("%s: %s", path, strerror(errno));
	while (fscanf(file, "%63s %llu", word, &value) == 2) {
		if (!strcmp(word, name)) {
			fclose(file);
			return value;
		}
	}
	FAIL("%s: no line '%s'", path, name);
}

int test_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text));
	close(fd);
	return ret == (ssize_t)strlen(text) ? 0 : -1;
}

void test_read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		FAIL("%s: %s", path, strerror(errno));
	ret = read(fd, text, size - 1);
	if (ret < 0)
		FAIL("%s: %s", path, strerror(errno));
	text[ret] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
}

long long test_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	long long value = -1;
	char line[256];

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			value = strtoll(line + length + 1, NULL, 10);
	fclose(file);
	return value;
}

/* Wait for a child.  Return its status, or -1 if it has not ended in time. */
static int wait_for(pid_t pid, unsigned int ms)
{
	const struct timespec tick = { .tv_nsec = 100000000 };
	unsigned long long end = test_milliseconds() + ms;
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (test_milliseconds() > end)
			return -1;
		sigtimedwait(&set, NULL, &tick);
	}
	return status;
}

/*
 * After each case, when its processes have ended, all pages must be free.  A lost page fails
 * only the case that has lost it.
 */
static bool devices_balanced(void)
{
	unsigned long long end = test_milliseconds() + GRACE_MS;
	static uint64_t missed[MAX_DEVICES];
	struct devpub_info info;

	for (unsigned int i = 0; i < MAX_DEVICES; i++) {
		uint64_t missing;

		while (device_info_of(i, &info) == 0) {
			missing = info.capacity - info.free;
			if (missing <= missed[i])
				break;
			if (test_milliseconds() > end) {
				test_note("device %u misses %llu of %llu bytes",
					  i, (unsigned long long)missing,
					  (unsigned long long)info.capacity);
				missed[i] = missing;
				return false;
			}
			test_sleep(50);
		}
	}
	return true;
}

static int run_case(const struct test_case *test)
{
	const unsigned int limit = test_rounds(CASE_SECONDS);
	unsigned long long begin = test_milliseconds();
	unsigned int seconds;
	int status;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		test->run();
		fflush(stdout);
		_exit(0);
	}
	setpgid(pid, pid);
	status = wait_for(pid, limit * 1000);
	kill(-pid, SIGKILL);
	seconds = (test_milliseconds() - begin) / 1000;
	if (seconds >= SLOW_SECONDS)
		test_note("%s: %u s", test->name, seconds);
	if (status < 0) {
		test_note("no end after %u s", limit);
		if (wait_for(pid, GRACE_MS) < 0)
			test_note("and it can't be killed");
		return -1;
	}
	if (WIFSIGNALED(status)) {
		test_note("killed by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
		return -1;
	}
	return WEXITSTATUS(status);
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	while (*names)
		if (!strcmp(*names++, name))
			return true;
	return false;
}

/* Print a sentence once for successive cases with the same one. */
static void tell_expectation(const struct test_case *test)
{
	static const char *told;

	if (test->expects && test->expects != told)
		printf("# %.*s: %s\n", (int)strcspn(test->name, "."),
		       test->name, test->expects);
	told = test->expects;
}

/* Return true if the result of the case is the expected one on this kernel. */
static bool report(unsigned int nr, const char *name, int status)
{
	const struct difference *difference = difference_of(name);

	if (status == KTAP_EXIT_SKIP) {
		ktap_skip(nr, name, shared->skip_reason);
		return true;
	}
	/* A row of differences does not excuse a crash, a hang or a lost page. */
	if (difference && status == EXIT_FAILURE &&
	    difference_covers(difference, shared->failure)) {
		ktap_xfail(nr, name, difference->reason);
		return true;
	}
	if (difference && !status)
		test_note("passes; \"differences\" expects that it does not: %s",
			  difference->reason);
	else if (!status) {
		ktap_ok(nr, name);
		return true;
	}
	ktap_not_ok(nr, name);
	return false;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0;
	struct test_case *test;
	sigset_t set;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (test = first; test; test = test->next)
			puts(test->name);
		return 0;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);

	for (test = first; test; test = test->next)
		nr += wanted(test->name, argv + 1);
	if (!nr) {
		fprintf(stderr, "%s: no such case; --list names them\n", argv[0]);
		return 1;
	}
	differences_read(first);
	setvbuf(stdout, NULL, _IOLBF, 0);
	ktap_plan(nr);
	nr = 0;
	for (test = first; test; test = test->next) {
		bool disk = disk_is_there();
		int status;

		if (!wanted(test->name, argv + 1))
			continue;
		tell_expectation(test);
		status = run_case(test);
		if (!disk && disk_is_there() && !disk_take_away())
			status = -1;
		if (!devices_balanced())
			status = -1;
		failed += !report(++nr, test->name, status);
	}
	fflush(stdout);
	return failed ? 1 : 0;
}
