// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Load and unload a module, and print the exact errno, because the messages of insmod differ
 * between systems.  Also create and remove devices.
 *
 *	mod load FILE [PARAMETERS]
 *	mod unload NAME
 *	mod create MIB
 *	mod destroy INDEX
 *
 * Prints "ok" and exits with 0, or prints the errno's name and exits with 1.  If a device can't
 * be removed, the number of remaining pages follows the errno.  The kernel decompresses a FILE
 * that ends in .xz, .zst or .gz.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/devpub.h>
#include <linux/module.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers before Linux 5.17 lack this flag. */
#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

static bool compressed(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && (!strcmp(end, ".xz") || !strcmp(end, ".zst") ||
		       !strcmp(end, ".gz"));
}

static int control(const char *command, const char *number)
{
	struct devpub_create create = {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = strtoull(number, NULL, 10) << 20,
		.node = -1,
	};
	struct devpub_destroy destroy = { .index = atoi(number) };
	int file = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);
	int ret;

	if (file < 0) {
		perror("/dev/devpub-control");
		return 2;
	}
	if (!strcmp(command, "create"))
		ret = ioctl(file, DEVPUB_IOC_CREATE, &create);
	else
		ret = ioctl(file, DEVPUB_IOC_DESTROY, &destroy);
	fputs(ret ? strerrorname_np(errno) : "ok", stdout);
	if (destroy.remaining)
		printf(" %llu", (unsigned long long)destroy.remaining);
	puts("");
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	int file, flags = 0;
	long ret;

	if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "load")) {
		file = open(argv[2], O_RDONLY | O_CLOEXEC);
		if (file < 0) {
			perror(argv[2]);
			return 2;
		}
		if (compressed(argv[2]))
			flags = MODULE_INIT_COMPRESSED_FILE;
		ret = syscall(SYS_finit_module, file, argc == 4 ? argv[3] : "",
			      flags);
		/* The module itself returns other errors. */
		if (ret && flags && errno == EOPNOTSUPP) {
			fprintf(stderr,
				"%s: this kernel decompresses no modules (CONFIG_MODULE_DECOMPRESS): decompress the file\n",
				argv[2]);
			errno = EOPNOTSUPP;
		}
	} else if (argc == 3 && (!strcmp(argv[1], "create") ||
				 !strcmp(argv[1], "destroy"))) {
		return control(argv[1], argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "unload")) {
		ret = syscall(SYS_delete_module, argv[2], O_NONBLOCK);
	} else {
		fprintf(stderr,
			"usage: mod load FILE [PARAMETERS] | unload NAME | create MIB | destroy INDEX\n");
		return 2;
	}
	puts(ret ? strerrorname_np(errno) : "ok");
	return ret ? 1 : 0;
}
