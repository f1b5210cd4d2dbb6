/* SPDX-License-Identifier: GPL-2.0 */
/* The devices of this host, and the one that an argument names. */
#ifndef DEVPUB_TOOLS_DEVICES_H
#define DEVPUB_TOOLS_DEVICES_H

#include <stddef.h>
#include <stdint.h>
#include <devpub.h>

#define DEVICES_MAX	256

/* What is said where the module is loaded and has none. */
#define DEVICES_NONE	"there is no device; make one: devpubctl create --size 256M"

struct device {
	unsigned int index;
	/* NULL where the caller may not open it; then info is zeros */
	struct devpub *dev;
	struct devpub_info info;
	struct devpub_stats stats;
};

struct devices {
	size_t n;
	struct device device[DEVICES_MAX];
};

/*
 * All devices, with what may be known of each.  0 or an exit status, after a
 * message: when the module is not loaded.
 */
int devices_get(struct devices *devices);
void devices_put(struct devices *devices);
/* Closes them, and keeps what is known of them. */
void devices_close(struct devices *devices);

/* Likewise, for the one that @text names, if @text is not NULL. */
int devices_get_named(struct devices *devices, const char *text);

/* The number of the device that @text names.  0 or an exit status, after a message. */
int devices_index(const char *text, unsigned int *index);

/* The device that @text names, open.  0 or an exit status, after a message. */
int devices_open(const char *text, struct devpub **dev, unsigned int *index);

/* One to begin with: the first that has room, when @text is NULL. */
int devices_open_target(const char *text, struct devpub **dev,
			unsigned int *index);

#endif /* DEVPUB_TOOLS_DEVICES_H */
