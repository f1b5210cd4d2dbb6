// SPDX-License-Identifier: GPL-2.0
/*
 * The device's attributes in /sys/class/devpub/devpubN, all read-only; see
 * Documentation/ABI/sysfs-class-devpub.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

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

DEVPUB_COUNTER(migrated_to, migrated_to);
DEVPUB_COUNTER(migrated_from, migrated_from);
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

DEVPUB_COUNTER(unmapped, refused[DEVPUB_REASON_UNMAPPED]);
DEVPUB_COUNTER(shared, refused[DEVPUB_REASON_SHARED]);
DEVPUB_COUNTER(file, refused[DEVPUB_REASON_FILE]);
DEVPUB_COUNTER(hugetlb, refused[DEVPUB_REASON_HUGETLB]);
DEVPUB_COUNTER(special, refused[DEVPUB_REASON_SPECIAL]);
DEVPUB_COUNTER(large, refused[DEVPUB_REASON_LARGE]);
DEVPUB_COUNTER(ksm, refused[DEVPUB_REASON_KSM]);
DEVPUB_COUNTER(swapcache, refused[DEVPUB_REASON_SWAPCACHE]);
DEVPUB_COUNTER(swapped, refused[DEVPUB_REASON_SWAPPED]);
DEVPUB_COUNTER(pinned, refused[DEVPUB_REASON_PINNED]);
DEVPUB_COUNTER(busy, refused[DEVPUB_REASON_BUSY]);
DEVPUB_COUNTER(no_space, refused[DEVPUB_REASON_NO_SPACE]);
DEVPUB_COUNTER(other_device, refused[DEVPUB_REASON_OTHER_DEVICE]);

static struct attribute *devpub_refused_attrs[] = {
	&dev_attr_unmapped.attr,
	&dev_attr_shared.attr,
	&dev_attr_file.attr,
	&dev_attr_hugetlb.attr,
	&dev_attr_special.attr,
	&dev_attr_large.attr,
	&dev_attr_ksm.attr,
	&dev_attr_swapcache.attr,
	&dev_attr_swapped.attr,
	&dev_attr_pinned.attr,
	&dev_attr_busy.attr,
	&dev_attr_no_space.attr,
	&dev_attr_other_device.attr,
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
