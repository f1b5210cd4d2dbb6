// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "fuse_server.h"
#include "harness.h"
#include "reads.h"

#define FILE_NODE	2
#define PENDING		256

/* Reads that wait for their time. */
static struct pending {
	uint64_t due;			/* 0 where there is none */
	uint64_t unique, block;
} pending[PENDING];

static uint64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void reply(int fd, uint64_t unique, int error, const void *data, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + size, .error = error, .unique = unique,
	};
	struct iovec parts[] = {
		{ &header, sizeof(header) }, { (void *)data, size },
	};

	/* A reader that was killed does not want it. */
	if (writev(fd, parts, 2) < 0 && errno != ENOENT)
		FAIL("/dev/fuse: %s", strerror(errno));
}

static struct fuse_attr attributes(uint64_t node)
{
	bool file = node == FILE_NODE;

	return (struct fuse_attr) {
		.ino = node, .size = file ? READS_BLOCKS * PAGE : 0, .nlink = 1,
		.mode = file ? S_IFREG | 0444 : S_IFDIR | 0555,
		.uid = getuid(), .gid = getgid(), .blksize = PAGE,
	};
}

static void answer_init(int fd, uint64_t unique)
{
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = PAGE,
		.flags = FUSE_ASYNC_READ | FUSE_ASYNC_DIO, .time_gran = 1,
		.max_background = PENDING, .congestion_threshold = PENDING,
	};

	reply(fd, unique, 0, &out, sizeof(out));
}

static void answer_lookup(int fd, uint64_t unique, const char *name)
{
	const struct fuse_entry_out out = {
		.nodeid = FILE_NODE, .attr_valid = 1000, .entry_valid = 1000,
		.attr = attributes(FILE_NODE),
	};

	if (strcmp(name, "data"))
		reply(fd, unique, -ENOENT, NULL, 0);
	else
		reply(fd, unique, 0, &out, sizeof(out));
}

static void answer_getattr(int fd, uint64_t unique, uint64_t node)
{
	const struct fuse_attr_out out = {
		.attr_valid = 1000, .attr = attributes(node),
	};

	reply(fd, unique, 0, &out, sizeof(out));
}

static void begin_read(uint64_t unique, const struct fuse_read_in *in,
		       unsigned int max_delay_us)
{
	struct pending *slot = pending;

	CHECK_EQ(in->size, PAGE);
	while (slot->due)
		CHECK(++slot < pending + PENDING);
	slot->unique = unique;
	slot->block = in->offset / PAGE;
	slot->due = microseconds() + 1 + rand() % (max_delay_us + 1);
}

static void end_reads(int fd)
{
	uint64_t now = microseconds();
	static char block[PAGE];

	for (size_t i = 0; i < PENDING; i++) {
		if (!pending[i].due || pending[i].due > now)
			continue;
		reads_fill_block(block, pending[i].block);
		reply(fd, pending[i].unique, 0, block, PAGE);
		pending[i].due = 0;
	}
}

/* Returns false when the file system is gone. */
static bool answer(int fd, unsigned int max_delay_us)
{
	static char buffer[FUSE_MIN_READ_BUFFER + PAGE];
	const struct fuse_in_header *header = (void *)buffer;
	const void *body = header + 1;
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };
	ssize_t got = read(fd, buffer, sizeof(buffer));

	if (got < 0)
		return errno == EINTR || errno == ENOENT || errno == EAGAIN;
	switch (header->opcode) {
	case FUSE_INIT:
		answer_init(fd, header->unique);
		break;
	case FUSE_LOOKUP:
		answer_lookup(fd, header->unique, body);
		break;
	case FUSE_GETATTR:
		answer_getattr(fd, header->unique, header->nodeid);
		break;
	case FUSE_OPEN:
		reply(fd, header->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		begin_read(header->unique, body, max_delay_us);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fd, header->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, header->unique, -ENOSYS, NULL, 0);
	}
	return true;
}

static void serve(int fd, unsigned int max_delay_us)
{
	const struct timespec tick = { .tv_nsec = 200000 };
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	bool there = true;

	while (there) {
		if (ppoll(&poll, 1, &tick, NULL) == 1)
			there = answer(fd, max_delay_us);
		end_reads(fd);
	}
}

static void write_map(const char *path, unsigned int id)
{
	char line[32];

	snprintf(line, sizeof(line), "%u %u 1", id, id);
	CHECK_CALL(test_write_text(path, line));
}

void fuse_server_mount(unsigned int max_delay_us)
{
	unsigned int uid = getuid(), gid = getgid();
	char options[96];
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		SKIP("no user namespaces for ordinary users: %s", strerror(errno));
	CHECK_CALL(test_write_text("/proc/self/setgroups", "deny"));
	write_map("/proc/self/uid_map", uid);
	write_map("/proc/self/gid_map", gid);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP("/dev/fuse: %s", strerror(errno));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u",
		 fd, uid, gid);
	CHECK_CALL(mount("devpub-test", "/mnt", "fuse", MS_NODEV | MS_NOSUID, options));
	if (!test_fork()) {
		serve(fd, max_delay_us);
		_exit(0);
	}
	close(fd);
}
