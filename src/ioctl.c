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
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "device.h"
#include "evict.h"
#include "ioctl.h"
#include "migrate.h"
#include "query.h"
#include "range.h"

/* One byte a page: a code, of which there are at most this many. */
#define WALK_NR_CODES	DEVPUB_NR_REASONS

static_assert(WALK_NR_CODES > DEVPUB_WHERE_OTHER);

/**
 * struct devpub_walk - a range gone through window by window
 * @ddev:	the device
 * @addr:	first address
 * @length:	bytes
 * @array:	user's array of one byte a page, or NULL
 * @done:	bytes dealt with so far
 * @count:	pages so far, by code
 * @migration:	what is done: a migration, or, when NULL, a query
 */
struct devpub_walk {
	struct devpub_device *ddev;
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
	return devpub_query_window(&walk->ddev->pool, current->mm, start, end,
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
		cond_resched();
		addr = next;
		page += n;
	}

	kvfree(codes);
	return ret;
}

static int ioctl_info(struct devpub_device *ddev, void *arg, bool *answered)
{
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
	struct devpub_migration migration = {
		.ddev		= ddev,
		.mm		= current->mm,
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
	int i, ret;

	if (arg->flags & ~DEVPUB_MIGRATE_POPULATE || arg->reserved)
		return -EINVAL;
	if (!to && migration.populate)
		return -EOPNOTSUPP;
	ret = devpub_range_check(arg->addr, arg->length, current->mm->task_size);
	if (ret)
		return ret;

	ret = devpub_migrate_begin(&migration);
	if (ret)
		return ret;
	ret = walk_range(&walk);
	devpub_migrate_end(&migration);
	if (ret == -ENOMEM)
		return ret;

	arg->done = walk.done;
	arg->moved = walk.count[DEVPUB_REASON_MOVED];
	arg->populated = walk.count[DEVPUB_REASON_POPULATED];
	arg->already = walk.count[DEVPUB_REASON_ALREADY];
	arg->absent = walk.count[DEVPUB_REASON_ABSENT];
	arg->refused = 0;
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		arg->refused += walk.count[i];
	*answered = true;
	return ret;
}

static int ioctl_migrate_to(struct devpub_device *ddev, void *arg,
			    bool *answered)
{
	return ioctl_migrate(ddev, arg, true, answered);
}

static int ioctl_migrate_from(struct devpub_device *ddev, void *arg,
			      bool *answered)
{
	return ioctl_migrate(ddev, arg, false, answered);
}

static int ioctl_query(struct devpub_device *ddev, void *arg_, bool *answered)
{
	struct devpub_query *arg = arg_;
	struct devpub_walk walk = {
		.ddev	= ddev,
		.addr	= arg->addr,
		.length	= arg->length,
		.array	= u64_to_user_ptr(arg->where),
	};
	int ret;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	ret = devpub_range_check(arg->addr, arg->length, current->mm->task_size);
	if (ret)
		return ret;

	ret = walk_range(&walk);
	if (ret == -ENOMEM)
		return ret;

	arg->done = walk.done;
	arg->absent = walk.count[DEVPUB_WHERE_ABSENT];
	arg->system = walk.count[DEVPUB_WHERE_SYSTEM];
	arg->device = walk.count[DEVPUB_WHERE_DEVICE];
	arg->other_device = walk.count[DEVPUB_WHERE_OTHER_DEVICE];
	arg->other = walk.count[DEVPUB_WHERE_OTHER];
	*answered = true;
	return ret;
}

static int ioctl_evict(struct devpub_device *ddev, void *arg_, bool *answered)
{
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
	arg->remaining = ddev->pool.npages - devpub_pool_free_pages(&ddev->pool);
	*answered = true;
	return ret;
}

union devpub_ioctl_arg {
	struct devpub_info info;
	struct devpub_migrate migrate;
	struct devpub_query query;
	struct devpub_evict evict;
};

/**
 * struct devpub_ioctl_command - a command of the ABI
 * @size:	bytes of its struct now
 * @min_size:	bytes of its struct's first version
 * @run:	does it.  Sets the flag when there are results to write back,
 *		which may come with an error (-EINTR, say)
 */
struct devpub_ioctl_command {
	unsigned int size;
	unsigned int min_size;
	int (*run)(struct devpub_device *ddev, void *arg, bool *answered);
};

static const struct devpub_ioctl_command devpub_commands[] = {
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

static long ioctl_run(struct devpub_device *ddev,
		      const struct devpub_ioctl_command *command,
		      void __user *user, size_t user_size)
{
	union devpub_ioctl_arg arg;
	bool answered = false;
	int ret;

	if (user_size < command->min_size)
		return -EINVAL;
	ret = copy_struct_from_user(&arg, command->size, user, user_size);
	if (ret)
		return ret;

	/* Find out that the results can't be written while nothing is done yet. */
	if (copy_to_user(user, &arg, min_t(size_t, user_size, command->size)))
		return -EFAULT;

	ret = command->run(ddev, &arg, &answered);

	if (answered && copy_to_user(user, &arg,
				     min_t(size_t, user_size, command->size)))
		return -EFAULT;
	return ret;
}

static long devpub_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct devpub_device *ddev = file->private_data;
	unsigned int nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != DEVPUB_IOC_MAGIC ||
	    nr >= ARRAY_SIZE(devpub_commands))
		return -ENOTTY;
	nr = array_index_nospec(nr, ARRAY_SIZE(devpub_commands));
	return ioctl_run(ddev, &devpub_commands[nr], (void __user *)arg,
			 _IOC_SIZE(cmd));
}

static int devpub_open(struct inode *inode, struct file *file)
{
	/* The file keeps the cdev, and the cdev the device's struct. */
	file->private_data = container_of(inode->i_cdev, struct devpub_device,
					  cdev);
	return nonseekable_open(inode, file);
}

const struct file_operations devpub_ioctl_fops = {
	.owner		= THIS_MODULE,
	.open		= devpub_open,
	.unlocked_ioctl	= devpub_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
