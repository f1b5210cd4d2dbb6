/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_LIFE_H
#define DEVPUB_LIFE_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "device/device.h"
#include "fake.h"
#include "front/context.h"

struct devpub_registration;
struct devpub_user;
struct file;
struct kunit;
struct platform_device;

/* N of /dev/devpubN, not used by devices of the module's parameters. */
#define DEVPUB_LIFE_INDEX	255
#define DEVPUB_LIFE_SIZE	SZ_4M

/**
 * struct devpub_life_release - the state of a device when its region is released
 * @registered:	/dev/devpubN still existed
 * @live:	the gate was open
 * @users:	calls were inside
 * @pages:	its pages were still registered
 * @out:	number of pages that were not free
 */
struct devpub_life_release {
	bool registered;
	bool live;
	bool users;
	bool pages;
	u32 out;
};

/**
 * struct devpub_life - state of a case with a device of its own (test->priv)
 * @fake:	provider of the device's region
 * @hole:	physical address of the region
 * @spec:	parameters of the device
 * @entry:	the registration, or NULL
 * @pdev:	its platform device, or NULL
 * @ddev:	the device, with a reference, or NULL
 * @release:	the state of the device at the last release of the region
 * @gone:	the region has been released
 * @user:	the process that makes calls
 * @file:	an open file of the device
 * @context:	the module's context of the file
 * @addr:	address of two pages of the process: one for the calls' structs, and a hole
 */
struct devpub_life {
	struct devpub_fake fake;
	u64 hole;
	struct devpub_device_spec spec;
	struct devpub_registration *entry;
	struct platform_device *pdev;
	struct devpub_device *ddev;
	struct devpub_life_release release;
	bool gone;
	struct devpub_user *user;
	struct file *file;
	struct devpub_context context;
	unsigned long addr;
};

int devpub_life_init(struct kunit *test);
void devpub_life_exit(struct kunit *test);

void devpub_life_register(struct kunit *test);
struct devpub_device *devpub_life_create(struct kunit *test);
void devpub_life_remove(struct kunit *test);
int devpub_life_error(struct kunit *test);
void devpub_life_put(struct kunit *test);

void devpub_life_expect_live(struct kunit *test, struct devpub_device *ddev);
void devpub_life_expect_gone(struct kunit *test, struct devpub_device *ddev);
void devpub_life_expect_ioctls(struct kunit *test, struct devpub_device *ddev,
			       long want);
void devpub_life_expect_nothing(struct kunit *test);

#endif /* DEVPUB_LIFE_H */
