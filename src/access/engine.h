/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_ENGINE_H
#define DEVPUB_ENGINE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "access/operation.h"

struct devpub_gate;
struct devpub_mirror;
struct mm_struct;

/**
 * struct devpub_engine - the part of a device that executes operations
 * @gate:	the device's gate; the engine enters it for each slice
 * @queue:	the threads of the device
 */
struct devpub_engine {
	struct devpub_gate *gate;
	struct workqueue_struct *queue;
};

/**
 * struct devpub_channel - the operations of one open file
 * @engine:	the engine that executes them
 * @mirror:	the memory that they access; the channel owns it
 * @work:	executes a slice of the first operation, and moves that to the end of the list
 * @lock:	protects @operations and the end of operations
 * @operations:	the operations, in the order in which they get their slices
 *
 * The engine executes one slice of a channel at a time, and gives channels their slices in
 * turn.
 */
struct devpub_channel {
	struct devpub_engine *engine;
	struct devpub_mirror *mirror;
	struct work_struct work;
	spinlock_t lock; /* protects operations and their end */
	struct list_head operations;
};

int devpub_engine_init(struct devpub_engine *engine, struct devpub_gate *gate,
		       unsigned int index);
void devpub_engine_destroy(struct devpub_engine *engine);

struct devpub_channel *devpub_channel_create(struct devpub_engine *engine,
					     struct mm_struct *mm);
void devpub_channel_destroy(struct devpub_channel *channel);
int devpub_channel_execute(struct devpub_channel *channel,
			   struct devpub_operation *operation);

#endif /* DEVPUB_ENGINE_H */
