// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests that need no device: calls that the library refuses, and handles of processes. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* The library refuses these calls before it uses the device, which is not open here. */
int test_arguments(void)
{
	struct devpub dev = { .fd = open("/dev/null", O_RDWR), .page_size = 4096 };
	struct devpub_range two[] = { { 4096, 4096 }, { 8192, 1 } };
	const struct devpub_range past = { 4096, -4096ULL };
	struct devpub_outcome outcome;
	char *page = (char *)4096;

	CHECK_EQ(devpub_migrate_to(&dev, page, 0, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to(&dev, page + 1, 4096, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to(&dev, page, 4095, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to_v(&dev, NULL, &past, 1, 0, NULL, NULL), -EOVERFLOW);
	CHECK_EQ(devpub_migrate_to(&dev, page, 4096, DEVPUB_MIGRATE_PID, NULL,
				   NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_from(&dev, page, 4096, DEVPUB_MIGRATE_POPULATE,
				     NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to_v(&dev, NULL, two, 0, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to_v(&dev, NULL, two, 2, 0, NULL, &outcome),
		 -EINVAL);
	CHECK_EQ(devpub_query(&dev, page, 1, NULL, NULL), -EINVAL);
	CHECK_EQ(devpub_migrate_to(&dev, page, 4096, 0, NULL, NULL), -ENOTTY);
	close(dev.fd);
	return 0;
}

/*
 * A 64-bit process may have more pages than a 32-bit caller can count.  The library must
 * not allocate an array that is smaller than what the kernel writes.
 */
int test_wide_ranges(void)
{
	struct devpub dev = { .fd = open("/dev/null", O_RDWR), .page_size = 4096 };
	const struct devpub_range wide = { 0, (1ULL << 44) + 4096 };
	const struct devpub_range all = { 0, -4096ULL };
	struct devpub_range *many;
	struct devpub_locations counts;
	struct devpub_outcome outcome;
	unsigned char reasons[1] = { 42 };
	const size_t n = 5000;
	size_t i;

	if (sizeof(size_t) == 4) {
		CHECK_EQ(devpub_migrate_to_v(&dev, NULL, &wide, 1, 0, NULL, &outcome),
			 -ENOMEM);
		CHECK_EQ(devpub_migrate_from_v(&dev, NULL, &wide, 1, 0, NULL, &outcome),
			 -ENOMEM);
		CHECK_EQ(devpub_migrate_to_v(&dev, NULL, &wide, 1, 0, reasons, NULL),
			 -EFAULT);
		CHECK_EQ(devpub_query_v(&dev, NULL, &wide, 1, reasons, &counts),
			 -EFAULT);
	}
	/* Without an array, the number of pages does not matter. */
	CHECK_EQ(devpub_query_v(&dev, NULL, &wide, 1, NULL, &counts), -ENOTTY);
	many = malloc(n * sizeof(*many));
	for (i = 0; many && i < n; i++)
		many[i] = all;
	CHECK_EQ(devpub_query_v(&dev, NULL, many, n, reasons, NULL), -EOVERFLOW);
	CHECK_EQ(devpub_migrate_to_v(&dev, NULL, many, n, 0, reasons, NULL),
		 -EOVERFLOW);
	CHECK_EQ(reasons[0], 42);
	free(many);
	close(dev.fd);
	return 0;
}

int test_absent_device(void)
{
	struct devpub *dev = NULL;
	struct devpub_stats stats;

	CHECK_EQ(devpub_open(65535, &dev), -ENODEV);
	CHECK_EQ(devpub_stats(65535, &stats), -ENODEV);
	if (access(CLASS_DIR, F_OK)) {
		unsigned int index;

		CHECK_EQ(devpub_list(NULL, 0), -ENODEV);
		CHECK_EQ(devpub_open_any(0, &dev), -ENODEV);
		CHECK_EQ(devpub_destroy(0, NULL), -ENODEV);
		CHECK_EQ(devpub_create_carved(1 << 27, -1, &index), -ENODEV);
	}
	devpub_close(NULL);
	return 0;
}

int test_attach(void)
{
	struct devpub_process *process = NULL, *again = NULL;
	pid_t child;

	CHECK_EQ(devpub_attach(getpid(), &process), 0);
	CHECK_EQ(process->pid, getpid());
	CHECK_EQ(devpub_attach_fd(process->pidfd, &again), 0);
	CHECK_EQ(again->pid, getpid());
	devpub_detach(again);
	devpub_detach(process);
	CHECK_EQ(devpub_attach(0, &process), -EINVAL);
	CHECK_EQ(devpub_attach(-1, &process), -EINVAL);
	CHECK_EQ(devpub_attach_fd(-1, &process), -EBADF);
	CHECK_EQ(devpub_attach_fd(STDOUT_FILENO, &process), -EBADF);
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	CHECK_EQ(devpub_attach(child, &process), -ESRCH);
	devpub_detach(NULL);
	return 0;
}

/* Without a free descriptor, the library still detects if a process has ended. */
int test_no_descriptors(void)
{
	struct devpub dev = { .fd = open("/dev/null", O_RDWR), .page_size = 4096 };
	const struct devpub_range range = { 4096, 4096 };
	struct devpub_process *gone, *alive;
	struct devpub *any;
	struct rlimit limit, none;
	int end[2], of_gone, of_alive, of_any;
	pid_t child;
	char byte;

	CHECK_EQ(devpub_attach(getpid(), &alive), 0);
	CHECK_EQ(pipe(end), 0);
	child = fork();
	if (!child) {
		close(end[1]);
		_exit(read(end[0], &byte, 1) != 0);
	}
	CHECK_EQ(devpub_attach(child, &gone), 0);
	close(end[0]);
	close(end[1]);
	waitpid(child, NULL, 0);
	/* Simulate that another process has the number. */
	gone->pid = getpid();

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	of_gone = devpub_query_v(&dev, gone, &range, 1, NULL, NULL);
	of_alive = devpub_query_v(&dev, alive, &range, 1, NULL, NULL);
	of_any = devpub_open_any(0, &any);
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK_EQ(of_gone, -ESRCH);
	CHECK_EQ(of_alive, -ENOTTY);
	/* The error must not be -ENODEV. */
	CHECK_EQ(of_any, -EMFILE);
	devpub_detach(gone);
	devpub_detach(alive);
	close(dev.fd);
	return 0;
}
