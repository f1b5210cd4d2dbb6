/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that a userfaultfd is told of. */
#ifndef DEVPUB_TESTS_UFFD_H
#define DEVPUB_TESTS_UFFD_H

#include <stddef.h>
#include <stdint.h>
#include <linux/userfaultfd.h>

/* Headers before 6.8 have no UFFDIO_MOVE. */
#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE	(1 << 16)

struct uffdio_move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};

#define UFFDIO_MOVE		_IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

/* One that does not block, or the case is skipped. */
int uffd_open(uint64_t features);
/* What the kernel can do for a new mapping it must do for any; or the case is skipped. */
void uffd_register(int uffd, void *addr, size_t pages, uint64_t mode);
/* As ioctl() returns. */
int uffd_try_register(int uffd, void *addr, size_t pages, uint64_t mode);

#endif /* DEVPUB_TESTS_UFFD_H */
