// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: calls enter it before they use a device's memory and exit it afterwards.  The
 * task that drains the device closes the gate and waits until all calls are out.
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
 * Return: false when the gate is closed: the device drains, or has gone.
 */
bool devpub_gate_enter(struct devpub_gate *gate)
{
	/* Callers that try again and again must not keep @users above 0. */
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
 * devpub_gate_exit() - end what devpub_gate_enter() began
 * @gate: the gate; the caller's reference keeps its struct
 *
 * Context: any.
 */
void devpub_gate_exit(struct devpub_gate *gate)
{
	/*
	 * A full barrier on both sides: the use of the memory comes before it, and the
	 * read of @closer after it.  A task that closes the gate reads @users after
	 * that, so it sees that this call has ended, or is woken here.
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
 * devpub_gate_is_closed() - must the caller get out?
 * @gate: the gate
 *
 * The task that has closed the gate may stay inside, unless it was closed for good
 * meanwhile.
 *
 * Context: process context.
 * Return: true when the caller must get out.
 */
bool devpub_gate_is_closed(const struct devpub_gate *gate)
{
	const struct task_struct *closer = READ_ONCE(gate->closer);

	return closer && closer != current;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_is_closed);

/**
 * devpub_gate_is_closed_for_good() - will the gate never open again?
 * @gate: the gate
 *
 * Context: any.
 * Return: true when it will not.
 */
bool devpub_gate_is_closed_for_good(const struct devpub_gate *gate)
{
	return READ_ONCE(gate->closer) == GATE_CLOSED_FOR_GOOD;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_gate_is_closed_for_good);

/**
 * devpub_gate_close() - close the gate and wait until all others are out
 * @gate: the gate; the caller is inside
 *
 * The caller opens it again by devpub_gate_open(), also when this fails.
 *
 * Context: process context; sleeps interruptibly.
 * Return: 0; -EINTR; -ENODEV when somebody else has closed the gate.
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
 * devpub_gate_close_for_good() - let nobody in any more
 * @gate: the gate
 *
 * Does not wait for those inside.
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
 * devpub_gate_wait() - wait until nobody is inside a closed gate
 * @gate: the gate
 * @timeout: jiffies
 *
 * Context: process context.  Sleeps in TASK_IDLE: the hung task detector would take D
 * state for a bug.
 * Return: false after the timeout.
 */
bool devpub_gate_wait(struct devpub_gate *gate, unsigned long timeout)
{
	return wait_event_idle_timeout(gate->changed, !atomic_read(&gate->users),
				       timeout);
}
