/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Cases of a test program.  Each case runs in a process of its own, so that a crash or a hang
 * fails only this case.  A case passes when it returns.
 *
 * A failed check ends its process.  So a case that forks must check the status of its children
 * (test_wait()).
 */
#ifndef DEVPUB_TESTS_HARNESS_H
#define DEVPUB_TESTS_HARNESS_H

#include <devpub_check.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>

struct test_case {
	const char *name;
	/* The behaviour that a process may expect, as a sentence; may be NULL. */
	const char *expects;
	void (*run)(void);
	struct test_case *next;
};

void test_register(struct test_case *test);

#define TEST_CASE(fn, title, sentence)					\
	static void fn(void);						\
	static struct test_case case_##fn = {				\
		.name = title, .expects = sentence, .run = fn,		\
	};								\
	__attribute__((constructor)) static void register_##fn(void)	\
	{								\
		test_register(&case_##fn);				\
	}								\
	static void fn(void)

#define CASE(fn)	TEST_CASE(fn, #fn, NULL)

void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void test_skip(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void test_note(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#define FAIL(...)	test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...)	test_skip(__VA_ARGS__)

#define CHECK_FAIL	FAIL

/* Fork a child that is killed when the case ends.  Return as fork(). */
pid_t test_fork(void);

/* Wait for a child.  The case fails unless the child exited with 0. */
void test_wait(pid_t pid);

/* Kill a child.  The case fails if the child has ended before. */
void test_kill(pid_t pid);
/* The same for a child that another process kills. */
void test_wait_killed(pid_t pid);

/* A rendezvous of two processes. */
struct test_gate {
	int fd[2][2];
};

void test_gate_open(struct test_gate *gate);
/* Meet the other side.  Pass 0 in the parent and 1 in the child. */
void test_gate_signal(struct test_gate *gate, int self);
void test_gate_await(struct test_gate *gate, int self);

/* Return the state of a task as /proc/PID/stat names it ('R', 'S', 'D', 'Z'), 0 if it is gone. */
char test_task_state(pid_t tid);

/* Return @full with FULL=1, else @rounds. */
unsigned int test_rounds_of(unsigned int rounds, unsigned int full);
/* Return the number of rounds for tests that find more with more rounds; see FULL in run. */
unsigned int test_rounds(unsigned int rounds);

unsigned long long test_milliseconds(void);
void test_sleep(unsigned int milliseconds);

/* Text files with one value, as in sysfs. */
int test_read_value(const char *path, unsigned long long *value);
int test_write_text(const char *path, const char *text);
void test_read_text(const char *path, char *text, size_t size);
/* Return the value of a line "NAME VALUE", which must exist. */
unsigned long long test_counter(const char *path, const char *name);
/* Return the value of a line "name:   value kB" of a file, or -1. */
long long test_field(const char *path, const char *name);

#endif /* DEVPUB_TESTS_HARNESS_H */
