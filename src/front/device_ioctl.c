// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The commands of /dev/devpubN.  include/uapi/linux/devpub.h describes their errors.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "device/device.h"
#include "engine/evict.h"
#include "engine/job.h"
#include "engine/process.h"
#include "engine/range.h"
#include "front/access_ioctl.h"
#include "front/context.h"
#include "front/device_ioctl.h"
#include "front/dispatch.h"
#include "trace.h"

static struct devpub_device *ioctl_device(void *target)
{
	struct devpub_context *context = target;

	return context->ddev;
}

static int ioctl_info(void *target, void *arg, bool *answered)
{
	struct devpub_device *ddev = ioctl_device(target);
	/* Do not audit: a caller without the capability only gets no @phys_start. */
	bool sees_phys = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	struct devpub_info *info = arg;

	if (info->flags)
		return -EINVAL;
	if (!devpub_gate_enter(&ddev->gate))
		return -ENODEV;
	devpub_gate_exit(&ddev->gate);

	*info = (struct devpub_info) {
		.index		= ddev->index,
		.capacity	= ddev->region.size,
		.free		= (u64)devpub_pool_free_pages(&ddev->pool) << PAGE_SHIFT,
		.phys_start	= sees_phys ? ddev->region.start : 0,
		.page_size	= PAGE_SIZE,
		.window		= ddev->endpoint.window,
		.node		= ddev->region.node,
		.provider	= ddev->region.provider->id,
	};
	*answered = true;
	return 0;
}

/**
 * struct results - user space's array with one byte per page
 * @sink:	receives the results of a job
 * @array:	the array
 */
struct results {
	struct devpub_sink sink;
	u8 __user *array;
};

static unsigned long results_room(struct devpub_sink *sink, u64 first, unsigned long n)
{
	struct results *results = container_of(sink, struct results, sink);

	return n - fault_in_writeable((char __user *)results->array + first, n);
}

static int results_take(struct devpub_sink *sink, u64 first, const u8 *codes,
			unsigned long n)
{
	struct results *results = container_of(sink, struct results, sink);

	return copy_to_user(results->array + first, codes, n) ? -EFAULT : 0;
}

static const struct devpub_sink_ops results_ops = {
	.room	= results_room,
	.take	= results_take,
};

/* Prepare a job on a process's memory.  On success the caller puts job->process. */
static int ioctl_job(struct devpub_job *job, struct results *results, bool other,
		     s32 pid, u64 array)
{
	int ret;

	ret = devpub_process_get(&job->process, other, pid);
	if (ret)
		return ret;
	ret = devpub_range_check(job->addr, job->length, job->process.mm->task_size);
	if (ret) {
		devpub_process_put(&job->process);
		return ret;
	}
	*results = (struct results) {
		.sink	= { .ops = &results_ops },
		.array	= u64_to_user_ptr(array),
	};
	job->sink = array ? &results->sink : NULL;
	return 0;
}

static int ioctl_migrate(struct devpub_device *ddev, struct devpub_migrate *arg,
			 bool to, bool *answered)
{
	const struct devpub_transfer_spec spec = {
		.source		= to ? &devpub_endpoint_system : &ddev->endpoint,
		.destination	= to ? &ddev->endpoint : &devpub_endpoint_system,
		.populate	= arg->flags & DEVPUB_MIGRATE_POPULATE,
	};
	struct devpub_job job = { .addr = arg->addr, .length = arg->length };
	bool other = arg->flags & DEVPUB_MIGRATE_PID;
	struct devpub_reason_counts counts = {};
	struct results results;
	pid_t pid;
	int ret;

	if (arg->flags & ~(DEVPUB_MIGRATE_POPULATE | DEVPUB_MIGRATE_PID))
		return -EINVAL;
	if (arg->reserved)
		return -EINVAL;
	if (!to && spec.populate)
		return -EOPNOTSUPP;
	ret = ioctl_job(&job, &results, other, arg->pid, arg->reasons);
	if (ret)
		return ret;

	pid = other ? arg->pid : task_tgid_vnr(current);
	trace_devpub_migrate_begin(ddev->index, pid, to, arg->addr, arg->length);
	ret = devpub_job_transfer(&job, &spec, arg->workers, &counts);
	trace_devpub_migrate_end(ddev->index, pid, to, job.done, counts.n, ret);
	devpub_process_put(&job.process);
	if (ret == -ENOMEM)
		return ret;

	arg->done = job.done;
	arg->moved = counts.n[DEVPUB_REASON_MOVED];
	arg->populated = counts.n[DEVPUB_REASON_POPULATED];
	arg->already = counts.n[DEVPUB_REASON_ALREADY];
	arg->absent = counts.n[DEVPUB_REASON_ABSENT];
	arg->refused = devpub_reason_refused(&counts);
	*answered = true;
	return ret;
}

static int ioctl_migrate_to(void *target, void *arg, bool *answered)
{
	return ioctl_migrate(ioctl_device(target), arg, true, answered);
}

static int ioctl_migrate_from(void *target, void *arg, bool *answered)
{
	return ioctl_migrate(ioctl_device(target), arg, false, answered);
}

static int ioctl_query(void *target, void *arg_, bool *answered)
{
	struct devpub_device *ddev = ioctl_device(target);
	struct devpub_query *arg = arg_;
	struct devpub_job job = { .addr = arg->addr, .length = arg->length };
	struct devpub_location_counts counts = {};
	struct results results;
	int ret;

	if (arg->flags & ~DEVPUB_QUERY_PID)
		return -EINVAL;
	ret = ioctl_job(&job, &results, arg->flags & DEVPUB_QUERY_PID, arg->pid,
			arg->locations);
	if (ret)
		return ret;

	ret = devpub_job_locate(&job, &ddev->endpoint, &counts);
	devpub_process_put(&job.process);
	if (ret == -ENOMEM)
		return ret;

	arg->done = job.done;
	arg->absent = counts.n[DEVPUB_LOCATION_ABSENT];
	arg->system = counts.n[DEVPUB_LOCATION_SYSTEM];
	arg->device = counts.n[DEVPUB_LOCATION_DEVICE];
	arg->other_device = counts.n[DEVPUB_LOCATION_OTHER_DEVICE];
	arg->other = counts.n[DEVPUB_LOCATION_OTHER];
	*answered = true;
	return ret;
}

static int ioctl_evict(void *target, void *arg_, bool *answered)
{
	struct devpub_device *ddev = ioctl_device(target);
	struct devpub_evict *arg = arg_;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->flags || arg->reserved)
		return -EINVAL;

	if (!devpub_gate_enter(&ddev->gate))
		return -ENODEV;
	ret = devpub_evict(&ddev->endpoint, true, &arg->moved);
	devpub_gate_exit(&ddev->gate);
	if (ret == -ENOMEM)
		return ret;
	arg->remaining = devpub_pool_used_pages(&ddev->pool);
	*answered = true;
	return ret;
}

static const struct devpub_command device_commands[] = {
	DEVPUB_COMMAND(DEVPUB_IOC_INFO, struct devpub_info,
		       DEVPUB_INFO_SIZE_VER0, provider, ioctl_info),
	DEVPUB_COMMAND(DEVPUB_IOC_MIGRATE_TO, struct devpub_migrate,
		       DEVPUB_MIGRATE_SIZE_VER0, reserved, ioctl_migrate_to),
	DEVPUB_COMMAND(DEVPUB_IOC_MIGRATE_FROM, struct devpub_migrate,
		       DEVPUB_MIGRATE_SIZE_VER0, reserved, ioctl_migrate_from),
	DEVPUB_COMMAND(DEVPUB_IOC_QUERY, struct devpub_query,
		       DEVPUB_QUERY_SIZE_VER0, other, ioctl_query),
	DEVPUB_COMMAND(DEVPUB_IOC_EVICT, struct devpub_evict,
		       DEVPUB_EVICT_SIZE_VER0, remaining, ioctl_evict),
	DEVPUB_COMMAND(DEVPUB_IOC_BIND, struct devpub_bind,
		       DEVPUB_BIND_SIZE_VER0, pid, devpub_access_ioctl_bind),
	DEVPUB_COMMAND(DEVPUB_IOC_ACCESS, struct devpub_access,
		       DEVPUB_ACCESS_SIZE_VER0, fault_addr, devpub_access_ioctl_access),
};

static long devpub_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return devpub_dispatch(device_commands, ARRAY_SIZE(device_commands),
			       file->private_data, cmd, (void __user *)arg);
}

static int devpub_open(struct inode *inode, struct file *file)
{
	struct devpub_device *ddev = container_of(inode->i_cdev, struct devpub_device,
						  cdev);
	int ret;

	ret = devpub_context_open(file, ddev);
	return ret ?: nonseekable_open(inode, file);
}

static int devpub_release(struct inode *inode, struct file *file)
{
	devpub_context_release(file);
	return 0;
}

/* Show the device and its usage in /proc/PID/fdinfo/FD. */
static void devpub_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct devpub_device *ddev = ioctl_device(file->private_data);

	seq_printf(seq, "devpub-device:\tdevpub%u\n", ddev->index);
	seq_printf(seq, "devpub-draining:\t%u\n",
		   devpub_gate_is_closed(&ddev->gate));
	seq_printf(seq, "devpub-capacity-kB:\t%llu\n",
		   ddev->region.size / SZ_1K);
	seq_printf(seq, "devpub-used-kB:\t%llu\n",
		   ((u64)devpub_pool_used_pages(&ddev->pool) << PAGE_SHIFT) /
		   SZ_1K);
}

const struct file_operations devpub_ioctl_fops = {
	.owner		= THIS_MODULE,
	.open		= devpub_open,
	.release	= devpub_release,
	.unlocked_ioctl	= devpub_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= devpub_show_fdinfo,
};
