// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The read-only attributes of a device in /sys/class/devpub/devpubN.
 * Documentation/ABI/sysfs-class-devpub describes them.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include <devpub_reasons.h>

#include "device/device.h"
#include "front/sysfs.h"

static struct devpub_device *to_ddev(struct device *dev)
{
	return container_of(dev, struct devpub_device, dev);
}

static ssize_t capacity_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_ddev(dev)->region.size);
}
static DEVICE_ATTR_RO(capacity);

static ssize_t free_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	u64 pages = devpub_pool_free_pages(&to_ddev(dev)->pool);

	return sysfs_emit(buf, "%llu\n", pages << PAGE_SHIFT);
}
static DEVICE_ATTR_RO(free);

static ssize_t provider_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%s\n", to_ddev(dev)->region.provider->name);
}
static DEVICE_ATTR_RO(provider);

static ssize_t node_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%d\n", to_ddev(dev)->region.node);
}
static DEVICE_ATTR_RO(node);

#define DEVPUB_COUNTER(_name, _member)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lld\n",				\
			  atomic64_read(&to_ddev(dev)->stats._member));	\
}									\
static DEVICE_ATTR_RO(_name)

DEVPUB_COUNTER(migrated_to, arrived);
DEVPUB_COUNTER(migrated_from, left);
DEVPUB_COUNTER(populated, populated);
DEVPUB_COUNTER(evicted, evicted);

static struct attribute *devpub_attrs[] = {
	&dev_attr_capacity.attr,
	&dev_attr_free.attr,
	&dev_attr_provider.attr,
	&dev_attr_node.attr,
	&dev_attr_migrated_to.attr,
	&dev_attr_migrated_from.attr,
	&dev_attr_populated.attr,
	&dev_attr_evicted.attr,
	NULL
};

static const struct attribute_group devpub_group = {
	.attrs = devpub_attrs,
};

#define DEVPUB_REFUSED_COUNTER(number, name, text) \
	DEVPUB_COUNTER(name, refused[DEVPUB_REASON_##number]);
DEVPUB_REFUSALS(DEVPUB_REFUSED_COUNTER)

#define DEVPUB_REFUSED_ATTR(number, name, text) &dev_attr_##name.attr,
static struct attribute *devpub_refused_attrs[] = {
	DEVPUB_REFUSALS(DEVPUB_REFUSED_ATTR)
	NULL
};

static const struct attribute_group devpub_refused_group = {
	.name = "refused",
	.attrs = devpub_refused_attrs,
};

const struct attribute_group *devpub_sysfs_groups[] = {
	&devpub_group,
	&devpub_refused_group,
	NULL
};
