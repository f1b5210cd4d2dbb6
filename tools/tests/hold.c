// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A program for tests: allocates memory and can move a part of it to a device.  It prints
 * "ready", waits for the end of its input, and fails if its memory has changed.
 *
 *	hold SYSTEM-MIB [DEVICE-MIB]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <devpub.h>

static unsigned long *fill(unsigned long *memory, size_t size, unsigned long seed)
{
	size_t i;

	for (i = 0; i < size / sizeof(*memory); i++)
		memory[i] = seed + i;
	return memory;
}

static int differs(const unsigned long *memory, size_t size, unsigned long seed)
{
	size_t i;

	for (i = 0; i < size / sizeof(*memory); i++)
		if (memory[i] != seed + i)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	size_t system = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	size_t device = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : 0;
	unsigned long *a = NULL, *b = NULL;
	struct devpub *dev;
	void *memory;
	char byte;
	int ret;

	if (system) {
		memory = mmap(NULL, system, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return 1;
		a = fill(memory, system, 1);
	}
	if (device) {
		ret = devpub_open_any(device, &dev);
		if (!ret)
			ret = devpub_alloc(dev, device, &memory);
		if (ret) {
			fprintf(stderr, "hold: %s\n", strerror(-ret));
			return 1;
		}
		devpub_close(dev);
		b = fill(memory, device, 2);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return (a && differs(a, system, 1)) || (b && differs(b, device, 2));
}
