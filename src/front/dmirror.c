// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * /dev/hmm_dmirror2 and 3: devices 0 and 1 with the interface of the kernel's test module
 * (lib/test_hmm.c), for the kernel's hmm-tests.  There, 0 and 1 are private device memory,
 * and 2 and 3 are coherent.  This is an interface for tests only; the module parameter
 * hmm_dmirror enables it.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "access/engine.h"
#include "access/mirror.h"
#include "device/device.h"
#include "engine/range.h"
#include "front/dmirror.h"

/* Maximum size of a mapping of the node: pages for it are allocated at once. */
#define DMIRROR_MAPPING_MAX	SZ_1M

/**
 * struct dmirror_node - a node in /dev
 * @misc:	the node
 * @index:	number of the devpub device that it stands for
 * @published:	the node exists
 */
struct dmirror_node {
	struct miscdevice misc;
	unsigned int index;
	bool published;
};

static int dmirror_create(struct file *file, struct devpub_device *ddev)
{
	const struct devpub_dmirror empty = { .ddev = ddev };
	struct devpub_dmirror *dmirror;
	int ret;

	dmirror = kmemdup(&empty, sizeof(empty), GFP_KERNEL_ACCOUNT);
	if (!dmirror)
		return -ENOMEM;
	dmirror->channel = devpub_channel_create(&ddev->engine, current->mm);
	if (IS_ERR(dmirror->channel)) {
		ret = PTR_ERR(dmirror->channel);
		kfree(dmirror);
		return ret;
	}
	devpub_exclusive_init(&dmirror->exclusive, current->mm);
	file->private_data = dmirror;
	return 0;
}

static int dmirror_open(struct inode *inode, struct file *file)
{
	/* misc_open() sets private_data to the miscdevice. */
	struct dmirror_node *node = container_of(file->private_data, struct dmirror_node,
						 misc);
	struct devpub_device *ddev = devpub_device_find_get(node->index);
	int ret;

	if (!ddev)
		return -ENXIO;
	ret = dmirror_create(file, ddev);
	if (ret)
		devpub_device_find_put(ddev);
	return ret ?: nonseekable_open(inode, file);
}

static int dmirror_fops_release(struct inode *inode, struct file *file)
{
	struct devpub_dmirror *dmirror = file->private_data;

	devpub_exclusive_destroy(&dmirror->exclusive);
	devpub_channel_destroy(dmirror->channel);
	devpub_device_find_put(dmirror->ddev);
	kfree(dmirror);
	return 0;
}

static int dmirror_flags(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg)
{
	return arg->npages & ~DMIRROR_FLAG_FAIL_ALLOC ? -EINVAL : 0;
}

static int (*const dmirror_ops[])(struct devpub_dmirror *dmirror,
				  struct devpub_dmirror_command *arg) = {
	[DMIRROR_READ]			= devpub_dmirror_read,
	[DMIRROR_WRITE]			= devpub_dmirror_write,
	[DMIRROR_MIGRATE_TO_DEV]	= devpub_dmirror_migrate_to_device,
	[DMIRROR_MIGRATE_TO_SYS]	= devpub_dmirror_migrate_to_system,
	[DMIRROR_SNAPSHOT]		= devpub_dmirror_snapshot,
	[DMIRROR_EXCLUSIVE]		= devpub_dmirror_exclusive,
	[DMIRROR_CHECK_EXCLUSIVE]	= devpub_dmirror_check_exclusive,
	[DMIRROR_RELEASE]		= devpub_dmirror_release,
	[DMIRROR_FLAGS]			= dmirror_flags,
	/* Faults release mmap_lock wherever they can, so both are the same. */
	[DMIRROR_READ_UNLOCKED]		= devpub_dmirror_read,
};

/* Check the caller, the range and the device before each command. */
static int dmirror_check(struct devpub_dmirror *dmirror, unsigned int nr,
			 const struct devpub_dmirror_command *arg)
{
	int ret;

	ret = devpub_mirror_check_caller(dmirror->channel->mirror);
	if (ret)
		return ret;
	if (nr != DMIRROR_FLAGS) {
		if (arg->npages > ULONG_MAX >> PAGE_SHIFT)
			return -EINVAL;
		ret = devpub_range_check(arg->addr, arg->npages << PAGE_SHIFT,
					 current->mm->task_size);
		if (ret)
			return ret;
	}
	return devpub_gate_is_closed(&dmirror->ddev->gate) ? -ENODEV : 0;
}

static long dmirror_ioctl(struct file *file, unsigned int cmd, unsigned long user_)
{
	struct devpub_dmirror *dmirror = file->private_data;
	struct devpub_dmirror_command arg;
	void __user *user = (void __user *)user_;
	unsigned int nr = _IOC_NR(cmd);
	int ret;

	BUILD_BUG_ON(sizeof(arg) != 40);
	if (nr >= ARRAY_SIZE(dmirror_ops) ||
	    cmd != _IOWR(DMIRROR_IOC_MAGIC, nr, struct devpub_dmirror_command))
		return -ENOTTY;
	nr = array_index_nospec(nr, ARRAY_SIZE(dmirror_ops));
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	ret = dmirror_check(dmirror, nr, &arg);
	if (ret)
		return ret;
	arg.cpages = 0;
	arg.faults = 0;
	ret = dmirror_ops[nr](dmirror, &arg);
	if (ret)
		return ret;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/*
 * Map new zeroed pages, so that hmm-tests has a special mapping with struct pages.  A snapshot
 * takes no fault, so the pages are there from the beginning.
 */
static int dmirror_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long addr;
	struct page *page;
	int ret;

	if (vma->vm_end - vma->vm_start > DMIRROR_MAPPING_MAX)
		return -EINVAL;
	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		ret = vm_insert_page(vma, addr, page);
		put_page(page);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct file_operations dmirror_fops = {
	.owner		= THIS_MODULE,
	.open		= dmirror_open,
	.release	= dmirror_fops_release,
	.unlocked_ioctl	= dmirror_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= dmirror_mmap,
};

#define DMIRROR_NODE(_name, _index)		\
	{					\
		.misc = {			\
			.minor	= MISC_DYNAMIC_MINOR,	\
			.name	= (_name),	\
			.fops	= &dmirror_fops,	\
			.mode	= 0600,		\
		},				\
		.index = (_index),		\
	}

static struct dmirror_node dmirror_nodes[] = {
	DMIRROR_NODE("hmm_dmirror2", 0),
	DMIRROR_NODE("hmm_dmirror3", 1),
};

/**
 * devpub_dmirror_publish() - create /dev/hmm_dmirror2 and 3
 *
 * Module init can't fail any more: an open file would outlive the code.  So a failure leaves
 * the module without the node, after a message.
 *
 * Context: module init; process context, may sleep.
 */
void devpub_dmirror_publish(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(dmirror_nodes); i++) {
		ret = misc_register(&dmirror_nodes[i].misc);
		dmirror_nodes[i].published = !ret;
		if (ret)
			pr_err("can't make /dev/%s (%d): load the module again\n",
			       dmirror_nodes[i].misc.name, ret);
	}
}

/**
 * devpub_dmirror_unpublish() - undo devpub_dmirror_publish()
 *
 * No file is open, because an open file keeps the module from being unloaded.
 *
 * Context: module exit.
 */
void devpub_dmirror_unpublish(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dmirror_nodes); i++)
		if (dmirror_nodes[i].published)
			misc_deregister(&dmirror_nodes[i].misc);
}
