// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * An ordinary user writes to memory in every way that bypasses its page tables, while the memory
 * moves to the device and back.  No write may be lost.
 */
#include <fcntl.h>
#include <linux/if_alg.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "uring.h"
#include "user.h"

#define PAGES		64UL
#define WORDS		(PAGE / sizeof(uint64_t))
#define WRITES		4000U
#define SPLICES		500U
/* Pages of a registered buffer. */
#define HELD		8UL

/* Memory shared by the owner and the writing process. */
static struct shared {
	atomic_bool ready, end;
	atomic_ulong moved_to, moved_back;
} *shared;

static void *move(void *range)
{
	const unsigned long cmds[] = { DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM };
	struct devpub_migrate arg;
	int fd = device_open();

	for (unsigned int i = 0; !shared->end; i++) {
		arg = migrate_arg(range, PAGES, NULL);
		CHECK_CALL(ioctl(fd, cmds[i % 2], &arg));
		*(i % 2 ? &shared->moved_back : &shared->moved_to) += arg.moved;
	}
	return NULL;
}

static void begin(void)
{
	user_admit();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	user_become(ATTACKER);
}

/* A case ends only after the memory has moved several times. */
static bool has_moved(void)
{
	return shared->moved_to > PAGES && shared->moved_back > PAGES;
}

static void tell_moved(void)
{
	test_note("pages moved to the device: %lu, back: %lu", shared->moved_to,
		  shared->moved_back);
}

static void fill(uint64_t *page, uint64_t nr)
{
	for (size_t i = 0; i < WORDS; i++)
		page[i] = (nr * WORDS + i + 1) * 0x9e3779b97f4a7c15ULL;
}

/*
 * Call @once so many times, and until the range has moved several times: another thread
 * moves it.
 */
static void beside_moves(unsigned int times, void (*once)(void *data, char *range, uint64_t nr),
			 void *data)
{
	char *range = mem_new(PAGES, 1);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, move, range), 0);
	for (uint64_t nr = 0; nr < times || !has_moved(); nr++)
		once(data, range, nr);
	shared->end = true;
	pthread_join(thread, NULL);
	tell_moved();
}

/* A way to write a page into another process. */
typedef void (*write_page)(pid_t pid, void *to, uint64_t *page);

static void by_proc_mem(pid_t pid, void *to, uint64_t *page)
{
	static int fd = -1;
	char path[32];

	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		fd = open(path, O_RDWR | O_CLOEXEC);
		CHECK_CALL(fd);
	}
	CHECK_EQ(pwrite(fd, page, PAGE, address(to)), PAGE);
}

static void by_process_vm_writev(pid_t pid, void *to, uint64_t *page)
{
	struct iovec from = { page, PAGE }, there = { to, PAGE };

	CHECK_EQ(process_vm_writev(pid, &from, 1, &there, 1, 0), PAGE);
}

/* The main thread is stopped, but the thread that moves the memory is not. */
static void by_ptrace(pid_t pid, void *to, uint64_t *page)
{
	for (size_t i = 0; i < WORDS; i++)
		CHECK_CALL(ptrace(PTRACE_POKEDATA, pid, (char *)to + i * 8, page[i]));
}

static void write_to_child(write_page write, unsigned int writes)
{
	uint64_t page[WORDS], seen[WORDS];
	struct iovec to = { seen, PAGE }, from = { NULL, PAGE };
	unsigned int lost = 0;
	pthread_t thread;
	char *range;
	pid_t pid;

	begin();
	range = mem_map(PAGES);
	pid = test_fork();
	if (!pid) {
		mem_fill(range, PAGES, 1);
		CHECK_EQ(pthread_create(&thread, NULL, move, range), 0);
		shared->ready = true;
		for (;;)
			pause();
	}
	while (!shared->ready)
		test_sleep(1);
	if (write == by_ptrace) {
		CHECK_CALL(ptrace(PTRACE_ATTACH, pid, 0, 0));
		CHECK_CALL(waitpid(pid, NULL, 0));
	}
	for (unsigned int nr = 0; nr < writes || !has_moved(); nr++) {
		from.iov_base = range + rand() % PAGES * PAGE;
		fill(page, nr);
		write(pid, from.iov_base, page);
		CHECK_EQ(process_vm_readv(pid, &to, 1, &from, 1, 0), PAGE);
		lost += !!memcmp(seen, page, PAGE);
	}
	shared->end = true;
	kill(pid, SIGKILL);
	tell_moved();
	CHECK_EQ(lost, 0);
}

CASE(proc_mem)
{
	write_to_child(by_proc_mem, WRITES);
}

CASE(process_vm)
{
	write_to_child(by_process_vm_writev, WRITES);
}

CASE(ptrace_poke)
{
	write_to_child(by_ptrace, WRITES / 40);
}

struct splices {
	int pipes[2][2];
	bool twice;
};

/*
 * The pipe holds the page itself, so it delivers later writes of the owner, unless the page has
 * moved meanwhile.
 */
static void splice_page(void *data, char *range, uint64_t nr)
{
	const struct splices *splices = data;
	const int (*pipes)[2] = splices->pipes;
	uint64_t *page = (uint64_t *)(range + rand() % PAGES * PAGE);
	struct iovec part = { page, PAGE };
	uint64_t expected[WORDS], seen[WORDS];

	fill(page, nr);
	CHECK_EQ(vmsplice(pipes[0][1], &part, 1, 0), PAGE);
	if (splices->twice)
		CHECK_EQ(tee(pipes[0][0], pipes[1][1], PAGE, 0), PAGE);
	fill(page, nr + 1);
	fill(expected, nr + 1);
	for (int i = 0; i <= splices->twice; i++) {
		CHECK_EQ(read(pipes[i][0], seen, PAGE), PAGE);
		CHECK(!memcmp(seen, expected, PAGE));
	}
	CHECK(!memcmp(page, expected, PAGE));
}

static void splice_pages(bool twice)
{
	struct splices splices = { .twice = twice };

	begin();
	CHECK_CALL(pipe2(splices.pipes[0], O_CLOEXEC));
	CHECK_CALL(pipe2(splices.pipes[1], O_CLOEXEC));
	beside_moves(SPLICES, splice_page, &splices);
}

CASE(vmsplice_beside_moves)
{
	splice_pages(false);
}

CASE(tee_beside_moves)
{
	splice_pages(true);
}

/* A file whose content io_uring reads into the range. */
struct reader {
	struct uring ring;
	uint64_t *page;
	int file;
};

static void reader_open(struct reader *reader, size_t pages)
{
	reader->page = mem_map(pages);
	reader->file = memfd_create("data", MFD_CLOEXEC);
	CHECK_CALL(reader->file);
	uring_open(&reader->ring);
}

static void read_registered(void *data, char *range, uint64_t nr)
{
	struct reader *reader = data;
	char *buffer = range + rand() % (PAGES - HELD) * PAGE;

	for (size_t i = 0; i < HELD; i++)
		fill(reader->page + i * WORDS, nr * HELD + i);
	CHECK_EQ(pwrite(reader->file, reader->page, HELD * PAGE, 0), HELD * PAGE);
	/* The kernel gives up on pages that move all the time. */
	while (!uring_try_register(&reader->ring, buffer, HELD))
		CHECK(errno == EAGAIN || errno == ENOMEM || errno == EBUSY ||
		      errno == EFAULT);
	uring_read(&reader->ring, reader->file, buffer, HELD);
	CHECK(!memcmp(buffer, reader->page, HELD * PAGE));
	uring_unregister(&reader->ring);
}

/* A registered buffer is pinned permanently, and moves to system memory for that. */
CASE(io_uring_registered)
{
	struct reader reader;

	begin();
	reader_open(&reader, HELD);
	beside_moves(SPLICES / 10, read_registered, &reader);
}

static void read_by_worker(void *data, char *range, uint64_t nr)
{
	struct reader *reader = data;
	char *buffer = range + rand() % PAGES * PAGE;

	fill(reader->page, nr);
	CHECK_EQ(pwrite(reader->file, reader->page, PAGE, 0), PAGE);
	uring_read_by_worker(&reader->ring, reader->file, buffer, 1);
	CHECK(!memcmp(buffer, reader->page, PAGE));
}

/* A kernel thread writes through the page tables of the process, as vhost's threads do. */
CASE(kernel_thread)
{
	struct reader reader;

	begin();
	reader_open(&reader, 1);
	beside_moves(WRITES / 4, read_by_worker, &reader);
}

/* A socket that encrypts or decrypts what is sent to it. */
static int cipher_open(int transform, uint32_t direction)
{
	char control[CMSG_SPACE(sizeof(direction))] = { 0 };
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int cipher = accept(transform, NULL, NULL);

	CHECK_CALL(cipher);
	header->cmsg_level = SOL_ALG;
	header->cmsg_type = ALG_SET_OP;
	header->cmsg_len = CMSG_LEN(sizeof(direction));
	memcpy(CMSG_DATA(header), &direction, sizeof(direction));
	CHECK_CALL(sendmsg(cipher, &message, MSG_MORE));
	return cipher;
}

static void cipher_page(int transform, uint32_t direction, const void *from, void *to)
{
	int cipher = cipher_open(transform, direction);

	CHECK_EQ(send(cipher, from, PAGE, 0), PAGE);
	CHECK_EQ(read(cipher, to, PAGE), PAGE);
	close(cipher);
}

static void encrypt_page(void *transform, char *range, uint64_t nr)
{
	uint64_t page[WORDS], seen[WORDS];
	char *buffer = range + rand() % PAGES * PAGE;

	fill(page, nr);
	cipher_page(*(int *)transform, ALG_OP_ENCRYPT, page, buffer);
	cipher_page(*(int *)transform, ALG_OP_DECRYPT, buffer, seen);
	CHECK(!memcmp(seen, page, PAGE));
}

/*
 * The kernel's ciphers write to pages that they hold by references.  Ordinary users of 7.3
 * may use only some ciphers (af_alg_check_restriction()), and this is one of them.
 */
CASE(cipher)
{
	const struct sockaddr_alg name = {
		.salg_family = AF_ALG, .salg_type = "skcipher", .salg_name = "xts(aes)",
	};
	int transform;

	if (system("for i in algif_skcipher ecb xts; do modprobe $i 2>/dev/null; done"))
		test_note("modprobe fails");
	begin();
	transform = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (transform < 0 || bind(transform, (const struct sockaddr *)&name, sizeof(name)))
		SKIP("no xts(aes) by AF_ALG: %s", strerror(errno));
	CHECK_CALL(setsockopt(transform, SOL_ALG, ALG_SET_KEY, "0123456789abcdefghijklmnopqrstuv", 32));
	beside_moves(WRITES / 8, encrypt_page, &transform);
}
