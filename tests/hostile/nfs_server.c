// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A small NFS server with one file, for direct I/O that arrives late: RFC 5531 (RPC), RFC 1813
 * (NFS version 3 and its mount protocol).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "nfs_server.h"
#include "reads.h"

#define PROGRAM_NFS	100003
#define PROGRAM_MOUNT	100005

#define NFS_GETATTR	1
#define NFS_LOOKUP	3
#define NFS_ACCESS	4
#define NFS_READ	6
#define NFS_FSSTAT	18
#define NFS_FSINFO	19
#define NFS_PATHCONF	20
#define MOUNT_MNT	1

#define NFS3ERR_NOENT	2
#define NFS3ERR_NOTSUPP	10004

#define HANDLE_ROOT	1
#define HANDLE_FILE	2

#define LAST_FRAGMENT	0x80000000U
#define CONNECTIONS	8
#define PENDING		256

/* A message that was received or is to be sent: words in network byte order. */
struct message {
	size_t words, at;
	uint32_t data[2048];
};

static uint32_t get(struct message *in)
{
	return in->at < in->words ? ntohl(in->data[in->at++]) : 0;
}

static uint64_t get64(struct message *in)
{
	uint64_t high = get(in);

	return high << 32 | get(in);
}

/* Skip bytes that follow their number, and return the first word of them. */
static uint32_t get_opaque(struct message *in)
{
	uint32_t words = (get(in) + 3) / 4;
	uint32_t first = in->at < in->words ? ntohl(in->data[in->at]) : 0;

	in->at += words;
	return words ? first : 0;
}

static void put(struct message *out, uint32_t value)
{
	CHECK_CMP(out->words, <, sizeof(out->data) / sizeof(out->data[0]));
	out->data[out->words++] = htonl(value);
}

static void put64(struct message *out, uint64_t value)
{
	put(out, value >> 32);
	put(out, value);
}

static void put_handle(struct message *out, uint32_t handle)
{
	put(out, 4);
	put(out, handle);
}

static void put_attributes(struct message *out, uint32_t handle)
{
	bool file = handle == HANDLE_FILE;
	uint64_t size = file ? READS_BLOCKS * PAGE : PAGE;

	put(out, file ? 1 : 2);
	put(out, file ? 0444 : 0555);
	put(out, 1);			/* links */
	put64(out, 0);			/* user and group */
	put64(out, size);
	put64(out, size);
	put64(out, 0);			/* device */
	put64(out, 1);			/* file system */
	put64(out, handle);
	for (int i = 0; i < 3; i++)
		put64(out, 1ULL << 32);	/* times */
}

static void put_status(struct message *out, uint32_t status, uint32_t handle)
{
	put(out, status);
	put(out, 1);
	put_attributes(out, handle);
}

static void answer_read(struct message *in, struct message *out, uint32_t handle)
{
	uint64_t offset = get64(in);
	uint32_t count = get(in);

	put_status(out, 0, handle);
	if (count > PAGE)
		count = PAGE;
	if (offset >= READS_BLOCKS * PAGE)
		count = 0;
	CHECK_EQ(offset % PAGE, 0);
	put(out, count);
	put(out, offset + count >= READS_BLOCKS * PAGE);
	put(out, count);
	CHECK_CMP(out->words + PAGE / 4, <=, sizeof(out->data) / 4);
	if (count)
		reads_fill_block(out->data + out->words, offset / PAGE);
	out->words += count / 4;
}

static void answer_nfs(uint32_t procedure, struct message *in,
		       struct message *out)
{
	uint32_t handle = get_opaque(in);
	bool found;

	switch (procedure) {
	case NFS_GETATTR:
		put(out, 0);
		put_attributes(out, handle);
		break;
	case NFS_LOOKUP:
		found = get_opaque(in) == 0x64617461;	/* "data" */
		put(out, found ? 0 : NFS3ERR_NOENT);
		if (found) {
			put_handle(out, HANDLE_FILE);
			put(out, 1);
			put_attributes(out, HANDLE_FILE);
		}
		put(out, 1);
		put_attributes(out, handle);
		break;
	case NFS_ACCESS:
		put_status(out, 0, handle);
		put(out, get(in) & 0x23);	/* read, look up, execute */
		break;
	case NFS_READ:
		answer_read(in, out, handle);
		break;
	case NFS_FSSTAT:
		put_status(out, 0, handle);
		for (int i = 0; i < 6; i++)
			put64(out, 1 << 20);
		put(out, 0);
		break;
	case NFS_FSINFO:
		put_status(out, 0, handle);
		for (int i = 0; i < 7; i++)
			put(out, PAGE);
		put64(out, 1ULL << 40);
		put64(out, 1);			/* granularity of times */
		put(out, 0x18);
		break;
	case NFS_PATHCONF:
		put_status(out, 0, handle);
		for (int i = 0; i < 6; i++)
			put(out, i < 2 ? 255 : 1);
		break;
	default:
		put(out, NFS3ERR_NOTSUPP);
		put64(out, 0);
	}
}

/* Write the reply to a call.  Return true if the call is an NFS_READ. */
static bool answer(struct message *in, struct message *out)
{
	uint32_t call = get(in), program, procedure;

	get64(in);			/* type of the message, version of RPC */
	program = get(in);
	get(in);
	procedure = get(in);
	for (int i = 0; i < 2; i++) {	/* credentials and their verifier */
		get(in);
		get_opaque(in);
	}

	out->words = 1;			/* leave room for the header of the fragment */
	put(out, call);
	put(out, 1);			/* a reply */
	for (int i = 0; i < 4; i++)
		put(out, 0);		/* accepted, no verifier, success */
	if (program == PROGRAM_MOUNT && procedure == MOUNT_MNT) {
		put(out, 0);
		put_handle(out, HANDLE_ROOT);
		put(out, 1);
		put(out, 1);		/* AUTH_SYS */
	} else if (program == PROGRAM_NFS && procedure) {
		answer_nfs(procedure, in, out);
	}
	out->data[0] = htonl(LAST_FRAGMENT | (out->words - 1) * 4);
	return program == PROGRAM_NFS && procedure == NFS_READ;
}

static bool read_all(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool receive(int fd, struct message *in)
{
	uint32_t header;

	if (!read_all(fd, &header, sizeof(header)))
		return false;
	header = ntohl(header) & ~LAST_FRAGMENT;
	if (header > sizeof(in->data) || !read_all(fd, in->data, header))
		return false;
	in->words = header / 4;
	in->at = 0;
	return true;
}

static uint64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* Replies that are sent later. */
static struct pending {
	uint64_t due;			/* in microseconds; 0 if the entry is free */
	int fd;
	struct message reply;
} pending[PENDING];

static void send_reply(int fd, const struct message *reply)
{
	/* An error means that the client has closed the connection. */
	send(fd, reply->data, reply->words * 4, MSG_NOSIGNAL);
}

static void send_due(void)
{
	uint64_t now = microseconds();

	for (size_t i = 0; i < PENDING; i++) {
		if (!pending[i].due || pending[i].due > now)
			continue;
		send_reply(pending[i].fd, &pending[i].reply);
		pending[i].due = 0;
	}
}

static bool serve_call(int fd, unsigned int max_delay_us)
{
	static struct message in;
	struct pending *slot = pending;

	while (slot < pending + PENDING - 1 && slot->due)
		slot++;
	if (slot->due)
		send_reply(slot->fd, &slot->reply);
	slot->due = 0;
	slot->fd = fd;
	if (!receive(fd, &in))
		return false;
	if (answer(&in, &slot->reply))
		slot->due = microseconds() + 1 + rand() % (max_delay_us + 1);
	else
		send_reply(fd, &slot->reply);
	return true;
}

static void serve(int listener, unsigned int max_delay_us)
{
	struct pollfd fds[1 + CONNECTIONS] = { { listener, POLLIN, 0 } };
	const struct timespec tick = { .tv_nsec = 200000 };
	int count = 1, one = 1;

	for (;;) {
		ppoll(fds, count, &tick, NULL);
		if (fds[0].revents && count <= CONNECTIONS) {
			fds[count].fd = accept(listener, NULL, NULL);
			fds[count].events = POLLIN;
			fds[count].revents = 0;
			setsockopt(fds[count].fd, IPPROTO_TCP, TCP_NODELAY, &one,
				   sizeof(one));
			count++;
		}
		for (int i = 1; i < count; i++) {
			if (!fds[i].revents || serve_call(fds[i].fd, max_delay_us))
				continue;
			close(fds[i].fd);
			for (size_t j = 0; j < PENDING; j++)
				if (pending[j].fd == fds[i].fd)
					pending[j].due = 0;
			fds[i--] = fds[--count];
		}
		send_due();
	}
}

int nfs_server_start(unsigned int max_delay_us)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_CALL(listener);
	CHECK_CALL(bind(listener, (struct sockaddr *)&addr, size));
	CHECK_CALL(listen(listener, CONNECTIONS));
	CHECK_CALL(getsockname(listener, (struct sockaddr *)&addr, &size));
	if (!test_fork()) {
		serve(listener, max_delay_us);
		_exit(0);
	}
	close(listener);
	return ntohs(addr.sin_port);
}
