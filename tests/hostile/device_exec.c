// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* A mirror stays after exec().  It gives nobody access to the memory of the new program. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "user.h"

/* Memory at the same address in each program. */
#define SECRET_AT	((uint64_t *)0x200000000UL)
#define SECRET		0x5ec2e75ec2e7ULL
#define OWN		0x1111111111111111ULL
#define SET_UID		"/tmp/devpub-set-uid"

static void map_word(uint64_t value)
{
	uint64_t *word = mmap(SECRET_AT, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(word == SECRET_AT);
	*word = value;
}

/* The program that the next case executes with the rights of root. */
CASE(set_uid_program)
{
	const char *given = getenv("MIRROR_FDS");
	struct devpub_access arg;
	uint64_t got = 0;
	int fd, to, from;
	char byte;

	if (!given)
		SKIP("the case exec_of_a_set_uid_program executes this");
	CHECK_EQ(sscanf(given, "%d %d %d", &fd, &to, &from), 3);
	CHECK_EQ(geteuid(), 0);
	map_word(SECRET);
	arg = access_arg(DEVPUB_OP_READ, SECRET_AT, &got, 8);
	CHECK_EQ(access_try(fd, &arg), EPERM);
	CHECK_EQ(got, 0);
	CHECK_ERRNO(access_bind(fd, 0, 0), EBUSY);
	CHECK_EQ(write(to, "go", 2), 2);
	CHECK_EQ(read(from, &byte, 1), 1);
	CHECK_EQ(*SECRET_AT, SECRET);
}

static void install_set_uid(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(SET_UID, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat stat;

	CHECK_CALL(fstat(from, &stat));
	for (off_t left = stat.st_size; left;) {
		ssize_t n = sendfile(to, from, NULL, left);

		CHECK_CMP(n, >, 0);
		left -= n;
	}
	close(from);
	close(to);
	CHECK_CALL(chmod(SET_UID, 04755));
}

/* The mirror, and the pipes to the children, from them, and to the program. */
static struct {
	int fd, go[2], said[2], end[2];
} program;

/* Read and write through the inherited mirror.  Return the error of both, or -1. */
static int attack(uint64_t *got)
{
	uint64_t evil = 0xe511e511e511ULL;
	struct devpub_access arg = access_arg(DEVPUB_OP_READ, SECRET_AT, got, 8);
	int error = access_try(program.fd, &arg);

	arg = access_arg(DEVPUB_OP_WRITE, SECRET_AT, &evil, 8);
	return access_try(program.fd, &arg) == error ? error : -1;
}

/* A child that has the file, but not the memory. */
static void keep_file(void)
{
	pid_t pid = getppid();
	uint64_t got = 0;
	char byte;

	close(program.go[1]);
	if (read(program.go[0], &byte, 1) != 1)
		FAIL("the program has ended");
	CHECK_EQ(attack(&got), EPERM);
	CHECK_EQ(got, 0);
	CHECK_ERRNO(access_bind(program.fd, DEVPUB_BIND_PID, pid), EPERM);
	CHECK_ERRNO(access_bind(device_open(), DEVPUB_BIND_PID, pid), EPERM);
	CHECK_EQ(write(program.said[1], "k", 1), 1);
	_exit(0);
}

/*
 * A child that shares the memory from before exec(), and sees only that.  After
 * clone(CLONE_VM), it must not call more of libc than this.
 */
static int keep_memory(void *unused)
{
	uint64_t got = 0;
	char byte;

	(void)unused;
	close(program.go[1]);
	if (read(program.go[0], &byte, 1) == 1 && attack(&got) == 0 && got == OWN)
		write(program.said[1], "m", 1);
	_exit(0);
}

static void execute(void)
{
	static _Alignas(16) char stack[64 << 10];
	uint64_t got;
	char fds[48];
	pid_t pid;

	program.fd = access_open();
	CHECK_CALL(fcntl(program.fd, F_SETFD, 0));
	map_word(OWN);
	access_read(program.fd, SECRET_AT, &got, 8);
	CHECK_EQ(got, OWN);
	pid = fork();
	CHECK_CALL(pid);
	if (!pid)
		keep_file();
	CHECK_CALL(clone(keep_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	snprintf(fds, sizeof(fds), "%d %d %d", program.fd, program.go[1], program.end[0]);
	CHECK_CALL(setenv("MIRROR_FDS", fds, 1));
	CHECK_CALL(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1));
	execl(SET_UID, SET_UID, "set_uid_program", NULL);
	_exit(99);
}

/*
 * A set-uid program inherits a mirror of the memory from before exec().  Its new memory can be
 * accessed through this mirror neither by itself, nor by a child that has the file, nor by a
 * child that shares the old memory.
 */
CASE(exec_of_a_set_uid_program)
{
	char said[2];
	pid_t pid;

	user_admit();
	install_set_uid();
	CHECK_CALL(pipe(program.go));
	CHECK_CALL(pipe(program.said));
	CHECK_CALL(pipe(program.end));
	pid = user_fork(ATTACKER);
	if (!pid)
		execute();
	/* If the program ends, its children and this process read the end of the pipes. */
	close(program.go[1]);
	close(program.said[1]);
	for (int i = 0; i < 2; i++)
		if (read(program.said[0], &said[i], 1) != 1)
			FAIL("only %d of 2 children got the expected results", i);
	CHECK(said[0] != said[1]);
	CHECK_EQ(write(program.end[1], "", 1), 1);
	test_wait(pid);
	CHECK_CALL(unlink(SET_UID));
}
