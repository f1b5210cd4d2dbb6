/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_ENGINE_H
#define DEVPUB_ENGINE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "access/operation.h"

struct devpub_gate;
struct devpub_mirror;

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
 * struct devpub_channel - the operations that one mirror's owner has submitted
 * @engine:	the engine that executes them
 * @mirror:	the memory that they access
 * @work:	executes a slice of the first operation, then moves it to the end of the list
 * @lock:	protects the list and @running
 * @operations:	the operations, in the order in which they get their slices
 * @running:	the operation whose slice is executed now, which is not on the list
 *
 * The engine executes one slice of a channel at a time, and gives channels their slices in
 * turn.
 */
struct devpub_channel {
	struct devpub_engine *engine;
	struct devpub_mirror *mirror;
	struct work_struct work;
	spinlock_t lock;
	struct list_head operations;
	struct devpub_operation *running;
};

int devpub_engine_init(struct devpub_engine *engine, struct devpub_gate *gate,
		       unsigned int index);
void devpub_engine_destroy(struct devpub_engine *engine);

void devpub_channel_init(struct devpub_channel *channel, struct devpub_engine *engine,
			 struct devpub_mirror *mirror);
void devpub_channel_destroy(struct devpub_channel *channel);
int devpub_channel_execute(struct devpub_channel *channel,
			   struct devpub_operation *operation);

#endif /* DEVPUB_ENGINE_H */
