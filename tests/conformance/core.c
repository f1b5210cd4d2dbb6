// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "core.h"
#include "device.h"
#include "harness.h"

void core_read(const char *path, const void *addr, void *to, size_t pages)
{
	const int core = open(path, O_RDONLY | O_CLOEXEC);
	const size_t size = pages * PAGE;
	Elf64_Ehdr header;
	Elf64_Phdr part;

	if (core < 0)
		FAIL("%s: %s", path, strerror(errno));
	CHECK_EQ(pread(core, &header, sizeof(header), 0), sizeof(header));
	CHECK(!memcmp(header.e_ident, ELFMAG, SELFMAG));
	for (int i = 0; i < header.e_phnum; i++) {
		CHECK_EQ(pread(core, &part, sizeof(part), header.e_phoff +
			       i * sizeof(part)), sizeof(part));
		if (part.p_type != PT_LOAD || address(addr) < part.p_vaddr ||
		    address(addr) + size > part.p_vaddr + part.p_filesz)
			continue;
		CHECK_EQ(pread(core, to, size, part.p_offset + address(addr) -
			       part.p_vaddr), size);
		close(core);
		return;
	}
	FAIL("%s: the range is not in it", path);
}
