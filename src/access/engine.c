// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The engine: a device's threads, which execute operations through mirrors.
 *
 * The engine waits for nothing that a process can hold up: neither for user memory, nor for
 * mmap_lock, nor for the memory allocator.  When the mirror lacks an entry, the engine gives
 * the operation back to its submitter.  That task resolves the fault by itself and submits
 * the operation again, as the fault handler of a driver does for a device.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "access/engine.h"
#include "access/mirror.h"
#include "engine/gate.h"
#include "export.h"

/* Number of channels of a device that get their slices at the same time. */
#define ENGINE_THREADS	4

/* Attempts without progress that a signal does not interrupt. */
#define EXECUTE_TRIES	8

/**
 * devpub_engine_init() - set up the engine of a device
 * @engine: the engine
 * @gate: the device's gate
 * @index: the device's number
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int devpub_engine_init(struct devpub_engine *engine, struct devpub_gate *gate,
		       unsigned int index)
{
	engine->gate = gate;
	engine->queue = alloc_workqueue("devpub%u_engine", WQ_UNBOUND, ENGINE_THREADS, index);
	return engine->queue ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_engine_init);

/**
 * devpub_engine_destroy() - undo devpub_engine_init()
 * @engine: the engine, which has no channel any more; or one whose init has failed
 *
 * Context: process context, may sleep.
 */
void devpub_engine_destroy(struct devpub_engine *engine)
{
	if (engine->queue)
		destroy_workqueue(engine->queue);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_engine_destroy);

/* Take the first operation off the list. */
static struct devpub_operation *channel_take(struct devpub_channel *channel)
{
	struct devpub_operation *operation;

	spin_lock(&channel->lock);
	operation = list_first_entry_or_null(&channel->operations, struct devpub_operation,
					     list);
	if (operation)
		list_del_init(&operation->list);
	spin_unlock(&channel->lock);
	return operation;
}

/* Put the operation at the end of the list if it goes on, or give it back to its submitter. */
static void channel_give_back(struct devpub_channel *channel,
			      struct devpub_operation *operation)
{
	bool more;

	spin_lock(&channel->lock);
	if (operation->state == DEVPUB_OPERATION_MORE && !operation->single)
		list_add_tail(&operation->list, &channel->operations);
	else
		complete(&operation->ended);
	more = !list_empty(&channel->operations);
	spin_unlock(&channel->lock);
	/* At the end of the queue, behind the other channels. */
	if (more)
		queue_work(channel->engine->queue, &channel->work);
}

static void channel_work(struct work_struct *work)
{
	struct devpub_channel *channel = container_of(work, struct devpub_channel, work);
	struct devpub_operation *operation = channel_take(channel);

	if (!operation)
		return;
	if (devpub_gate_enter(channel->engine->gate)) {
		devpub_operation_slice(operation, channel->mirror);
		devpub_gate_exit(channel->engine->gate);
	} else {
		operation->state = DEVPUB_OPERATION_GONE;
	}
	channel_give_back(channel, operation);
}

/**
 * devpub_channel_create() - create a channel with an empty mirror
 * @engine: the engine, which outlives the channel
 * @mm: the memory to access, as in devpub_mirror_create()
 *
 * Context: process context; waits killably for mmap_lock.
 * Return: the channel, or an ERR_PTR() of devpub_mirror_create().
 */
struct devpub_channel *devpub_channel_create(struct devpub_engine *engine,
					     struct mm_struct *mm)
{
	struct devpub_channel initial = { .engine = engine }, *channel;

	initial.mirror = devpub_mirror_create(mm);
	if (IS_ERR(initial.mirror))
		return ERR_CAST(initial.mirror);
	channel = kmemdup(&initial, sizeof(initial), GFP_KERNEL_ACCOUNT);
	if (!channel) {
		devpub_mirror_destroy(initial.mirror);
		return ERR_PTR(-ENOMEM);
	}
	INIT_WORK(&channel->work, channel_work);
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->operations);
	return channel;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_channel_create);

/**
 * devpub_channel_destroy() - destroy a channel and release its mirror
 * @channel: the channel, in which no operation is in progress; or NULL
 *
 * Context: process context, may sleep for the time that the engine needs for a slice.
 */
void devpub_channel_destroy(struct devpub_channel *channel)
{
	if (!channel)
		return;
	/* A cancelled operation may have left it in the queue. */
	cancel_work_sync(&channel->work);
	devpub_mirror_release(channel->mirror);
	kfree(channel);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_channel_destroy);

/*
 * Take back an operation.  If the engine executes a slice of it, this waits for the end of
 * the slice, which is near: nothing that a process does can hold it up.
 */
static void channel_cancel(struct devpub_channel *channel,
			   struct devpub_operation *operation)
{
	bool idle;

	spin_lock(&channel->lock);
	idle = !list_empty(&operation->list);
	if (idle)
		list_del_init(&operation->list);
	operation->single = true;
	spin_unlock(&channel->lock);
	if (!idle)
		wait_for_completion(&operation->ended);
}

/*
 * Let the engine execute the operation until it faults or ends, or for one slice only.  A
 * signal ends the wait, but only a fatal one that for one slice.  Returns 0 or -EINTR, in
 * which case the operation may have ended all the same.
 */
static int channel_submit(struct devpub_channel *channel,
			  struct devpub_operation *operation, bool single)
{
	int ret;

	reinit_completion(&operation->ended);
	operation->single = single;
	spin_lock(&channel->lock);
	list_add_tail(&operation->list, &channel->operations);
	spin_unlock(&channel->lock);
	queue_work(channel->engine->queue, &channel->work);

	ret = single ? wait_for_completion_killable(&operation->ended) :
		       wait_for_completion_interruptible(&operation->ended);
	if (!ret)
		return 0;
	channel_cancel(channel, operation);
	return -EINTR;
}

/* Handle the end of a slice.  Returns -EAGAIN when the operation goes on. */
static int channel_slice_ended(struct devpub_channel *channel,
			       struct devpub_operation *operation)
{
	int ret;

	switch (operation->state) {
	case DEVPUB_OPERATION_MORE:
		return -EAGAIN;
	case DEVPUB_OPERATION_DONE:
		return 0;
	case DEVPUB_OPERATION_FAULT:
		ret = devpub_mirror_fault(channel->mirror, operation->fault_addr,
					  operation->length - operation->done,
					  operation->fault_write);
		if (ret)
			return ret;
		operation->faults++;
		return -EAGAIN;
	case DEVPUB_OPERATION_POISON:
		return -EHWPOISON;
	case DEVPUB_OPERATION_GONE:
	default:
		return -ENODEV;
	}
}

/**
 * devpub_channel_execute() - let the engine execute an operation
 * @channel: the channel
 * @operation: the operation, which devpub_operation_check() has found valid
 *
 * However this ends, the first @done bytes of the operation are complete, and no other byte
 * has changed.  A signal does not end it before there is some progress, unless a fault waits.
 *
 * Context: process context; holds no lock, and is not in a gate.  Waits for the engine, and
 * as devpub_mirror_fault() does.
 * Return: 0; -ENODEV when the gate is closed; -EHWPOISON; or an error of
 * devpub_mirror_fault().
 */
int devpub_channel_execute(struct devpub_channel *channel,
			   struct devpub_operation *operation)
{
	unsigned int tries = 0;
	bool single;
	int ret;

	init_completion(&operation->ended);
	INIT_LIST_HEAD(&operation->list);
	operation->state = DEVPUB_OPERATION_MORE;
	atomic_inc(&channel->mirror->users);
	do {
		single = !operation->done && tries++ < EXECUTE_TRIES;
		if (!single && signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		ret = 0;
		/* Resolving a miss at once spares the engine a slice that does nothing. */
		if (devpub_gate_is_closed(channel->engine->gate) ||
		    !devpub_operation_misses(operation, channel->mirror))
			ret = channel_submit(channel, operation, single);
		if (!ret || operation->state == DEVPUB_OPERATION_DONE)
			ret = channel_slice_ended(channel, operation);
	} while (ret == -EAGAIN);
	atomic_dec(&channel->mirror->users);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_channel_execute);
