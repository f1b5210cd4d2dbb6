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
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "command.h"
#include "device.h"
#include "evict.h"
#include "ioctl.h"
#include "migrate.h"
#include "query.h"
#include "range.h"
#include "trace.h"

/* One byte a page: a code, of which there are at most this many. */
#define WALK_NR_CODES	DEVPUB_NR_REASONS

static_assert(WALK_NR_CODES > DEVPUB_WHERE_OTHER);

/**
 * struct devpub_walk - a range gone through window by window
 * @ddev:	the device
 * @mm:		whose memory
 * @addr:	first address
 * @length:	bytes
 * @array:	user's array of one byte a page, or NULL
 * @done:	bytes dealt with so far
 * @count:	pages so far, by code
 * @migration:	what is done: a migration, or, when NULL, a query
 */
struct devpub_walk {
	struct devpub_device *ddev;
	struct mm_struct *mm;
	u64 addr;
	u64 length;
	u8 __user *array;
	u64 done;
	u64 count[WALK_NR_CODES];
	struct devpub_migration *migration;
};

static int walk_window(struct devpub_walk *walk, unsigned long start,
		       unsigned long end, u8 *codes)
{
	if (walk->migration)
		return devpub_migrate_window(walk->migration, start, end, codes);
	return devpub_query_window(&walk->ddev->pool, walk->mm, start, end,
				   codes);
}

static void walk_account(struct devpub_walk *walk, const u8 *codes,
			 unsigned long n)
{
	struct devpub_stats *stats = &walk->ddev->stats;
	u32 count[WALK_NR_CODES] = {};
	unsigned long i;

	for (i = 0; i < n; i++)
		count[codes[i]]++;
	for (i = 0; i < WALK_NR_CODES; i++)
		walk->count[i] += count[i];

	if (!walk->migration)
		return;
	atomic64_add(count[DEVPUB_REASON_MOVED], walk->migration->to ?
		     &stats->migrated_to : &stats->migrated_from);
	atomic64_add(count[DEVPUB_REASON_POPULATED], &stats->populated);
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		if (count[i])
			atomic64_add(count[i], &stats->refused[i]);
}

/*
 * Go through the range.  Progress comes first: a window is dealt with before the
 * first look at signals.  The device is entered for each window anew, so that
 * its removal waits for no longer, and not for a page of @walk->array that user
 * space takes its time to provide.
 */
static int walk_range(struct devpub_walk *walk)
{
	unsigned long addr = walk->addr, end = walk->addr + walk->length;
	unsigned long next, n, page = 0;
	int ret = 0;
	u8 *codes;

	codes = kvmalloc(walk->ddev->window, GFP_KERNEL);
	if (!codes)
		return -ENOMEM;

	for (;;) {
		next = devpub_range_window_end(addr, end, walk->ddev->window);
		n = devpub_range_pages(addr, next);
		if (!devpub_device_enter(walk->ddev)) {
			ret = -ENODEV;
			break;
		}
		ret = walk_window(walk, addr, next, codes);
		devpub_device_exit(walk->ddev);
		if (ret)
			break;
		walk_account(walk, codes, n);
		walk->done += next - addr;
		if (walk->array && copy_to_user(walk->array + page, codes, n)) {
			ret = -EFAULT;
			break;
		}
		if (next == end)
			break;
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		/* Nobody but us keeps the memory of a process that has ended. */
		if (atomic_read(&walk->mm->mm_users) == 1 &&
		    walk->mm != current->mm) {
			ret = -ESRCH;
			break;
		}
		cond_resched();
		addr = next;
		page += n;
	}

	kvfree(codes);
	return ret;
}

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

/*
 * The memory that a call is about: the caller's own, or that of a process over which
 * it is privileged.  ptrace's own check is not for modules, so the capability alone
 * counts.  The memory stays, though the process may end.
 */
static int ioctl_get_mm(bool other, s32 nr, struct mm_struct **mm)
{
	struct task_struct *task;
	struct pid *pid;

	if (!other) {
		if (nr)
			return -EINVAL;
		*mm = current->mm;
		mmget(*mm);
		return 0;
	}
	if (nr <= 0)
		return -EINVAL;

	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_TGID);
	put_pid(pid);
	if (!task)
		return -ESRCH;
	*mm = get_task_mm(task);
	put_task_struct(task);
	if (!*mm)
		return -ESRCH;
	if (*mm != current->mm && !capable(CAP_SYS_PTRACE)) {
		mmput(*mm);
		return -EPERM;
	}
	return 0;
}

static int ioctl_migrate(struct devpub_device *ddev,
			 struct devpub_migrate *arg, bool to, bool *answered)
{
	struct devpub_migration migration = {
		.ddev		= ddev,
		.to		= to,
		.populate	= arg->flags & DEVPUB_MIGRATE_POPULATE,
	};
	struct devpub_walk walk = {
		.ddev		= ddev,
		.addr		= arg->addr,
		.length		= arg->length,
		.array		= u64_to_user_ptr(arg->reasons),
		.migration	= &migration,
	};
	bool other = arg->flags & DEVPUB_MIGRATE_PID;
	pid_t pid;
	int i, ret;

	if (arg->flags & ~(DEVPUB_MIGRATE_POPULATE | DEVPUB_MIGRATE_PID))
		return -EINVAL;
	if (!to && migration.populate)
		return -EOPNOTSUPP;
	ret = ioctl_get_mm(other, arg->pid, &walk.mm);
	if (ret)
		return ret;
	migration.mm = walk.mm;

	ret = devpub_range_check(arg->addr, arg->length, walk.mm->task_size);
	if (!ret)
		ret = devpub_migrate_begin(&migration);
	if (ret)
		goto put_mm;
	pid = other ? arg->pid : task_tgid_vnr(current);
	trace_devpub_migrate_begin(ddev->index, pid, to, arg->addr, arg->length);
	ret = walk_range(&walk);
	devpub_migrate_end(&migration);
	trace_devpub_migrate_end(ddev->index, pid, to, walk.done, walk.count, ret);
	if (ret == -ENOMEM)
		goto put_mm;

	arg->done = walk.done;
	arg->moved = walk.count[DEVPUB_REASON_MOVED];
	arg->populated = walk.count[DEVPUB_REASON_POPULATED];
	arg->already = walk.count[DEVPUB_REASON_ALREADY];
	arg->absent = walk.count[DEVPUB_REASON_ABSENT];
	arg->refused = 0;
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		arg->refused += walk.count[i];
	*answered = true;

put_mm:
	mmput(walk.mm);
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
		.addr	= arg->addr,
		.length	= arg->length,
		.array	= u64_to_user_ptr(arg->where),
	};
	int ret;

	if (arg->flags & ~DEVPUB_QUERY_PID)
		return -EINVAL;
	ret = ioctl_get_mm(arg->flags & DEVPUB_QUERY_PID, arg->pid, &walk.mm);
	if (ret)
		return ret;

	ret = devpub_range_check(arg->addr, arg->length, walk.mm->task_size);
	if (ret)
		goto put_mm;
	ret = walk_range(&walk);
	if (ret == -ENOMEM)
		goto put_mm;

	arg->done = walk.done;
	arg->absent = walk.count[DEVPUB_WHERE_ABSENT];
	arg->system = walk.count[DEVPUB_WHERE_SYSTEM];
	arg->device = walk.count[DEVPUB_WHERE_DEVICE];
	arg->other_device = walk.count[DEVPUB_WHERE_OTHER_DEVICE];
	arg->other = walk.count[DEVPUB_WHERE_OTHER];
	*answered = true;

put_mm:
	mmput(walk.mm);
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

	arg->moved = 0;
	ret = -ENODEV;
	if (devpub_device_enter(ddev)) {
		ret = devpub_evict(ddev, true, &arg->moved);
		devpub_device_exit(ddev);
	}
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
static_assert(sizeof(struct devpub_migrate) == DEVPUB_MIGRATE_SIZE_VER0);
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
