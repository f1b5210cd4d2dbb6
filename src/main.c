// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * devpub: device-public (coherent) memory for everyone.
 *
 * This file contains the module's parameters, init and exit.
 *
 * Lock order, the outermost lock first.  A task that holds a lock takes only locks below it.
 *
 *	device lock		Driver core.  Protects probe and unbind of a platform device,
 *				and @published of its devpub_device.
 *	registry_lock		device/registry.c.  Protects registrations and numbers.  Not
 *				held while a device is created or removed.
 *	carve_lock		memory/provider_carve.c.  Serializes taking memory and putting
 *				it back.  To take memory, the wait for it is interruptible.
 *	block's device lock	Driver core.  Held while a memory block is put online.
 *	@starting		access/exclusive.h.  Held while a notifier is inserted.  The wait
 *				for it is killable.
 *	mmap_lock		Protects the mappings of the process whose pages move.  Held
 *				for reading.  Held for writing on kernels up to 6.12 to split
 *				THPs and to fill holes.  The caller waits for it killably;
 *				workers never wait for it.
 *	gate			engine/gate.c.  Not a lock, but tasks wait for it.  A call
 *				inside may hold mmap_lock, but takes no mmap_lock after it has
 *				entered, except by trylock.
 *	thp_locks		engine/thp.c.  Serializes splits of the same THP.  The wait
 *				for it is killable.
 *	folio lock		The wait for that of a THP is killable.  That of a device page
 *				is only taken by trylock.
 *	anon_vma lock		Kernel.  Protects the tree of mappings that may map a page.
 *				The wait for it is killable.
 *	another mmap_lock	Of a process that maps the same pages.  Only taken by trylock,
 *				so that two callers never wait for each other.
 *	pool's lock		memory/pool.c.  Serializes popping free pages.
 *	mirrored_lock		access/mirrored.c.  Protects the counts of mirrors.
 *	channel's lock		access/engine.h.  Protects the list of operations.
 *	mirror's lock		The xa_lock of access/mirror.h.  Protects the list of blocks.
 *	block's lock		access/mirror_block.h.  Protects the entries for addresses, while
 *				the device accesses a page and while the kernel invalidates
 *				them.  Two blocks are locked in the order of their addresses.
 *				Below it are the locks that folio_mark_dirty() takes.
 *	exclusive pages' lock	The xa_lock of access/exclusive.h.  Protects the entries for
 *				addresses, while the device reads a page and while the kernel
 *				invalidates them.
 */
#undef pr_fmt	/* compat.h is included first and includes headers that define it */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "access/mirror.h"
#include "device/device.h"
#include "device/driver_platform.h"
#include "device/registry.h"
#include "engine/endpoint.h"
#include "engine/job.h"
#include "engine/system.h"
#include "engine/thp.h"
#include "engine/workers.h"
#include "front/control_ioctl.h"
#include "front/device_ioctl.h"
#include "front/dmirror.h"
#include "front/sysfs.h"
#include "memory/provider.h"

static char *size;
module_param(size, charp, 0444);
MODULE_PARM_DESC(size, "Size of each device, carved out of the running system's memory: 256M, or 256M,128M for two devices, or none (default 256M, unless region= is given)");

static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "NUMA node to carve memory from, -1 for any (default -1)");

static unsigned int window = DEVPUB_WINDOW_MIN;
module_param(window, uint, 0444);
MODULE_PARM_DESC(window, "Number of pages that a migration handles at a time, a power of two from 512 to 65536 (default 512)");

module_param_named(workers, devpub_job_max_workers, uint, 0644);
MODULE_PARM_DESC(workers, "Maximum number of processors that work on one migration, 0 for all (default 0)");

module_param_named(thp, devpub_thp_allowed, bool, 0644);
MODULE_PARM_DESC(thp, "Split transparent huge pages to move their pages; with N they stay, with the reason large (default Y)");

static bool hmm_dmirror;
module_param(hmm_dmirror, bool, 0444);
MODULE_PARM_DESC(hmm_dmirror, "For tests: offer devices 0 and 1 also as /dev/hmm_dmirror2 and 3, with the interface of the kernel's test_hmm module (default N)");

static struct devpub_request requests[DEVPUB_MAX_DEVICES];
static unsigned int nr_requests;

static int request_add(const struct devpub_provider_ops *provider, u64 start,
		       u64 bytes, int nid)
{
	if (nr_requests == DEVPUB_MAX_DEVICES) {
		pr_err("size= and region= name too many devices: write at most %u\n",
		       DEVPUB_MAX_DEVICES);
		return -EINVAL;
	}
	requests[nr_requests++] = (struct devpub_request) {
		.provider	= provider,
		.start		= start,
		.size		= bytes,
		.node		= nid,
	};
	return 0;
}

/*
 * Parse a number of bytes with an optional suffix.  memparse() accepts anything as a number:
 * "", "-1", and numbers that exceed 64 bits, which it truncates.  So this uses memparse() only
 * for the suffix.
 */
static int parse_bytes(const char *text, const char **rest, u64 *bytes)
{
	size_t n = strncasecmp(text, "0x", 2) ? strspn(text, "0123456789") :
		   2 + strspn(text + 2, "0123456789abcdefABCDEF");
	char number[24], unit[3] = "1", *unit_end;
	u64 value, unit_bytes;

	if (!n || n >= sizeof(number))
		return -EINVAL;
	strscpy(number, text, n + 1);
	if (kstrtou64(number, 0, &value))
		return -EINVAL;

	unit[1] = text[n];
	unit_bytes = memparse(unit, &unit_end);
	*rest = text + n + (unit_end - unit - 1);
	return check_mul_overflow(value, unit_bytes, bytes) ? -EINVAL : 0;
}

static int region_set(const char *value, const struct kernel_param *kp)
{
	const char *rest;
	u64 start, bytes;

	if (!value || parse_bytes(value, &rest, &start) || *rest != ',' ||
	    parse_bytes(rest + 1, &rest, &bytes) || *rest) {
		pr_err("region=%s: write START,SIZE, for example region=0x40000000,256M\n",
		       value ?: "");
		return -EINVAL;
	}
	return request_add(&devpub_provider_reserved, start, bytes, NUMA_NO_NODE);
}

static const struct kernel_param_ops region_ops = {
	.set = region_set,
};

module_param_cb(region, &region_ops, NULL, 0);
MODULE_PARM_DESC(region, "START,SIZE of physical memory that the kernel does not use, e.g. 0x40000000,256M after booting with memmap=256M$0x40000000 (repeatable)");

static int parse_sizes(const char *text)
{
	const char *rest = text;
	u64 bytes;
	int ret;

	for (;;) {
		if (parse_bytes(rest, &rest, &bytes) || (*rest && *rest != ',')) {
			pr_err("size=%s: write a size or a list of sizes, for example size=256M or size=256M,128M\n",
			       text);
			return -EINVAL;
		}
		ret = request_add(&devpub_provider_carve, 0, bytes, node);
		if (ret || !*rest)
			return ret;
		rest++;
	}
}

/* Queues for unbound callers, for callers bound to processors, and for leaving devices. */
static struct workqueue_struct *queue_anywhere, *queue_bound, *queue_leavers, *queue_memory;

/* Queue for mirrors of closed files, which a process can keep from going. */
static struct workqueue_struct *queue_mirrors;

static void destroy_queues(void)
{
	if (queue_anywhere)
		destroy_workqueue(queue_anywhere);
	if (queue_bound)
		destroy_workqueue(queue_bound);
	if (queue_leavers)
		destroy_workqueue(queue_leavers);
	if (queue_memory)
		destroy_workqueue(queue_memory);
	if (queue_mirrors)
		destroy_workqueue(queue_mirrors);
}

static int create_queues(void)
{
	queue_anywhere = alloc_workqueue("devpub", WQ_UNBOUND, 0);
	queue_bound = alloc_workqueue("devpub_bound", WQ_CPU_INTENSIVE | WQ_PERCPU, 0);
	/* A separate queue, because each device that leaves may occupy a slot for long. */
	queue_leavers = alloc_workqueue("devpub_leave", WQ_UNBOUND, 0);
	queue_memory = alloc_workqueue("devpub_memory", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	queue_mirrors = alloc_workqueue("devpub_mirrors", WQ_UNBOUND, 0);
	if (!queue_anywhere || !queue_bound || !queue_leavers || !queue_memory ||
	    !queue_mirrors) {
		destroy_queues();
		return -ENOMEM;
	}
	devpub_workers_init(queue_anywhere, queue_bound);
	devpub_system_init(queue_memory);
	devpub_mirror_init(queue_mirrors);
	return 0;
}

static int check_parameters(void)
{
	if (!is_power_of_2(window) || window < DEVPUB_WINDOW_MIN ||
	    window > DEVPUB_WINDOW_MAX) {
		pr_err("window=%u: write a power of two from %u to %u\n",
		       window, DEVPUB_WINDOW_MIN, DEVPUB_WINDOW_MAX);
		return -EINVAL;
	}
	if (size)
		return strcmp(size, "none") ? parse_sizes(size) : 0;
	return nr_requests ? 0 : parse_sizes("256M");
}

static int create_devices(void)
{
	struct devpub_device_spec spec = { .window = window };
	unsigned int i, index;
	int ret = 0;

	for (i = 0; i < nr_requests && !ret; i++) {
		spec.memory = requests[i];
		ret = devpub_registry_create(&spec, &index);
	}
	return ret;
}

static int __init devpub_init(void)
{
	int ret;

	ret = check_parameters();
	if (ret)
		return ret;
	devpub_thp_init();
	ret = create_queues();
	if (ret)
		return ret;
	ret = devpub_device_init(&devpub_ioctl_fops, devpub_sysfs_groups, queue_leavers);
	if (ret)
		goto err_queues;
	ret = devpub_driver_platform_register();
	if (ret)
		goto err_device;

	ret = create_devices();
	if (ret)
		goto err_destroy;
	ret = devpub_control_register(window);
	if (ret)
		goto err_destroy;
	/*
	 * A failed init frees the module even if a file of it is open.  So this must be last:
	 * nothing that can fail may follow the publication of /dev/devpubN.
	 */
	devpub_registry_publish();
	if (hmm_dmirror)
		devpub_dmirror_publish();
	return 0;

err_destroy:
	devpub_registry_destroy_all();
	devpub_driver_platform_unregister();
err_device:
	devpub_device_exit();
err_queues:
	destroy_queues();
	return ret;
}
module_init(devpub_init);

static void __exit devpub_exit(void)
{
	devpub_dmirror_unpublish();
	devpub_control_unregister();
	devpub_registry_destroy_all();
	devpub_driver_platform_unregister();
	devpub_device_exit();
	devpub_mirror_exit();
	destroy_queues();
}
module_exit(devpub_exit);

MODULE_DESCRIPTION("Device-public (coherent) memory that any page of a process can migrate to");
MODULE_AUTHOR("The devpub developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
