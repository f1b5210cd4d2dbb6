// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Processes for tests, with real address spaces that can fork.  The kernel exports no function
 * that creates one.  Kernels up to 6.12 lack KUnit's functions (kunit_attach_mm(),
 * kunit_vm_mmap()), or do not export all of them.
 *
 * The kernel starts the program of helper.c, which opens a device of this file and reads system
 * calls to make from it.  A test lets the process map, fork, mprotect and so on by
 * devpub_user_call().  The test's own thread accesses the memory, so that faults happen on the
 * processor that the test runs on.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/umh.h>
#include <linux/wait.h>

#include "user.h"

/* The timeout for events that take milliseconds. */
#define USER_TIMEOUT	(60 * HZ)

/* 6.1 runs the cases also before the module parameters are parsed. */
static char *helper = "/devpub/kunit-helper";
module_param(helper, charp, 0444);
MODULE_PARM_DESC(helper, "Path of the helper program");

static DEFINE_MUTEX(users_lock); /* protects the list, and the state and call of each process */
static DECLARE_WAIT_QUEUE_HEAD(users_wait);
static LIST_HEAD(users);
static atomic_t users_open = ATOMIC_INIT(0);

static struct devpub_user *user_find(pid_t pid)
{
	struct devpub_user *user;

	list_for_each_entry(user, &users, list)
		if (user->pid == pid)
			return user;
	return NULL;
}

/* Create the struct of the calling process at its first request. */
static struct devpub_user *user_add(void)
{
	struct devpub_user *user = kzalloc(sizeof(*user), GFP_KERNEL);

	if (!user)
		return NULL;
	user->pid = task_tgid_nr(current);
	user->mm = get_task_mm(current);
	user->state = DEVPUB_USER_NEW;
	list_add_tail(&user->list, &users);
	return user;
}

static bool user_in_state(struct devpub_user *user, int one, int other)
{
	/* The acquire makes the result of the call visible together with the state. */
	int state = smp_load_acquire(&user->state);

	return state == one || state == other;
}

static void user_set_state(struct devpub_user *user, int state)
{
	/* Pairs with user_in_state(). */
	smp_store_release(&user->state, state);
	wake_up_all(&users_wait);
}

static long helper_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct devpub_helper_call call;
	struct devpub_user *user;
	bool end;

	if (cmd != DEVPUB_HELPER_NEXT)
		return -ENOTTY;
	if (copy_from_user(&call, (void __user *)arg, sizeof(call)))
		return -EFAULT;

	mutex_lock(&users_lock);
	user = user_find(task_tgid_nr(current)) ?: user_add();
	if (user && user->state == DEVPUB_USER_BUSY) {
		user->call.result = call.result;
		user_set_state(user, DEVPUB_USER_IDLE);
	}
	wake_up_all(&users_wait);
	mutex_unlock(&users_lock);
	if (!user)
		return -ENOMEM;

	if (wait_event_killable(users_wait,
				user_in_state(user, DEVPUB_USER_ASKED,
					      DEVPUB_USER_END)))
		return -EINTR;

	mutex_lock(&users_lock);
	call = user->call;
	end = user->state == DEVPUB_USER_END;
	if (!end)
		user_set_state(user, DEVPUB_USER_BUSY);
	mutex_unlock(&users_lock);
	if (end)
		return -ESHUTDOWN;
	return copy_to_user((void __user *)arg, &call, sizeof(call)) ? -EFAULT : 0;
}

static int helper_open(struct inode *inode, struct file *file)
{
	atomic_inc(&users_open);
	return 0;
}

static int helper_release(struct inode *inode, struct file *file)
{
	atomic_dec(&users_open);
	wake_up_all(&users_wait);
	return 0;
}

static const struct file_operations helper_fops = {
	.owner		= THIS_MODULE,
	.open		= helper_open,
	.release	= helper_release,
	.unlocked_ioctl	= helper_ioctl,
};

static struct miscdevice helper_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= DEVPUB_HELPER_NAME,
	.fops	= &helper_fops,
};

/**
 * devpub_users_begin() - let a case create processes
 *
 * The module's init does not do this, because 6.1 runs the cases before it.
 *
 * Return: 0 or a negative error.
 */
int devpub_users_begin(void)
{
	return misc_register(&helper_device);
}

/* Claim the new process with this number, or any new one if 0; NULL if there is none. */
static struct devpub_user *user_claim(pid_t pid)
{
	struct devpub_user *user, *found = NULL;

	mutex_lock(&users_lock);
	list_for_each_entry(user, &users, list)
		if (user->state == DEVPUB_USER_NEW && (!pid || user->pid == pid))
			found = user;
	if (found)
		user_set_state(found, DEVPUB_USER_IDLE);
	mutex_unlock(&users_lock);
	return found;
}

/* wait_event() is not possible here, because user_claim() may sleep. */
static struct devpub_user *user_await(pid_t pid)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct devpub_user *user;
	long left = USER_TIMEOUT;

	add_wait_queue(&users_wait, &wait);
	while (!(user = user_claim(pid)) && left)
		left = wait_woken(&wait, TASK_UNINTERRUPTIBLE, left);
	remove_wait_queue(&users_wait, &wait);
	return user;
}

/**
 * devpub_user_start() - create a process with an address space of its own
 * @test: the case; asserts that this succeeds
 *
 * Return: the process, which ends with the case at the latest.
 */
struct devpub_user *devpub_user_start(struct kunit *test)
{
	char *argv[2] = { helper, NULL };
	struct devpub_user *user;
	int ret;

	ret = call_usermodehelper(helper, argv, NULL, UMH_WAIT_EXEC);
	KUNIT_ASSERT_EQ_MSG(test, ret, 0,
			    "can't run %s: put kunit/helper.c there, built static, or say where by helper=",
			    helper);
	user = user_await(0);
	KUNIT_ASSERT_NOT_NULL(test, user);
	KUNIT_ASSERT_NOT_NULL(test, user->mm);
	return user;
}

/**
 * devpub_user_fork() - create a child process
 * @test: the case; asserts that this succeeds
 * @user: the parent
 *
 * Return: the child.
 */
struct devpub_user *devpub_user_fork(struct kunit *test,
				     struct devpub_user *user)
{
	struct devpub_user *child;
	long pid = devpub_user_call(user, __NR_clone, SIGCHLD);

	KUNIT_ASSERT_GT(test, pid, 0);
	child = user_await(pid);
	KUNIT_ASSERT_NOT_NULL(test, child);
	KUNIT_ASSERT_NOT_NULL(test, child->mm);
	return child;
}

/**
 * devpub_user_stop() - end a process and its address space
 * @test: the case
 * @user: the process; not valid afterwards
 *
 * All mappings are unmapped when this returns.  A process that does not end may still be in
 * helper_ioctl(), so this leaks the struct in that case.
 */
void devpub_user_stop(struct kunit *test, struct devpub_user *user)
{
	bool ended = false;

	mutex_lock(&users_lock);
	user_set_state(user, DEVPUB_USER_END);
	mutex_unlock(&users_lock);

	/* Wait until this is the last reference, so that mmput() below unmaps. */
	if (user->mm) {
		unsigned long end = jiffies + USER_TIMEOUT;

		while (atomic_read(&user->mm->mm_users) > 1 &&
		       time_before(jiffies, end))
			schedule_timeout_uninterruptible(1);
		ended = atomic_read(&user->mm->mm_users) == 1;
		KUNIT_EXPECT_TRUE_MSG(test, ended, "process %d does not end",
				      user->pid);
		mmput(user->mm);
	}

	mutex_lock(&users_lock);
	list_del(&user->list);
	mutex_unlock(&users_lock);
	if (ended)
		kfree(user);
}

static struct devpub_user *user_first(void)
{
	struct devpub_user *user;

	mutex_lock(&users_lock);
	user = list_first_entry_or_null(&users, struct devpub_user, list);
	mutex_unlock(&users_lock);
	return user;
}

/**
 * devpub_users_end() - end all processes of a case
 * @test: the case
 */
void devpub_users_end(struct kunit *test)
{
	struct devpub_user *user;

	while ((user = user_first()))
		devpub_user_stop(test, user);
	wait_event_timeout(users_wait, !atomic_read(&users_open), USER_TIMEOUT);
	KUNIT_EXPECT_EQ(test, atomic_read(&users_open), 0);
	misc_deregister(&helper_device);
}

/**
 * devpub_user_call_args() - let a process make a system call, for devpub_user_call()
 * @user: the process
 * @nr: number of the system call
 * @args: its arguments
 *
 * Return: the return value of the system call, or -ETIMEDOUT.
 */
long devpub_user_call_args(struct devpub_user *user, long nr, const u64 args[6])
{
	mutex_lock(&users_lock);
	user->call.nr = nr;
	memcpy(user->call.args, args, sizeof(user->call.args));
	user_set_state(user, DEVPUB_USER_ASKED);
	mutex_unlock(&users_lock);

	if (!wait_event_timeout(users_wait,
				user_in_state(user, DEVPUB_USER_IDLE,
					      DEVPUB_USER_IDLE), USER_TIMEOUT))
		return -ETIMEDOUT;
	return user->call.result;
}

/**
 * devpub_user_mmap() - map private anonymous memory
 * @test: the case; asserts that this succeeds
 * @user: the process
 * @npages: number of pages
 * @prot: PROT_...
 *
 * This faults no page in.
 *
 * Return: the address.
 */
unsigned long devpub_user_mmap(struct kunit *test, struct devpub_user *user,
			       unsigned long npages, int prot)
{
	long addr = devpub_user_call(user, __NR_mmap, 0, npages << PAGE_SHIFT,
				     prot, MAP_PRIVATE | MAP_ANONYMOUS, -1ULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/**
 * devpub_user_write() - write to a process's memory in its address space
 * @user: the process
 * @addr: the address
 * @value: the value
 *
 * Context: a kernel thread.
 * Return: 0 or -EFAULT.
 */
int devpub_user_write(struct devpub_user *user, unsigned long addr, u64 value)
{
	int ret;

	kthread_use_mm(user->mm);
	ret = put_user(value, (u64 __user *)addr);
	kthread_unuse_mm(user->mm);
	return ret;
}

/**
 * devpub_user_read() - read a process's memory in its address space
 * @user: the process
 * @addr: the address
 * @value: receives the value
 *
 * Context: a kernel thread.
 * Return: 0 or -EFAULT.
 */
int devpub_user_read(struct devpub_user *user, unsigned long addr, u64 *value)
{
	int ret;

	kthread_use_mm(user->mm);
	ret = get_user(*value, (u64 __user *)addr);
	kthread_unuse_mm(user->mm);
	return ret;
}
