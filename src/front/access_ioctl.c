// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The commands of /dev/devpubN that let the device access memory.
 * include/uapi/linux/devpub.h describes their errors.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "access/engine.h"
#include "access/mirror.h"
#include "device/device.h"
#include "engine/process.h"
#include "front/access_ioctl.h"
#include "front/context.h"

/* Maximum number of bytes of READ and WRITE that are in a buffer of the kernel. */
#define ACCESS_BUFFER	SZ_256K

/**
 * devpub_access_ioctl_bind() - execute DEVPUB_IOC_BIND
 * @target: the context of the file
 * @arg_: the command's struct devpub_bind
 * @answered: stays false, since there are no results
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative error.
 */
int devpub_access_ioctl_bind(void *target, void *arg_, bool *answered)
{
	struct devpub_context *context = target;
	struct devpub_device *ddev = context->ddev;
	struct devpub_channel *channel, *old;
	struct devpub_process process;
	struct devpub_bind *arg = arg_;
	int ret;

	if (arg->flags & ~DEVPUB_BIND_PID)
		return -EINVAL;
	if (devpub_gate_is_closed(&ddev->gate))
		return -ENODEV;
	ret = devpub_process_get(&process, arg->flags & DEVPUB_BIND_PID, arg->pid);
	if (ret)
		return ret;

	/* Pairs with cmpxchg() below. */
	old = smp_load_acquire(&context->channel);
	if (!old) {
		channel = devpub_channel_create(&ddev->engine, process.mm);
		if (IS_ERR(channel)) {
			ret = PTR_ERR(channel);
			goto put_process;
		}
		/* Another task may have bound the file meanwhile. */
		old = cmpxchg(&context->channel, NULL, channel);
		if (old)
			devpub_channel_destroy(channel);
	}
	if (old && old->mirror->mm != process.mm)
		ret = -EBUSY;
put_process:
	devpub_process_put(&process);
	return ret;
}

/* Return true if the operation has a buffer, at any address of the caller's. */
static bool access_is_buffered(const struct devpub_access *arg)
{
	return arg->op == DEVPUB_OP_READ || arg->op == DEVPUB_OP_WRITE;
}

/*
 * Copy between the kernel's buffer and the caller's.  Returns the number of bytes that could
 * not be copied.
 */
static unsigned long access_copy(const struct devpub_access *arg, void *buffer,
				 unsigned long n)
{
	void __user *user = u64_to_user_ptr(arg->buffer + arg->done);

	return arg->op == DEVPUB_OP_READ ? copy_to_user(user, buffer, n) :
					   copy_from_user(buffer, user, n);
}

/* Execute the operation of the next @n bytes, and add what it did to the results. */
static int access_execute(struct devpub_channel *channel, struct devpub_access *arg,
			  void *buffer, unsigned long n)
{
	struct devpub_operation operation = {
		.op		= arg->op,
		.addr		= arg->addr + arg->done,
		.length		= n,
		.other		= arg->other ? arg->other + arg->done : 0,
		.buffer		= buffer,
		.operand	= arg->operand,
		.compare	= arg->compare,
	};
	unsigned long left = 0;
	int ret;

	ret = devpub_channel_execute(channel, &operation);
	if (arg->op == DEVPUB_OP_READ) {
		left = access_copy(arg, buffer, operation.done);
		operation.done -= left;
	}
	arg->done += operation.done;
	arg->faults += operation.faults;
	arg->result = operation.result;
	if (left) {
		arg->fault_addr = arg->buffer + arg->done;
		return -EFAULT;
	}
	if (ret == -EFAULT || ret == -EHWPOISON)
		arg->fault_addr = operation.fault_addr;
	return ret;
}

/* Execute a READ or WRITE in parts that fit into a buffer of the kernel. */
static int access_buffered(struct devpub_channel *channel, struct devpub_access *arg)
{
	unsigned long n = min_t(u64, arg->length, ACCESS_BUFFER), left;
	void *buffer = kvmalloc(n, GFP_KERNEL_ACCOUNT);
	int ret = 0;

	if (!buffer)
		return -ENOMEM;
	while (!ret && arg->done < arg->length) {
		n = min_t(u64, arg->length - arg->done, ACCESS_BUFFER);
		left = 0;
		if (arg->op == DEVPUB_OP_WRITE) {
			left = access_copy(arg, buffer, n);
			n -= left;
		}
		if (n)
			ret = access_execute(channel, arg, buffer, n);
		if (!ret && left) {
			arg->fault_addr = arg->buffer + arg->done;
			ret = -EFAULT;
		}
		if (!ret && arg->done < arg->length && signal_pending(current))
			ret = -EINTR;
	}
	kvfree(buffer);
	return ret;
}

static int access_check(const struct devpub_channel *channel,
			const struct devpub_access *arg)
{
	const struct devpub_operation operation = {
		.op		= arg->op,
		.addr		= arg->addr,
		.length		= arg->length,
		.other		= arg->other,
		.operand	= arg->operand,
		.compare	= arg->compare,
	};

	if (arg->buffer && !access_is_buffered(arg))
		return -EINVAL;
	return devpub_operation_check(&operation,
				      READ_ONCE(channel->mirror->mm->task_size));
}

/**
 * devpub_access_ioctl_access() - execute DEVPUB_IOC_ACCESS
 * @target: the context of the file
 * @arg_: the command's struct devpub_access
 * @answered: set to true when the operation has begun
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative error.
 */
int devpub_access_ioctl_access(void *target, void *arg_, bool *answered)
{
	struct devpub_context *context = target;
	/* Pairs with cmpxchg() in devpub_access_ioctl_bind(). */
	struct devpub_channel *channel = smp_load_acquire(&context->channel);
	struct devpub_access *arg = arg_;
	int ret;

	if (arg->flags)
		return -EINVAL;
	if (devpub_gate_is_closed(&context->ddev->gate))
		return -ENODEV;
	if (!channel)
		return -ENOTCONN;
	ret = devpub_mirror_check_caller(channel->mirror);
	if (ret)
		return ret;
	ret = access_check(channel, arg);
	if (ret)
		return ret;

	arg->result = 0;
	arg->done = 0;
	arg->faults = 0;
	arg->migrations = 0;
	arg->fault_addr = 0;
	ret = access_is_buffered(arg) ? access_buffered(channel, arg) :
					access_execute(channel, arg, NULL, arg->length);
	*answered = true;
	return ret;
}
