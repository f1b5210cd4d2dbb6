// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "aio.h"
#include "device.h"
#include "disk.h"
#include "harness.h"

static void limit(struct aio *aio, const char *bytes)
{
	struct stat stat;
	char line[80];

	CHECK_CALL(fstat(aio->disk, &stat));
	snprintf(line, sizeof(line), "%u:%u rbps=%s wbps=%s",
		 major(stat.st_rdev), minor(stat.st_rdev), bytes, bytes);
	cgroup_write(&aio->group, "io.max", line);
}

void aio_open(struct aio *aio)
{
	char file[160];

	*aio = (struct aio) { 0 };
	if (syscall(SYS_io_setup, 4, &aio->context)) {
		CHECK_EQ(errno, ENOSYS);
		SKIP("no asynchronous I/O: the kernel has no CONFIG_AIO");
	}
	cgroup_create(&aio->group, "io");
	snprintf(file, sizeof(file), "%s/io.max", aio->group.path);
	if (access(file, F_OK)) {
		cgroup_remove(&aio->group);
		SKIP("no io.max: the kernel has no CONFIG_BLK_DEV_THROTTLING");
	}
	aio->loaded = disk_begin();
	aio->disk = open(DISK, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (!aio->loaded || aio->disk < 0) {
		cgroup_remove(&aio->group);
		SKIP(DISK " is in use");
	}
	limit(aio, "512");
	cgroup_enter(&aio->group);
}

void aio_close(struct aio *aio)
{
	cgroup_leave();
	CHECK_CALL(syscall(SYS_io_destroy, aio->context));
	close(aio->disk);
	cgroup_remove(&aio->group);
	disk_end(aio->loaded);
}

static void start(struct aio *aio, int op, const void *addr, size_t bytes)
{
	struct iocb request = {
		.aio_lio_opcode = op, .aio_fildes = aio->disk,
		.aio_buf = address(addr), .aio_nbytes = bytes,
	};
	struct iocb *requests[] = { &request };

	CHECK_EQ(syscall(SYS_io_submit, aio->context, 1, requests), 1);
	aio_check_in_flight(aio);
}

void aio_start_read(struct aio *aio, void *addr, size_t bytes)
{
	start(aio, IOCB_CMD_PREAD, addr, bytes);
}

void aio_start_write(struct aio *aio, const void *addr, size_t bytes)
{
	start(aio, IOCB_CMD_PWRITE, addr, bytes);
}

void aio_check_in_flight(struct aio *aio)
{
	struct timespec none = { 0 };
	struct io_event event;

	CHECK_EQ(syscall(SYS_io_getevents, aio->context, 0, 1, &event, &none),
		 0);
}

void aio_go_on(struct aio *aio)
{
	limit(aio, "max");
}

void aio_await(struct aio *aio, size_t bytes)
{
	struct timespec time = { .tv_sec = 30 };
	struct io_event event;

	CHECK_EQ(syscall(SYS_io_getevents, aio->context, 1, 1, &event, &time),
		 1);
	CHECK_EQ(event.res, bytes);
}
