/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_DEVICE_H
#define DEVPUB_DEVICE_H

#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "access/engine.h"
#include "engine/endpoint.h"
#include "engine/gate.h"
#include "memory/pagemap.h"
#include "memory/pool.h"
#include "memory/provider.h"

struct attribute_group;
struct file_operations;

#define DEVPUB_MAX_DEVICES	16

#define DEVPUB_WINDOW_MIN	512
#define DEVPUB_WINDOW_MAX	65536

/**
 * struct devpub_device - one device: /dev/devpubN and its memory
 * @dev:	the class device; its reference count controls the lifetime of this struct.  An
 *		open file holds a reference beyond the removal of the device
 * @memory:	the device that @pagemap is registered for.  It is never added to the system.
 *		@dev is not used for that, because device_del() of @dev would undo the
 *		registration and wait for pages
 * @cdev:	the character device; an open file holds a reference to it
 * @index:	N
 * @region:	the memory
 * @pagemap:	the registration of the memory with the kernel
 * @pool:	the free pages of the memory
 * @gate:	while a call is inside, the pagemap is registered and pages may be allocated
 * @stats:	counters
 * @endpoint:	the device as an endpoint of transfers
 * @engine:	executes the operations of open files; it lives as long as this struct
 * @leaving:	work that gives the memory back when the driver is unbound while calls are
 *		inside or pages are in use
 * @left:	completed when the memory is given back
 * @published:	user space can see the device; protected by the parent's device lock
 *
 * device.c describes the states of a device.
 */
struct devpub_device {
	struct device dev;
	struct device memory;
	struct cdev cdev;
	unsigned int index;
	struct devpub_region region;
	struct devpub_pagemap pagemap;
	struct devpub_pool pool;
	struct devpub_gate gate;
	struct devpub_stats stats;
	struct devpub_endpoint endpoint;
	struct devpub_engine engine;
	struct work_struct leaving;
	struct completion left;
	bool published;
};

/**
 * struct devpub_device_spec - parameters of a new device
 * @memory:	the memory to claim
 * @window:	size of a window in pages
 */
struct devpub_device_spec {
	struct devpub_request memory;
	unsigned int window;
};

struct devpub_device *devpub_device_find_get(unsigned int index);
void devpub_device_find_put(struct devpub_device *ddev);

struct devpub_device *devpub_device_create(struct device *parent, unsigned int index,
					   const struct devpub_device_spec *spec);
int devpub_device_publish(struct devpub_device *ddev);
int devpub_device_drain(struct devpub_device *ddev, u64 *remaining);
void devpub_device_leave(struct devpub_device *ddev);
bool devpub_device_has_left(struct devpub_device *ddev);
int devpub_device_await(struct devpub_device *ddev, u64 *remaining);

int devpub_device_init(const struct file_operations *fops,
		       const struct attribute_group **groups,
		       struct workqueue_struct *leavers);
void devpub_device_exit(void);

#endif /* DEVPUB_DEVICE_H */
