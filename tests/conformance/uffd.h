/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that a userfaultfd is told of. */
#ifndef DEVPUB_CONFORMANCE_UFFD_H
#define DEVPUB_CONFORMANCE_UFFD_H

#include <stddef.h>
#include <stdint.h>

/* One that does not block, or the case is skipped. */
int uffd_open(uint64_t features);
/* What the kernel can do for a new mapping it must do for any; or the case is skipped. */
void uffd_register(int uffd, void *addr, size_t pages, uint64_t mode);
/* As ioctl() returns. */
int uffd_try_register(int uffd, void *addr, size_t pages, uint64_t mode);

#endif /* DEVPUB_CONFORMANCE_UFFD_H */
