// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* engine: operations and their execution in slices (src/access/engine.c, operation.c). */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>

#include <linux/devpub.h>

#include "access/engine.h"
#include "access/mirror.h"
#include "engine/gate.h"
#include "fixture.h"
#include "spy_access.h"
#include "user.h"

#define ENGINE_PAGES	8UL

/* More than a slice of memory for an operation that takes several. */
#define ENGINE_LONG	(3 * DEVPUB_OPERATION_SLICE + PAGE_SIZE)

#define ENGINE_SOON	msecs_to_jiffies(60000)

/**
 * struct engine_fixture - an engine with a gate of its own, a process and its channel
 * @test:	the case
 * @gate:	the gate
 * @engine:	the engine
 * @user:	the process
 * @channel:	the channel
 * @addr:	memory of the process, writable
 * @spy:	the spy
 * @slices:	number of slices that have begun
 * @act_at:	number of a slice (1, 2, ...), negated to act at its end instead of its start
 * @act:	called at @act_at
 * @thread:	the thread that executes an operation, if not the test's
 * @operation:	the operation of the slice
 * @order:	length of the operation of each slice
 */
struct engine_fixture {
	struct kunit *test;
	struct devpub_gate gate;
	struct devpub_engine engine;
	struct devpub_user *user;
	struct devpub_channel *channel;
	unsigned long addr;
	struct devpub_spy_access spy;
	int slices;
	int act_at;
	void (*act)(struct engine_fixture *fix);
	struct task_struct *thread;
	struct devpub_operation *operation;
	unsigned long order[32];
};

static void engine_look(struct devpub_spy_access *spy, enum devpub_access_moment moment,
			struct devpub_operation *operation)
{
	struct engine_fixture *fix = container_of(spy, struct engine_fixture, spy);

	if (moment == DEVPUB_BEFORE_SLICE) {
		fix->operation = operation;
		if (fix->slices < ARRAY_SIZE(fix->order))
			fix->order[fix->slices] = operation->length;
		if (++fix->slices == fix->act_at)
			fix->act(fix);
	} else if (moment == DEVPUB_AFTER_SLICE && fix->slices == -fix->act_at) {
		fix->act(fix);
	}
}

static struct engine_fixture *engine_begin(struct kunit *test, unsigned long npages)
{
	struct engine_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	fix->spy.look = engine_look;
	fix->user = devpub_user_start(test);
	fix->addr = devpub_user_mmap(test, fix->user, npages, PROT_READ | PROT_WRITE);
	devpub_gate_init(&fix->gate);
	KUNIT_ASSERT_EQ(test, devpub_engine_init(&fix->engine, &fix->gate, 99), 0);
	fix->channel = devpub_channel_create(&fix->engine, fix->user->mm);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fix->channel));
	devpub_spy_set_access(&fix->spy);
	return fix;
}

static void engine_end(struct engine_fixture *fix)
{
	devpub_spy_set_access(NULL);
	KUNIT_EXPECT_EQ(fix->test, atomic_read(&fix->channel->mirror->users), 0);
	KUNIT_EXPECT_EQ(fix->test, atomic_read(&fix->gate.users), 0);
	devpub_channel_destroy(fix->channel);
	devpub_engine_destroy(&fix->engine);
}

static int engine_execute(struct engine_fixture *fix, struct devpub_operation *operation)
{
	KUNIT_EXPECT_EQ(fix->test, devpub_operation_check(operation, TASK_SIZE), 0);
	return devpub_channel_execute(fix->channel, operation);
}

static int engine_fill(struct engine_fixture *fix, unsigned long at, unsigned long n, u64 value,
		       unsigned long *done)
{
	struct devpub_operation operation = {
		.op = DEVPUB_OP_FILL, .addr = fix->addr + at, .length = n, .operand = value,
	};
	int ret = engine_execute(fix, &operation);

	*done = operation.done;
	return ret;
}

static u64 engine_word(struct engine_fixture *fix, unsigned long at)
{
	u64 value = 0xbad;

	KUNIT_EXPECT_EQ(fix->test, devpub_user_read(fix->user, fix->addr + at, &value), 0);
	return value;
}

static void act_discard(struct engine_fixture *fix)
{
	devpub_user_call(fix->user, __NR_madvise, fix->addr, PAGE_SIZE, MADV_DONTNEED);
}

static void act_unmap_second(struct engine_fixture *fix)
{
	devpub_user_call(fix->user, __NR_munmap, fix->addr + PAGE_SIZE, PAGE_SIZE);
}

static void act_close_gate(struct engine_fixture *fix)
{
	devpub_gate_close_for_good(&fix->gate);
}

/* Send a signal, and wait until the thread cancels the operation. */
static void act_signal(struct engine_fixture *fix)
{
	unsigned long end = jiffies + ENGINE_SOON;

	send_sig(SIGUSR1, fix->thread, 1);
	while (!READ_ONCE(fix->operation->single) && time_before(jiffies, end))
		schedule_timeout_idle(1);
}

/* Data operations over a page border, at odd addresses. */
static void engine_data(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_PAGES);
	unsigned long at = PAGE_SIZE - 5, done;
	char text[] = "coherent memory", back[sizeof(text)] = "";
	struct devpub_operation operation = {
		.op = DEVPUB_OP_WRITE, .addr = fix->addr + at, .length = sizeof(text),
		.buffer = text,
	};

	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_EQ(test, operation.done, sizeof(text));
	KUNIT_EXPECT_EQ(test, operation.faults, 2ULL);

	operation = (struct devpub_operation){
		.op = DEVPUB_OP_COPY, .addr = fix->addr + 3 * PAGE_SIZE - 9,
		.other = fix->addr + at, .length = sizeof(text),
	};
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	operation = (struct devpub_operation){
		.op = DEVPUB_OP_READ, .addr = fix->addr + 3 * PAGE_SIZE - 9,
		.length = sizeof(text), .buffer = back,
	};
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_STREQ(test, back, text);

	operation = (struct devpub_operation){
		.op = DEVPUB_OP_COMPARE, .addr = fix->addr + at,
		.other = fix->addr + 3 * PAGE_SIZE - 9, .length = sizeof(text),
	};
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_EQ(test, operation.done, sizeof(text));

	/* One byte more differs. */
	KUNIT_EXPECT_EQ(test, engine_fill(fix, at + sizeof(text), 1, ~0ULL, &done), 0);
	operation.done = 0;
	operation.length += 2;
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_EQ(test, operation.done, sizeof(text));
	engine_end(fix);
}

/* The pattern depends on the address, not on where a fill begins. */
static void engine_pattern(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_PAGES);
	const u64 pattern = 0x0807060504030201ULL;
	unsigned long start, n, done;

	for (start = 0; start < 9; start++) {
		for (n = 1; n < 20; n++) {
			unsigned long base = PAGE_SIZE - 8, i;
			u8 bytes[40];
			struct devpub_operation read = {
				.op = DEVPUB_OP_READ, .addr = fix->addr + base, .length = 40,
				.buffer = bytes,
			};

			KUNIT_EXPECT_EQ(test, engine_fill(fix, base, 40, 0, &done), 0);
			KUNIT_EXPECT_EQ(test, engine_fill(fix, base + start, n, pattern, &done), 0);
			KUNIT_EXPECT_EQ(test, done, n);
			KUNIT_EXPECT_EQ(test, engine_execute(fix, &read), 0);
			for (i = 0; i < 40; i++)
				KUNIT_ASSERT_EQ(test, (unsigned long)bytes[i],
						i >= start && i < start + n ? i % 8 + 1 : 0);
		}
	}
	engine_end(fix);
}

static void engine_atomics(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_PAGES);
	static const struct {
		unsigned int op, length;
		u64 before, operand, compare, result, after;
	} rows[] = {
		{ DEVPUB_OP_ADD, 8, -1ULL, 2, 0, -1ULL, 1 },
		{ DEVPUB_OP_ADD, 4, 0x11ffffffff, 2, 0, 0xffffffff, 0x1100000001 },
		{ DEVPUB_OP_EXCHANGE, 8, 5, -2ULL, 0, 5, -2ULL },
		{ DEVPUB_OP_EXCHANGE, 4, 0x1180000000, 7, 0, 0x80000000, 0x1100000007 },
		{ DEVPUB_OP_COMPARE_EXCHANGE, 8, 5, 6, 5, 5, 6 },
		{ DEVPUB_OP_COMPARE_EXCHANGE, 8, 5, 6, 4, 5, 5 },
		{ DEVPUB_OP_COMPARE_EXCHANGE, 4, 0x1180000000, 9, 0x80000000, 0x80000000,
		  0x1100000009 },
		{ DEVPUB_OP_COMPARE_EXCHANGE, 4, 0x1180000000, 9, 1, 0x80000000, 0x1180000000 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct devpub_operation operation = {
			.op = rows[i].op, .addr = fix->addr + 16, .length = rows[i].length,
			.operand = rows[i].operand, .compare = rows[i].compare,
		};

		KUNIT_EXPECT_EQ(test, devpub_user_write(fix->user, fix->addr + 16,
							rows[i].before), 0);
		KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
		KUNIT_EXPECT_EQ(test, operation.done, (unsigned long)rows[i].length);
		KUNIT_EXPECT_EQ_MSG(test, operation.result, rows[i].result, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, engine_word(fix, 16), rows[i].after, "row %d", i);
	}
	engine_end(fix);
}

/* An operation stops exactly at the first byte that can't be accessed. */
static void engine_fault(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_PAGES);
	struct devpub_operation operation = {
		.op = DEVPUB_OP_FILL, .addr = fix->addr + 8, .length = 2 * PAGE_SIZE,
		.operand = 5,
	};

	act_unmap_second(fix);
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), -EFAULT);
	KUNIT_EXPECT_EQ(test, operation.done, PAGE_SIZE - 8);
	KUNIT_EXPECT_EQ(test, operation.fault_addr, fix->addr + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, operation.fault_write);
	KUNIT_EXPECT_EQ(test, engine_word(fix, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, engine_word(fix, 8), 5ULL);
	engine_end(fix);
}

/* The page is discarded just before the engine uses it. */
static void engine_invalidated(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_PAGES);
	struct devpub_operation operation = {
		.op = DEVPUB_OP_ADD, .addr = fix->addr, .length = 8, .operand = 1,
	};

	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_EQ(test, engine_word(fix, 0), 1ULL);
	fix->act = act_discard;
	fix->act_at = fix->slices + 1;
	operation.done = 0;
	operation.faults = 0;
	KUNIT_EXPECT_EQ(test, engine_execute(fix, &operation), 0);
	KUNIT_EXPECT_EQ(test, operation.faults, 1ULL);
	KUNIT_EXPECT_EQ(test, operation.result, 0ULL);
	KUNIT_EXPECT_EQ(test, engine_word(fix, 0), 1ULL);
	engine_end(fix);
}

/* Begin with enough pages for a long operation, all of them in the mirror. */
static struct engine_fixture *engine_begin_long(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin(test, ENGINE_LONG / PAGE_SIZE);
	unsigned long done;

	KUNIT_ASSERT_EQ(test, engine_fill(fix, 0, ENGINE_LONG, 1, &done), 0);
	KUNIT_ASSERT_EQ(test, done, ENGINE_LONG);
	fix->slices = 0;
	return fix;
}

/* Expect that an interrupted fill has written the word before @done, and not that behind. */
static void engine_expect_partial(struct engine_fixture *fix, unsigned long done)
{
	KUNIT_EXPECT_GT(fix->test, done, 0UL);
	KUNIT_EXPECT_LT(fix->test, done, ENGINE_LONG);
	KUNIT_EXPECT_EQ(fix->test, engine_word(fix, done - 8), 2ULL);
	KUNIT_EXPECT_EQ(fix->test, engine_word(fix, done), 1ULL);
}

static void engine_slices(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin_long(test);
	unsigned long done;

	KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, ENGINE_LONG, 2, &done), 0);
	KUNIT_EXPECT_EQ(test, fix->slices, 4);
	KUNIT_EXPECT_EQ(test, engine_word(fix, ENGINE_LONG - 8), 2ULL);
	engine_end(fix);
}

/* The gate closes during the operation, as when the device is removed. */
static void engine_gate_closes(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin_long(test);
	unsigned long done;

	fix->act = act_close_gate;
	fix->act_at = 2;
	KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, ENGINE_LONG, 2, &done), -ENODEV);
	KUNIT_EXPECT_EQ(test, done, 2 * DEVPUB_OPERATION_SLICE);
	engine_expect_partial(fix, done);
	KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, 8, 3, &done), -ENODEV);
	KUNIT_EXPECT_EQ(test, done, 0UL);
	engine_end(fix);
}

/**
 * struct engine_task - an operation in a thread of its own
 * @fix:	the fixture
 * @operation:	the operation
 * @started:	completed when the thread runs
 * @ended:	completed when the operation has ended
 * @ret:	its result
 */
struct engine_task {
	struct engine_fixture *fix;
	struct devpub_operation operation;
	struct completion started;
	struct completion ended;
	int ret;
};

static int engine_thread(void *data)
{
	struct engine_task *task = data;

	allow_signal(SIGUSR1);
	task->fix->thread = current;
	complete(&task->started);
	task->ret = devpub_channel_execute(task->fix->channel, &task->operation);
	complete(&task->ended);
	return 0;
}

/* Start to fill all of the memory with 2. */
static struct engine_task *engine_start_long(struct engine_fixture *fix)
{
	struct engine_task *task = kunit_kzalloc(fix->test, sizeof(*task), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fix->test, task);
	task->operation = (struct devpub_operation){
		.op = DEVPUB_OP_FILL, .addr = fix->addr, .length = ENGINE_LONG, .operand = 2,
	};
	init_completion(&task->started);
	init_completion(&task->ended);
	task->fix = fix;
	KUNIT_ASSERT_FALSE(fix->test, IS_ERR(kthread_run(engine_thread, task, "devpub_kunit")));
	wait_for_completion(&task->started);
	return task;
}

/* A signal ends the operation after the slice, and the results are exact. */
static void engine_signal(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin_long(test);
	struct engine_task *task;

	fix->act = act_signal;
	fix->act_at = 2;
	task = engine_start_long(fix);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&task->ended, ENGINE_SOON), 0UL);
	KUNIT_EXPECT_EQ(test, task->ret, -EINTR);
	KUNIT_EXPECT_LE(test, fix->slices, 3);
	KUNIT_EXPECT_EQ(test, task->operation.done, fix->slices * DEVPUB_OPERATION_SLICE);
	engine_expect_partial(fix, task->operation.done);
	engine_end(fix);
}

static void act_await_other(struct engine_fixture *fix)
{
	unsigned long end = jiffies + ENGINE_SOON;
	bool waits = false;

	while (!waits && time_before(jiffies, end)) {
		schedule_timeout_uninterruptible(1);
		spin_lock(&fix->channel->lock);
		waits = !list_empty(&fix->channel->operations);
		spin_unlock(&fix->channel->lock);
	}
}

/* An operation that is submitted during a long one gets its slice before the next of that. */
static void engine_turns(struct kunit *test)
{
	struct engine_fixture *fix = engine_begin_long(test);
	struct engine_task *task;
	unsigned long done;

	fix->act = act_await_other;
	fix->act_at = 2;
	task = engine_start_long(fix);
	while (READ_ONCE(fix->slices) < 2)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, 8, 7, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 8UL);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&task->ended, ENGINE_SOON), 0UL);
	KUNIT_EXPECT_EQ(test, task->ret, 0);
	KUNIT_EXPECT_EQ(test, fix->order[1], ENGINE_LONG);
	KUNIT_EXPECT_EQ(test, fix->order[2], 8UL);
	KUNIT_EXPECT_EQ(test, fix->order[3], ENGINE_LONG);
	engine_end(fix);
}

/* Remove process, device and file in each order. */
static void engine_teardown(struct kunit *test)
{
	static const char orders[][4] = { "pdf", "pfd", "dpf", "dfp", "fpd", "fdp" };
	struct engine_fixture *fix;
	unsigned long done;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		fix = engine_begin(test, 1);
		KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, 8, 1, &done), 0);
		for (j = 0; j < 3; j++) {
			switch (orders[i][j]) {
			case 'p':
				devpub_user_stop(test, fix->user);
				if (fix->channel && !devpub_gate_is_closed(&fix->gate))
					KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, 8, 1, &done),
							-ESRCH);
				break;
			case 'd':
				devpub_gate_close_for_good(&fix->gate);
				if (fix->channel)
					KUNIT_EXPECT_EQ(test, engine_fill(fix, 0, 8, 1, &done),
							-ENODEV);
				break;
			default:
				devpub_channel_destroy(fix->channel);
				fix->channel = NULL;
			}
		}
		devpub_spy_set_access(NULL);
		KUNIT_EXPECT_EQ(test, atomic_read(&fix->gate.users), 0);
		devpub_engine_destroy(&fix->engine);
	}
}

static struct kunit_case engine_cases[] = {
	KUNIT_CASE(engine_data),
	KUNIT_CASE(engine_pattern),
	KUNIT_CASE(engine_atomics),
	KUNIT_CASE(engine_fault),
	KUNIT_CASE(engine_invalidated),
	KUNIT_CASE(engine_slices),
	KUNIT_CASE(engine_gate_closes),
	KUNIT_CASE(engine_signal),
	KUNIT_CASE(engine_turns),
	KUNIT_CASE(engine_teardown),
	{}
};

struct kunit_suite devpub_engine_suite = {
	.name		= "devpub_engine",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= engine_cases,
};
