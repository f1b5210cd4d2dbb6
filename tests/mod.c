// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload a module, and say exactly which errno it was: the insmod of
 * each system words errors in its own way.
 *
 *	mod load FILE [PARAMETERS]
 *	mod unload NAME
 *
 * Prints "ok" and exits with 0, or prints the errno's name and exits with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int file;
	long ret;

	if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "load")) {
		file = open(argv[2], O_RDONLY | O_CLOEXEC);
		if (file < 0) {
			perror(argv[2]);
			return 2;
		}
		ret = syscall(SYS_finit_module, file, argc == 4 ? argv[3] : "",
			      0);
	} else if (argc == 3 && !strcmp(argv[1], "unload")) {
		ret = syscall(SYS_delete_module, argv[2], O_NONBLOCK);
	} else {
		fprintf(stderr,
			"usage: mod load FILE [PARAMETERS] | mod unload NAME\n");
		return 2;
	}
	puts(ret ? strerrorname_np(errno) : "ok");
	return ret ? 1 : 0;
}
