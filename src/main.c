// SPDX-License-Identifier: GPL-2.0
/*
 * devpub: device-public (coherent) memory for everyone.
 *
 * This file has the module's parameters, init and exit.
 *
 * Locks, the outermost first.  A task that holds one of them takes only those below it.
 *
 *	device lock		driver core; probe and unbind of a platform device, and
 *				@published of its devpub_device
 *	registry_lock		device/registry.c; registrations and numbers.  Not held while
 *				a device is made or removed
 *	carve_lock		memory/provider_carve.c; the search for memory, and putting
 *				it back.  Waited for interruptibly to take memory
 *	block's device lock	driver core; a memory block that is put online
 *	mmap_lock		of the process whose pages move: its mappings.  Held for
 *				reading; for writing where THPs are split by hand and where
 *				holes are filled on kernels that need that.  Waited for
 *				killably, by the caller and never by a worker
 *	gate			engine/gate.c; no lock, but waited for: a call inside may hold
 *				mmap_lock, and takes none after it has entered
 *	thp_locks		engine/thp.c; splits of one THP, one at a time.  Waited for
 *				killably
 *	folio lock		of a THP, waited for killably; of a device page, only tried
 *	anon_vma lock		the kernel's; the mappings that may have a page.  Waited for
 *				killably
 *	another mmap_lock	of processes that map the same pages; only tried, so that two
 *				callers never wait for each other
 *	pool's lock		memory/pool.c; popping free pages
 */
#undef pr_fmt	/* compat.h came first */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "device/device.h"
#include "device/driver_platform.h"
#include "device/registry.h"
#include "engine/endpoint.h"
#include "engine/job.h"
#include "engine/thp.h"
#include "engine/workers.h"
#include "front/control_ioctl.h"
#include "front/device_ioctl.h"
#include "front/sysfs.h"
#include "memory/provider.h"

static char *size;
module_param(size, charp, 0444);
MODULE_PARM_DESC(size, "Size of each device to carve out of the running system's memory, e.g. 256M or 256M,128M, or none (default 256M, unless region= is given)");

static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "NUMA node to carve from, -1 for any (default -1)");

static unsigned int window = DEVPUB_WINDOW_MIN;
module_param(window, uint, 0444);
MODULE_PARM_DESC(window, "Pages that a migration handles at a time, a power of two from 512 to 65536 (default 512)");

module_param_named(workers, devpub_job_max_workers, uint, 0644);
MODULE_PARM_DESC(workers, "Processors that may work on one migration at a time, 0 for all (default 0)");

module_param_named(thp, devpub_thp_allowed, bool, 0644);
MODULE_PARM_DESC(thp, "Whether THPs are split to move their pages; N refuses them (default Y)");

static struct devpub_request requests[DEVPUB_MAX_DEVICES];
static unsigned int nr_requests;

static int request_add(const struct devpub_provider_ops *provider, u64 start,
		       u64 bytes, int nid)
{
	if (nr_requests == DEVPUB_MAX_DEVICES) {
		pr_err("at most %u devices, please\n", DEVPUB_MAX_DEVICES);
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
 * memparse() alone takes anything for a number: "", "-1", and what does not fit 64
 * bits, which it cuts down.  Here it only says what a suffix stands for.
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
MODULE_PARM_DESC(region, "START,SIZE of memory that the kernel does not use, e.g. 0x40000000,256M after booting with memmap=256M$0x40000000 (repeatable)");

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

/* For callers that may run anywhere, for those bound to processors, and for devices. */
static struct workqueue_struct *queue_anywhere, *queue_bound, *queue_leavers;

static void destroy_queues(void)
{
	if (queue_anywhere)
		destroy_workqueue(queue_anywhere);
	if (queue_bound)
		destroy_workqueue(queue_bound);
	if (queue_leavers)
		destroy_workqueue(queue_leavers);
}

static int create_queues(void)
{
	queue_anywhere = alloc_workqueue("devpub", WQ_UNBOUND, 0);
	queue_bound = alloc_workqueue("devpub_bound", WQ_CPU_INTENSIVE | WQ_PERCPU, 0);
	/* Of its own: each device that leaves may occupy a worker for long. */
	queue_leavers = alloc_workqueue("devpub_leave", WQ_UNBOUND, 0);
	if (!queue_anywhere || !queue_bound || !queue_leavers) {
		destroy_queues();
		return -ENOMEM;
	}
	devpub_workers_init(queue_anywhere, queue_bound);
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
	 * A failed init frees the module while a file of it may be open, so nothing that
	 * can fail may come after this.
	 */
	devpub_registry_publish();
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
	devpub_control_unregister();
	devpub_registry_destroy_all();
	devpub_driver_platform_unregister();
	devpub_device_exit();
	destroy_queues();
}
module_exit(devpub_exit);

MODULE_DESCRIPTION("Device-public (coherent) memory that any page of a process can migrate to");
MODULE_AUTHOR("The devpub developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
