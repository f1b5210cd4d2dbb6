// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <string.h>

#include "ctl.h"
#include "devices.h"
#include "text.h"

/* Skip devices that are removed meanwhile.  Leave devices closed that the caller may not open. */
static int device_get(struct device *device, unsigned int index)
{
	int ret;

	*device = (struct device) { .index = index };
	ret = devpub_stats(index, &device->stats);
	if (ret)
		return ret;
	ret = devpub_open(index, &device->dev);
	if (ret)
		return ret == -EACCES || ret == -EPERM ? 0 : ret;
	ret = devpub_info(device->dev, &device->info);
	if (ret) {
		devpub_close(device->dev);
		device->dev = NULL;
	}
	return ret;
}

int devices_index(const char *text, unsigned int *index)
{
	if (text_parse_device(text, index))
		return 0;
	return ctl_fail(CTL_USAGE, "'%s' names no device; write devpubN, as in: devpubctl list",
			text);
}

int devices_get(struct devices *devices)
{
	unsigned int index[DEVICES_MAX];
	int i, n, ret;

	devices->n = 0;
	n = devpub_list(index, DEVICES_MAX);
	if (n < 0)
		return ctl_error(n, "devices");
	for (i = 0; i < n && i < DEVICES_MAX; i++) {
		ret = device_get(&devices->device[devices->n], index[i]);
		if (!ret)
			devices->n++;
		if (ret && ret != -ENODEV) {
			devices_put(devices);
			return ctl_error(ret, "devpub%u", index[i]);
		}
	}
	return 0;
}

int devices_get_named(struct devices *devices, const char *text)
{
	unsigned int index;
	int ret;

	if (!text)
		return devices_get(devices);
	devices->n = 0;
	ret = devices_index(text, &index);
	if (ret)
		return ret;
	ret = device_get(&devices->device[0], index);
	if (ret)
		return ctl_error(ret, "devpub%u", index);
	devices->n = 1;
	return 0;
}

void devices_close(struct devices *devices)
{
	size_t i;

	for (i = 0; i < devices->n; i++) {
		devpub_close(devices->device[i].dev);
		devices->device[i].dev = NULL;
	}
}

void devices_put(struct devices *devices)
{
	devices_close(devices);
	devices->n = 0;
}

int devices_open(const char *text, struct devpub **dev, unsigned int *index)
{
	int ret;

	ret = devices_index(text, index);
	if (ret)
		return ret;
	ret = devpub_open(*index, dev);
	if (ret)
		return ctl_error(ret, "devpub%u", *index);
	return 0;
}

/* Without a name, open the first device with @free bytes of free memory. */
static int open_first(const char *text, uint64_t free, struct devpub **dev,
		      unsigned int *index)
{
	struct devpub_info info;
	int ret;

	if (text)
		return devices_open(text, dev, index);
	ret = devpub_open_any(free, dev);
	if (ret == -ENODEV && devpub_list(NULL, 0) == 0)
		return ctl_fail(CTL_NO_DEVICE, DEVICES_NONE);
	if (ret == -ENOSPC)
		return ctl_fail(CTL_FAILED, "all devices are full; see: devpubctl list");
	if (!ret)
		ret = devpub_info(*dev, &info);
	if (ret)
		return ctl_error(ret, "devices");
	*index = info.index;
	return 0;
}

int devices_open_any(const char *text, struct devpub **dev, unsigned int *index)
{
	return open_first(text, 0, dev, index);
}

int devices_open_target(const char *text, struct devpub **dev,
			unsigned int *index)
{
	return open_first(text, 1, dev, index);
}
