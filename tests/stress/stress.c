// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A stress test.  The threads of several processes do random operations on their memory,
 * move it to the device and back, and always know its expected contents.
 *
 *	stress --seconds 60 --seed 42
 *
 * The seed, the number of the process and the number of the thread determine the operations
 * of a thread.  Their timing is not determined.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "stress.h"
#include "stress_report.h"

#define DEVICE		"/dev/devpub0"

/* An operation that takes longer hangs. */
#define GRACE_SECONDS	90

/* Pages that stay on the device and that no operation touches. */
#define KEPT_PAGES	16

/* State that the threads of a process share. */
struct process {
	pthread_barrier_t begin;
	atomic_uint users;
	int fd;
	char *kept;
	struct stress_page kept_pages[KEPT_PAGES];
};

struct worker {
	struct stress_thread thread;
	struct process *process;
	pthread_t id;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The last thread of a process that leaves the device closes it. */
static void leave(struct stress_thread *thread, struct process *process)
{
	const struct stress_options *options = thread->options;

	/* Only the very last thread does this, because the others may still evict. */
	if (atomic_fetch_add(&thread->shared->leaving, 1) + 1 ==
	    options->processes * options->threads) {
		thread->generation++;
		for (int i = 0; i < KEPT_PAGES; i++)
			stress_page_fill(thread, &process->kept_pages[i],
					 process->kept + i * PAGE);
		stress_settle(thread, process->kept, KEPT_PAGES);
	}
	thread->fd = -1;
	if (atomic_fetch_sub(&process->users, 1) == 1) {
		close(process->fd);
		atomic_fetch_add(&thread->shared->left, 1);
	}
}

static void *work(void *data)
{
	struct worker *worker = data;
	struct stress_thread *thread = &worker->thread;
	struct stress_shared *shared = thread->shared;

	/* The start of a thread maps memory, which must not fill an unmapped part of a slice. */
	pthread_barrier_wait(&worker->process->begin);
	while (!atomic_load(&shared->stop) && !atomic_load(&shared->gone)) {
		struct stress_op op = stress_draw(thread);

		if (thread->fd >= 0 && atomic_load(&shared->leave))
			leave(thread, worker->process);
		thread->result->at = op.kind;
		stress_run(thread, &op);
		thread->result->number++;
	}
	if (!atomic_load(&shared->wrong))
		stress_verify(thread, 0, thread->options->pages);
	return NULL;
}

static void *map(size_t size, int flags)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  flags | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		die("mmap");
	return addr;
}

static void prepare(struct stress_thread *thread)
{
	const size_t pages = thread->options->pages;

	thread->slice = thread->arena + thread->nr * pages * PAGE;
	thread->pages = map(pages * sizeof(*thread->pages), MAP_PRIVATE);
	thread->buffer = map(STRESS_BUFFER_PAGES * PAGE, MAP_PRIVATE);
	thread->reasons = map(thread->options->threads * pages + KEPT_PAGES,
			      MAP_PRIVATE);
	/* New threads inherit the rights of the thread that starts them. */
	thread->pkey = pkey_alloc(0, PKEY_DISABLE_WRITE);
	thread->ring = stress_ring();
	thread->random = stress_seed(thread->options->seed, thread->process,
				     thread->nr);
	if (pipe2(thread->pipe, O_CLOEXEC))
		die("pipe");
}

static void run_process(const struct stress_options *options,
			struct stress_shared *shared, unsigned int nr)
{
	const size_t threads = options->threads, huge = HUGE_PAGES * PAGE;
	const size_t size = threads * options->pages * PAGE;
	const size_t kept = KEPT_PAGES * PAGE;
	struct worker *workers = calloc(threads, sizeof(*workers));
	struct process process = { .users = threads };
	char *arena = map(size + kept + huge, MAP_PRIVATE);

	process.fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (process.fd < 0)
		die(DEVICE);
	if (!workers || pthread_barrier_init(&process.begin, NULL, threads))
		die("threads");
	arena = (char *)((uintptr_t)(arena + huge - 1) & -huge);
	process.kept = arena + size;
	for (size_t i = 0; i < threads; i++) {
		workers[i].process = &process;
		workers[i].thread = (struct stress_thread) {
			.options = options,
			.shared = shared,
			.result = &shared->results[nr * threads + i],
			.process = nr,
			.nr = i,
			.arena = arena,
			.fd = process.fd,
		};
		prepare(&workers[i].thread);
	}
	for (size_t i = 0; i < threads; i++) {
		errno = pthread_create(&workers[i].id, NULL, work, &workers[i]);
		if (errno)
			die("pthread_create");
	}
	for (size_t i = 0; i < threads; i++)
		pthread_join(workers[i].id, NULL);
	for (int i = 0; i < KEPT_PAGES; i++)
		if (stress_page_check(&process.kept_pages[i], process.kept + i * PAGE) >= 0)
			stress_wrong(&workers[0].thread, "page %d of the pages that stay on the device is wrong",
				     i);
}

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000ULL + time.tv_nsec / 1000000;
}

/* Reap one process that has ended.  Return false if it failed. */
static bool reap(pid_t *pids, unsigned int processes, unsigned int *running)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);
	unsigned int i = 0;

	if (pid <= 0)
		return true;
	while (i < processes - 1 && pids[i] != pid)
		i++;
	pids[i] = 0;
	(*running)--;
	if (!status)
		return true;
	if (WIFSIGNALED(status))
		printf("process %u: killed by signal %d (%s)\n", i,
		       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		printf("process %u: exit status %d\n", i, WEXITSTATUS(status));
	return false;
}

/* Wait until all processes have ended.  Return false if one failed or hangs. */
static bool watch(const struct stress_options *options,
		  struct stress_shared *shared, pid_t *pids)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	const unsigned long long begin = now();
	unsigned int running = options->processes;
	unsigned long long end = 0;
	bool good = true, left = false;

	while (running) {
		unsigned long long passed = now() - begin;

		if (!reap(pids, options->processes, &running)) {
			good = false;
			atomic_store(&shared->stop, true);
			continue;
		}
		if (options->leave && passed >= options->leave * 1000)
			atomic_store(&shared->leave, true);
		if (!left && atomic_load(&shared->left) == options->processes) {
			left = true;
			printf("left the device\n");
		}
		if (interrupted || passed >= options->seconds * 1000)
			atomic_store(&shared->stop, true);
		if (!end && (atomic_load(&shared->stop) ||
			     atomic_load(&shared->gone)))
			end = passed + GRACE_SECONDS * 1000;
		if (end && passed > end) {
			stress_report_hang(options, shared, pids);
			for (unsigned int i = 0; i < options->processes; i++)
				if (pids[i])
					kill(pids[i], SIGKILL);
			return false;
		}
		nanosleep(&tick, NULL);
	}
	return good;
}

int main(int argc, char **argv)
{
	struct stress_options options = {
		.seconds = 10, .processes = 4, .threads = 2, .pages = 1024,
		.disk = -1,
	};
	struct stress_shared *shared;
	pid_t parent = getpid();
	bool good;
	pid_t *pids;

	if (getrandom(&options.seed, sizeof(options.seed), 0) < 0)
		die("getrandom");
	stress_options(&options, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (options.print) {
		stress_report_plan(&options);
		return 0;
	}
	if (access(DEVICE, R_OK | W_OK))
		die(DEVICE);
	shared = map(sizeof(*shared) + options.processes * options.threads *
		     sizeof(shared->results[0]), MAP_SHARED);
	pids = calloc(options.processes, sizeof(*pids));
	if (!pids)
		die("calloc");
	printf("seed %#llx, %lu processes, %lu threads each, %lu pages each, %lu s\n",
	       (unsigned long long)options.seed, options.processes,
	       options.threads, options.pages, options.seconds);

	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	for (unsigned int i = 0; i < options.processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* The parent decides when to end. */
			signal(SIGINT, SIG_IGN);
			signal(SIGTERM, SIG_DFL);
			if (getppid() == parent)
				run_process(&options, shared, i);
			exit(0);
		}
	}
	good = watch(&options, shared, pids);
	return stress_report(&options, shared) && good ? 0 : 1;
}
