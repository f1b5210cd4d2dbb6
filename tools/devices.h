/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The devices of this host, and the device that an argument names. */
#ifndef DEVPUB_TOOLS_DEVICES_H
#define DEVPUB_TOOLS_DEVICES_H

#include <stddef.h>
#include <stdint.h>
#include <devpub.h>

#define DEVICES_MAX	256

/* The message if the module is loaded and has no device. */
#define DEVICES_NONE	"there is no device; make one: devpubctl create --size 256M"

struct device {
	unsigned int index;
	/* NULL if the caller may not open it; info is zeroed then */
	struct devpub *dev;
	struct devpub_info info;
	struct devpub_stats stats;
};

struct devices {
	size_t n;
	struct device device[DEVICES_MAX];
};

/*
 * Get all devices, with all that the caller may read.  Return 0, or an exit status after a
 * message, if the module is not loaded.
 */
int devices_get(struct devices *devices);
void devices_put(struct devices *devices);
/* Close the devices.  Their properties stay valid. */
void devices_close(struct devices *devices);

/* As devices_get(), but only for the device that @text names, unless @text is NULL. */
int devices_get_named(struct devices *devices, const char *text);

/* Get the number of the device that @text names.  Return 0, or an exit status after a message. */
int devices_index(const char *text, unsigned int *index);

/* Open the device that @text names.  Return 0, or an exit status after a message. */
int devices_open(const char *text, struct devpub **dev, unsigned int *index);

/* The same; if @text is NULL, open the first device. */
int devices_open_any(const char *text, struct devpub **dev, unsigned int *index);

/* The same; if @text is NULL, open the first device with free memory. */
int devices_open_target(const char *text, struct devpub **dev,
			unsigned int *index);

#endif /* DEVPUB_TOOLS_DEVICES_H */
