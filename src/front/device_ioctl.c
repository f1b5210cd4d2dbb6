// SPDX-License-Identifier: GPL-2.0
/*
 * The front of the ABI: copies in, checks, calls one function, copies out.  The
 * errno contract stands in include/uapi/linux/devpub.h.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
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
#include "front/device_ioctl.h"
#include "front/dispatch.h"
#include "trace.h"

static int ioctl_info(void *target, void *arg, bool *answered)
{
	struct devpub_device *ddev = target;
	/* To be refused is no event for an audit log: it only hides a field. */
	bool sees_phys = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	struct devpub_info *info = arg;

	if (info->flags)
		return -EINVAL;
	if (!devpub_device_enter(ddev))
		return -ENODEV;
	devpub_device_exit(ddev);

	*info = (struct devpub_info) {
		.index		= ddev->index,
		.capacity	= ddev->region.size,
		.free		= (u64)devpub_pool_free_pages(&ddev->pool) << PAGE_SHIFT,
		.phys_start	= sees_phys ? ddev->region.start : 0,
		.page_size	= PAGE_SIZE,
		.window		= ddev->window,
		.node		= ddev->region.node,
		.provider	= ddev->region.provider->id,
	};
	*answered = true;
	return 0;
}

static int ioctl_migrate(struct devpub_device *ddev,
			 struct devpub_migrate *arg, bool to, bool *answered)
{
	struct devpub_walk walk = {
		.ddev		= ddev,
		.kind		= to ? DEVPUB_WALK_TO : DEVPUB_WALK_FROM,
		.populate	= arg->flags & DEVPUB_MIGRATE_POPULATE,
		.workers	= arg->workers,
		.addr		= arg->addr,
		.length		= arg->length,
		.array		= u64_to_user_ptr(arg->reasons),
	};
	bool other = arg->flags & DEVPUB_MIGRATE_PID;
	pid_t pid;
	int i, ret;

	if (arg->flags & ~(DEVPUB_MIGRATE_POPULATE | DEVPUB_MIGRATE_PID))
		return -EINVAL;
	if (arg->reserved)
		return -EINVAL;
	if (!to && walk.populate)
		return -EOPNOTSUPP;
	ret = devpub_process_get(&walk.process, other, arg->pid);
	if (ret)
		return ret;

	ret = devpub_range_check(arg->addr, arg->length,
				 walk.process.mm->task_size);
	if (ret)
		goto put_process;
	pid = other ? arg->pid : task_tgid_vnr(current);
	trace_devpub_migrate_begin(ddev->index, pid, to, arg->addr, arg->length);
	ret = devpub_walk_range(&walk);
	trace_devpub_migrate_end(ddev->index, pid, to, walk.done, walk.count, ret);
	if (ret == -ENOMEM)
		goto put_process;

	arg->done = walk.done;
	arg->moved = walk.count[DEVPUB_REASON_MOVED];
	arg->populated = walk.count[DEVPUB_REASON_POPULATED];
	arg->already = walk.count[DEVPUB_REASON_ALREADY];
	arg->absent = walk.count[DEVPUB_REASON_ABSENT];
	arg->refused = 0;
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		arg->refused += walk.count[i];
	*answered = true;

put_process:
	devpub_process_put(&walk.process);
	return ret;
}

static int ioctl_migrate_to(void *target, void *arg, bool *answered)
{
	return ioctl_migrate(target, arg, true, answered);
}

static int ioctl_migrate_from(void *target, void *arg, bool *answered)
{
	return ioctl_migrate(target, arg, false, answered);
}

static int ioctl_query(void *target, void *arg_, bool *answered)
{
	struct devpub_device *ddev = target;
	struct devpub_query *arg = arg_;
	struct devpub_walk walk = {
		.ddev	= ddev,
		.kind	= DEVPUB_WALK_QUERY,
		.addr	= arg->addr,
		.length	= arg->length,
		.array	= u64_to_user_ptr(arg->where),
	};
	int ret;

	if (arg->flags & ~DEVPUB_QUERY_PID)
		return -EINVAL;
	ret = devpub_process_get(&walk.process, arg->flags & DEVPUB_QUERY_PID,
				 arg->pid);
	if (ret)
		return ret;

	ret = devpub_range_check(arg->addr, arg->length,
				 walk.process.mm->task_size);
	if (ret)
		goto put_process;
	ret = devpub_walk_range(&walk);
	if (ret == -ENOMEM)
		goto put_process;

	arg->done = walk.done;
	arg->absent = walk.count[DEVPUB_WHERE_ABSENT];
	arg->system = walk.count[DEVPUB_WHERE_SYSTEM];
	arg->device = walk.count[DEVPUB_WHERE_DEVICE];
	arg->other_device = walk.count[DEVPUB_WHERE_OTHER_DEVICE];
	arg->other = walk.count[DEVPUB_WHERE_OTHER];
	*answered = true;

put_process:
	devpub_process_put(&walk.process);
	return ret;
}

static int ioctl_evict(void *target, void *arg_, bool *answered)
{
	struct devpub_device *ddev = target;
	struct devpub_evict *arg = arg_;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->flags || arg->reserved)
		return -EINVAL;

	if (!devpub_device_enter(ddev))
		return -ENODEV;
	ret = devpub_evict(ddev, true, &arg->moved);
	devpub_device_exit(ddev);
	if (ret == -ENOMEM)
		return ret;
	arg->remaining = devpub_pool_used_pages(&ddev->pool);
	*answered = true;
	return ret;
}

static const struct devpub_command device_commands[] = {
	[_IOC_NR(DEVPUB_IOC_INFO)] = {
		.size		= sizeof(struct devpub_info),
		.min_size	= DEVPUB_INFO_SIZE_VER0,
		.run		= ioctl_info,
	},
	[_IOC_NR(DEVPUB_IOC_MIGRATE_TO)] = {
		.size		= sizeof(struct devpub_migrate),
		.min_size	= DEVPUB_MIGRATE_SIZE_VER0,
		.run		= ioctl_migrate_to,
	},
	[_IOC_NR(DEVPUB_IOC_MIGRATE_FROM)] = {
		.size		= sizeof(struct devpub_migrate),
		.min_size	= DEVPUB_MIGRATE_SIZE_VER0,
		.run		= ioctl_migrate_from,
	},
	[_IOC_NR(DEVPUB_IOC_QUERY)] = {
		.size		= sizeof(struct devpub_query),
		.min_size	= DEVPUB_QUERY_SIZE_VER0,
		.run		= ioctl_query,
	},
	[_IOC_NR(DEVPUB_IOC_EVICT)] = {
		.size		= sizeof(struct devpub_evict),
		.min_size	= DEVPUB_EVICT_SIZE_VER0,
		.run		= ioctl_evict,
	},
};

/* No holes and no padding at the end, for either width of program. */
static_assert(sizeof(struct devpub_info) == DEVPUB_INFO_SIZE_VER0);
static_assert(sizeof(struct devpub_migrate) == 88);
static_assert(sizeof(struct devpub_query) == DEVPUB_QUERY_SIZE_VER0);
static_assert(sizeof(struct devpub_evict) == DEVPUB_EVICT_SIZE_VER0);

static long devpub_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return devpub_command_run(device_commands, ARRAY_SIZE(device_commands),
				  file->private_data, cmd, (void __user *)arg);
}

static int devpub_open(struct inode *inode, struct file *file)
{
	/* The file keeps the cdev, and the cdev the device's struct. */
	file->private_data = container_of(inode->i_cdev, struct devpub_device,
					  cdev);
	return nonseekable_open(inode, file);
}

/* /proc/PID/fdinfo/FD: which device it is, and how full. */
static void devpub_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct devpub_device *ddev = file->private_data;

	seq_printf(seq, "devpub-device:\tdevpub%u\n", ddev->index);
	seq_printf(seq, "devpub-draining:\t%u\n",
		   devpub_device_is_draining(ddev));
	seq_printf(seq, "devpub-capacity-kB:\t%llu\n",
		   ddev->region.size / SZ_1K);
	seq_printf(seq, "devpub-used-kB:\t%llu\n",
		   ((u64)devpub_pool_used_pages(&ddev->pool) << PAGE_SHIFT) /
		   SZ_1K);
}

const struct file_operations devpub_ioctl_fops = {
	.owner		= THIS_MODULE,
	.open		= devpub_open,
	.unlocked_ioctl	= devpub_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= devpub_show_fdinfo,
};
