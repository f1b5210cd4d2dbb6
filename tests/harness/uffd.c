// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "uffd.h"

int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0)
		SKIP("no userfaultfd: %s", strerror(errno));
	if (ioctl(uffd, UFFDIO_API, &api))
		SKIP("no userfaultfd with features %#llx: %s",
		     (unsigned long long)features, strerror(errno));
	return uffd;
}

int uffd_try_register(int uffd, void *addr, size_t pages, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = address(addr), .len = pages * PAGE },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg);
}

void uffd_register(int uffd, void *addr, size_t pages, uint64_t mode)
{
	if (uffd_try_register(uffd, mem_map(1), 1, mode))
		SKIP("userfaultfd can't do this: %s", strerror(errno));
	CHECK_CALL(uffd_try_register(uffd, addr, pages, mode));
}
