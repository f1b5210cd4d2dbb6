// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Ordinary users, as which attackers and victims run. */
#include <glob.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "user.h"

void user_admit(void)
{
	glob_t nodes;

	if (glob("/dev/devpub[0-9]*", 0, NULL, &nodes))
		FAIL("there is no /dev/devpubN");
	for (size_t i = 0; i < nodes.gl_pathc; i++)
		CHECK_CALL(chmod(nodes.gl_pathv[i], 0666));
	globfree(&nodes);
}

void user_become(uid_t uid)
{
	CHECK_CALL(setgroups(0, NULL));
	CHECK_CALL(setresgid(uid, uid, uid));
	CHECK_CALL(setresuid(uid, uid, uid));
	/* A change of credentials makes a process undumpable. */
	CHECK_CALL(prctl(PR_SET_DUMPABLE, 1));
}

pid_t user_fork(uid_t uid)
{
	pid_t parent = getpid(), pid = test_fork();

	if (!pid) {
		user_become(uid);
		/* A change of credentials also resets the parent death signal. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}
