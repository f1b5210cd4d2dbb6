// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* kexec IMAGE: load a kernel, and start it without a reboot of the machine. */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEXEC_FILE_NO_INITRAMFS	4UL

/* The host ends the guest when this kernel begins. */
static const char command_line[] = "console=ttyS0 panic=-1";

int main(int argc, char **argv)
{
	int image = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (image < 0) {
		fprintf(stderr, "usage: kexec IMAGE\n");
		return 2;
	}
	if (syscall(SYS_kexec_file_load, image, -1, sizeof(command_line), command_line,
		    KEXEC_FILE_NO_INITRAMFS)) {
		perror("kexec_file_load");
		return 1;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("kexec");
	return 1;
}
