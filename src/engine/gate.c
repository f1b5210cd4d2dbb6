// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The gate: calls enter it before they use a device's memory and exit it afterwards.  The
 * task that drains the device closes the gate and waits until all other calls have exited.
 */
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "engine/gate.h"
#include "export.h"

#define GATE_CLOSED_FOR_GOOD	((struct task_struct *)1UL)

/**
 * devpub_gate_init() - set up a gate that is open
 * @gate: the gate
 */
void devpub_gate_init(struct devpub_gate *gate)
{
	atomic_set(&gate->users, 0);
	gate->closer = NULL;
	init_waitqueue_head(&gate->changed);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_init);

/**
 * devpub_gate_enter() - begin to use a device's memory
 * @gate: the device's gate
 *
 * Until devpub_gate_exit(), the pagemap stays registered.  The task that drains the device
 * waits for the exit, so the caller must not wait for user space in between.
 *
 * Context: any.
 * Return: false when the gate is closed: the device is draining, or is removed.
 */
bool devpub_gate_enter(struct devpub_gate *gate)
{
	/* Check first, so that callers that retry in a loop do not keep @users above 0. */
	if (READ_ONCE(gate->closer))
		return false;
	atomic_inc(&gate->users);
	/*
	 * Pairs with the full barriers of cmpxchg() in devpub_gate_close() and of xchg() in
	 * devpub_gate_close_for_good().  Both close the gate before they read @users:
	 * either this call sees the gate closed, or the closer sees this call.
	 */
	smp_mb__after_atomic();
	if (likely(!READ_ONCE(gate->closer)))
		return true;
	devpub_gate_exit(gate);
	return false;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_enter);

/**
 * devpub_gate_exit() - end the use of a device's memory
 * @gate: the gate; the caller holds a reference to the device that contains it
 *
 * Context: any.
 */
void devpub_gate_exit(struct devpub_gate *gate)
{
	/*
	 * atomic_dec_return() is a full barrier: the use of the memory is ordered before the
	 * decrement, and the read of @closer after it.  A task that closes the gate reads
	 * @users after it has set @closer.  So it sees the decrement, or is woken here.
	 */
	atomic_dec_return(&gate->users);
	if (READ_ONCE(gate->closer))
		wake_up_all(&gate->changed);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_exit);

/**
 * devpub_gate_users() - count the calls inside
 * @gate: the gate
 *
 * Context: any.
 * Return: the number of calls, which may be outdated at once.
 */
unsigned int devpub_gate_users(const struct devpub_gate *gate)
{
	return atomic_read(&gate->users);
}

/**
 * devpub_gate_is_closed() - check if the gate is closed for the calling task
 * @gate: the gate
 *
 * The gate is not closed for the task that has closed it, unless it was closed for good
 * since.
 *
 * Context: process context.
 * Return: true if the caller must exit the gate.
 */
bool devpub_gate_is_closed(const struct devpub_gate *gate)
{
	const struct task_struct *closer = READ_ONCE(gate->closer);

	return closer && closer != current;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_is_closed);

/**
 * devpub_gate_is_closed_for_good() - check if the gate will never open again
 * @gate: the gate
 *
 * Context: any.
 * Return: true if it will never open again.
 */
bool devpub_gate_is_closed_for_good(const struct devpub_gate *gate)
{
	return READ_ONCE(gate->closer) == GATE_CLOSED_FOR_GOOD;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_is_closed_for_good);

/**
 * devpub_gate_close() - close the gate and wait until all other calls have exited
 * @gate: the gate; the caller is inside
 *
 * The caller reopens the gate by devpub_gate_open(), also when this fails.
 *
 * Context: process context; sleeps interruptibly.
 * Return: 0; -EINTR; -ENODEV when another task has closed the gate.
 */
int devpub_gate_close(struct devpub_gate *gate)
{
	if (cmpxchg(&gate->closer, NULL, current))
		return -ENODEV;
	if (wait_event_interruptible(gate->changed,
				     atomic_read(&gate->users) == 1 ||
				     devpub_gate_is_closed(gate)))
		return -EINTR;
	return devpub_gate_is_closed(gate) ? -ENODEV : 0;
}

/**
 * devpub_gate_open() - undo devpub_gate_close()
 * @gate: the gate.  It stays closed when another task has closed it
 *
 * Context: the task that called devpub_gate_close().
 */
void devpub_gate_open(struct devpub_gate *gate)
{
	cmpxchg(&gate->closer, current, NULL);
}

/**
 * devpub_gate_close_for_good() - close the gate so that it never opens again
 * @gate: the gate
 *
 * Does not wait for the calls inside.
 *
 * Context: any.
 */
void devpub_gate_close_for_good(struct devpub_gate *gate)
{
	/* A full barrier: see devpub_gate_enter(). */
	xchg(&gate->closer, GATE_CLOSED_FOR_GOOD);
	wake_up_all(&gate->changed);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_close_for_good);

/**
 * devpub_gate_wait() - wait until no call is inside a closed gate
 * @gate: the gate
 * @timeout: maximum time to wait, in jiffies
 *
 * Context: process context.  Sleeps in TASK_IDLE, because the hung task detector reports
 * tasks in D state.
 * Return: false after the timeout.
 */
bool devpub_gate_wait(struct devpub_gate *gate, unsigned long timeout)
{
	return wait_event_idle_timeout(gate->changed, !atomic_read(&gate->users),
				       timeout);
}
