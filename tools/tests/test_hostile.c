// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests with processes of ordinary users that try not to be found. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "array.h"
#include "maps.h"
#include "populated.h"
#include "proc.h"

#define HOSTILE_NAME	"a) Z 1 (\n\x9b\xff"

/* Children of start() that are not yet stopped. */
static pid_t started[8];

void be_a_user(void)
{
	static const uid_t nobody = 65534;

	/* The user may not exist in the user namespace. */
	if (!geteuid() && !setresgid(nobody, nobody, nobody) &&
	    setresuid(nobody, nobody, nobody))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t start(void (*body)(void))
{
	int ready[2];
	pid_t pid;
	char byte;
	size_t i;

	if (pipe(ready))
		exit(1);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		be_a_user();
		close(ready[0]);
		body();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		exit(1);
	close(ready[0]);
	for (i = 0; i < ARRAY_SIZE(started); i++) {
		if (!started[i]) {
			started[i] = pid;
			break;
		}
	}
	return pid;
}

void stop(pid_t pid)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(started); i++)
		if (started[i] == pid)
			started[i] = 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void stop_all(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(started); i++)
		if (started[i])
			stop(started[i]);
	populated_by_hand = false;
}

bool stat_parsed(void)
{
	static const char rest[] =
		" S 7 0 0 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
	struct proc_stat stat;
	char text[256];

	snprintf(text, sizeof(text), "12 (%s)%s", HOSTILE_NAME, rest);
	CHECK(proc_parse_stat(text, &stat));
	CHECK(same(stat.name, HOSTILE_NAME) && stat.state == 'S' && stat.parent == 7);
	CHECK(stat.started == 4711 && proc_is_kernel_thread(&stat));
	CHECK(!proc_parse_stat("", &stat) && !proc_parse_stat("12 (", &stat));
	CHECK(!proc_parse_stat("12 )(", &stat) && !proc_parse_stat("12 (a) S 1", &stat));
	return true;
}

void be_named(void)
{
	prctl(PR_SET_NAME, HOSTILE_NAME);
}

bool named_to_hide(void)
{
	const pid_t pid = start(be_named);
	struct proc_stat stat;
	struct proc proc;
	struct maps maps;

	CHECK(!proc_open(pid, &proc));
	CHECK(!proc_stat(&proc, &stat));
	CHECK(same(stat.name, HOSTILE_NAME) && stat.parent == getpid());
	CHECK(!proc_is_kernel_thread(&stat) && !proc_ended(&proc));
	CHECK(!maps_read(&proc, &maps) && maps.n);
	maps_free(&maps);
	proc_close(&proc);
	CHECK(is_seen(pid, 1));
	stop(pid);
	return true;
}

bool zombie_has_ended(void)
{
	struct proc proc;
	struct maps maps;
	siginfo_t info;
	pid_t pid;

	pid = start(be_named);
	CHECK(!proc_open(pid, &proc));
	kill(pid, SIGKILL);
	/* WNOWAIT leaves the child for the second wait. */
	CHECK(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	CHECK(proc_ended(&proc) == 1);
	CHECK(maps_read(&proc, &maps) == -ESRCH);
	proc_close(&proc);
	CHECK(proc_open(pid, &proc) == -ESRCH);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(proc_open(pid, &proc) == -ESRCH);
	return true;
}

static void *live_on(void *arg)
{
	static const struct timespec moment = { .tv_nsec = 300000000 };

	/* Wait until the main thread has ended. */
	nanosleep(&moment, NULL);
	if (write(*(int *)arg, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Other threads run and the memory exists, although the process looks like a zombie. */
bool main_thread_gone(void)
{
	pthread_t thread;
	struct proc proc;
	struct maps maps;
	int ready[2];
	pid_t pid;
	char byte;

	CHECK(!pipe(ready));
	pid = fork();
	if (!pid) {
		be_a_user();
		if (pthread_create(&thread, NULL, live_on, &ready[1]))
			_exit(1);
		pthread_exit(NULL);
	}
	CHECK(pid > 0 && read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	CHECK(!proc_open(pid, &proc));
	CHECK(!proc_ended(&proc));
	CHECK(!maps_read(&proc, &maps) && maps.n);
	maps_free(&maps);
	proc_close(&proc);
	CHECK(is_seen(pid, 1));
	stop(pid);
	CHECK(proc_open(pid, &proc) == -ESRCH);
	return true;
}

/* With any number of free descriptors, no process may be reported as ended. */
bool descriptors_out(void)
{
	const pid_t pid = start(be_named);
	struct rlimit limit, few;
	int first = dup(0), left, ret = 0, error = 0;
	struct proc proc;
	struct maps maps;

	close(first);
	CHECK(first > 2 && !getrlimit(RLIMIT_NOFILE, &limit));
	for (left = 0; left < 6 && !error; left++) {
		few = limit;
		few.rlim_cur = first + left;
		setrlimit(RLIMIT_NOFILE, &few);
		ret = proc_open(pid, &proc);
		if (!ret) {
			ret = maps_read(&proc, &maps);
			if (!ret)
				maps_free(&maps);
			proc_close(&proc);
		}
		setrlimit(RLIMIT_NOFILE, &limit);
		if (ret && ret != -EMFILE)
			error = ret;
	}
	CHECK(!error);
	CHECK(!ret);
	stop(pid);
	return true;
}

/* Execute programs one after the other, forever. */
static int storm(char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv("/proc/self/exe", argv);
	return 1;
}

int test_peer(char **argv)
{
	return strcmp(argv[1], "storm") ? 2 : storm(argv);
}

bool storm_of_exec(void)
{
	static char *const argv[] = { "test", "storm", NULL };
	unsigned int i, read = 0, busy = 0;
	struct proc proc;
	struct maps maps;
	pid_t pid;
	int ret = 0;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		be_a_user();
		_exit(storm((char **)argv));
	}
	for (i = 0; i < 2000 && (!ret || ret == -EAGAIN); i++) {
		ret = proc_open(pid, &proc);
		if (!ret) {
			ret = maps_read(&proc, &maps);
			if (!ret)
				maps_free(&maps);
			proc_close(&proc);
		}
		read += !ret;
		busy += ret == -EAGAIN;
	}
	stop(pid);
	printf("# read %u times, busy %u times, then %d\n", read, busy, ret);
	CHECK(i == 2000 && read + busy == i && read);
	return true;
}
