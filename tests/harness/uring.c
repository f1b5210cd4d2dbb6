// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "uring.h"

static struct io_uring_params params;

void uring_open(struct uring *ring)
{
	size_t length;

	memset(&params, 0, sizeof(params));
	ring->fd = syscall(SYS_io_uring_setup, 4, &params);
	if (ring->fd < 0)
		SKIP("no io_uring: %s", strerror(errno));
	if (!(params.features & IORING_FEAT_SINGLE_MMAP))
		SKIP("io_uring without IORING_FEAT_SINGLE_MMAP");
	length = params.cq_off.cqes +
		 params.cq_entries * sizeof(struct io_uring_cqe);
	if (length < params.sq_off.array + params.sq_entries * sizeof(uint32_t))
		length = params.sq_off.array +
			 params.sq_entries * sizeof(uint32_t);
	ring->rings = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			   ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, params.sq_entries *
			     sizeof(struct io_uring_sqe),
			     PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			     IORING_OFF_SQES);
	CHECK(ring->rings != MAP_FAILED && ring->entries != MAP_FAILED);
}

void uring_close(struct uring *ring)
{
	close(ring->fd);
}

bool uring_try_register(struct uring *ring, void *addr, size_t pages)
{
	struct iovec range = { addr, pages * PAGE };

	return syscall(SYS_io_uring_register, ring->fd,
		       IORING_REGISTER_BUFFERS, &range, 1) == 0;
}

void uring_register(struct uring *ring, void *addr, size_t pages)
{
	if (!uring_try_register(ring, addr, pages))
		FAIL("register: %s", strerror(errno));
}

void uring_unregister(struct uring *ring)
{
	CHECK_CALL(syscall(SYS_io_uring_register, ring->fd,
			   IORING_UNREGISTER_BUFFERS, NULL, 0));
}

static uint32_t *ring_word(struct uring *ring, uint32_t offset)
{
	return (uint32_t *)((char *)ring->rings + offset);
}

static void transfer(struct uring *ring, int op, int flags, int file, void *addr,
		     size_t pages)
{
	uint32_t *sq_tail = ring_word(ring, params.sq_off.tail);
	uint32_t *cq_head = ring_word(ring, params.cq_off.head);
	uint32_t mask = *ring_word(ring, params.sq_off.ring_mask);
	struct io_uring_sqe *sqe = ring->entries;
	struct io_uring_cqe *cqe;

	sqe += *sq_tail & mask;
	*sqe = (struct io_uring_sqe) {
		.opcode = op, .flags = flags, .fd = file, .addr = address(addr),
		.len = pages * PAGE,
	};
	ring_word(ring, params.sq_off.array)[*sq_tail & mask] = *sq_tail & mask;
	__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
	CHECK_EQ(syscall(SYS_io_uring_enter, ring->fd, 1, 1,
			 IORING_ENTER_GETEVENTS, NULL, 0), 1);
	CHECK(__atomic_load_n(ring_word(ring, params.cq_off.tail),
			      __ATOMIC_ACQUIRE) != *cq_head);
	cqe = (void *)ring_word(ring, params.cq_off.cqes);
	cqe += *cq_head & *ring_word(ring, params.cq_off.ring_mask);
	if (cqe->res != (int)(pages * PAGE))
		FAIL("transfer of %zu pages gave %d", pages, cqe->res);
	__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
}

void uring_write(struct uring *ring, int file, void *addr, size_t pages)
{
	transfer(ring, IORING_OP_WRITE_FIXED, 0, file, addr, pages);
}

void uring_read(struct uring *ring, int file, void *addr, size_t pages)
{
	transfer(ring, IORING_OP_READ_FIXED, 0, file, addr, pages);
}

void uring_read_by_worker(struct uring *ring, int file, void *addr, size_t pages)
{
	transfer(ring, IORING_OP_READ, IOSQE_ASYNC, file, addr, pages);
}
