// SPDX-License-Identifier: GPL-2.0
/* fork(), and the copies that writing makes afterwards. */
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL

PLACES(child_reads, "a child reads what its parent wrote, in the same pages")
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t pfn = mem_pfn(addr);
	pid_t pid = test_fork();

	if (pid == 0) {
		mem_check(addr, PAGES, 1);
		CHECK_EQ(mem_pfn(addr), pfn);
		place_check(place, addr, PAGES);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}
