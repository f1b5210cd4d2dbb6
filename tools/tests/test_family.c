// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of finding and following the descendants of this process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"
#include "family.h"
#include "follow.h"

#include "../../lib/internal.h"

#define GENERATIONS	300

/* Create a chain of processes, each the child of the previous one. */
static void have_children(void)
{
	int i, done[2];
	pid_t pid;
	char byte;

	if (pipe(done))
		_exit(1);
	for (i = 0; i < GENERATIONS; i++) {
		pid = fork();
		if (pid < 0)
			_exit(1);
		if (pid) {
			if (i)
				pause();
			/* The last process reports that it is ready. */
			if (read(done[0], &byte, 1) != 1)
				_exit(1);
			return;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	if (write(done[1], "", 1) != 1)
		_exit(1);
	pause();
}

bool deep_family(void)
{
	const pid_t pid = start(have_children);
	struct rlimit limit, few;
	struct family family;
	int until[2], ret;
	size_t i, n;

	CHECK(!pipe(until) && !getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = until[1] + 12;
	setrlimit(RLIMIT_NOFILE, &few);
	ret = family_find(&family, until[0]);
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK(!ret);
	n = family.n;
	for (i = 1; i < n; i++)
		CHECK(family.member[i - 1].pid < family.member[i].pid);
	family_free(&family);
	printf("# %zu\n", n);
	CHECK(n == GENERATIONS + 1);

	few.rlim_cur = until[1] + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	ret = family_find(&family, until[0]);
	setrlimit(RLIMIT_NOFILE, &limit);
	family_free(&family);
	CHECK(ret == -EMFILE);
	stop(pid);
	close(until[0]);
	close(until[1]);
	return true;
}

/* Simulate that the known process has ended, and that another has its number. */
bool number_used_again(void)
{
	const pid_t pid = start(be_named);
	struct devpub none = { .fd = open("/dev/null", O_RDWR | O_CLOEXEC), .page_size = 4096 };
	struct follow follow = { .dev = &none };
	struct member other;
	struct proc proc;
	int until[2];

	CHECK(!pipe(until));
	follow_round(&follow, until[0]);
	CHECK(follow.n == 1 && follow.processes == 1);
	follow_round(&follow, until[0]);
	CHECK(follow.n == 1 && follow.processes == 1);
	CHECK(!family_open(&follow.list[0].member, &proc));
	proc_close(&proc);

	follow.list[0].member.started--;
	other = follow.list[0].member;
	CHECK(family_open(&other, &proc) == -ESRCH);
	follow_round(&follow, until[0]);
	CHECK(follow.n == 1 && follow.processes == 2);
	CHECK(follow.list[0].member.pid == pid);
	CHECK(follow.list[0].member.started == other.started + 1);
	/* This file is not a device. */
	CHECK(follow.error == -ENOTTY);
	stop(pid);
	follow_round(&follow, until[0]);
	CHECK(!follow.n);
	follow_end(&follow);
	close(none.fd);
	close(until[0]);
	close(until[1]);
	return true;
}
