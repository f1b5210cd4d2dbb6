// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* devpubctl access: lets the device itself read and write memory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access_check.h"
#include "accessor.h"
#include "array.h"
#include "commands.h"
#include "devices.h"
#include "maps.h"
#include "table.h"
#include "target.h"
#include "text.h"

/**
 * struct wanted - the values of the options
 * @pid:	argument of --pid, or NULL
 * @file:	argument of --file, or NULL
 * @device:	argument of --device; NULL for the first
 * @width:	argument of --width, or NULL
 * @output:	argument of --output, or NULL
 * @index:	number of the device
 */
struct wanted {
	const char *pid;
	const char *file;
	const char *device;
	const char *width;
	const char *output;
	unsigned int index;
};

enum {
	DEVICE, OPERATION, ADDRESS, OTHER, LENGTH, DONE, FAULTS, MIGRATIONS, LOCATION, VALUE,
	RESULT, AT
};

static const struct column columns[] = {
	[DEVICE] = { .name = "DEVICE", .json_only = true },
	[OPERATION] = { .name = "OPERATION" },
	[ADDRESS] = { .name = "ADDRESS" },
	[OTHER] = { .name = "OTHER", .json_only = true },
	[LENGTH] = { .name = "LENGTH", .kind = COLUMN_SIZE },
	[DONE] = { .name = "DONE", .kind = COLUMN_SIZE },
	[FAULTS] = { .name = "FAULTS", .kind = COLUMN_NUMBER },
	[MIGRATIONS] = { .name = "MIGRATIONS", .kind = COLUMN_NUMBER },
	[LOCATION] = { .name = "LOCATION" },
	[VALUE] = { .name = "VALUE", .kind = COLUMN_NUMBER },
	[RESULT] = { .name = "RESULT" },
	[AT] = { .name = "AT" },
};

static const char *result_of(const struct accessor *accessor)
{
	switch (accessor->end) {
	case ACCESSOR_COMPLETE:
		return "complete";
	case ACCESSOR_DIFFERS:
		return "differs";
	case ACCESSOR_NO_DATA:
		return accessor->operation.op == DEVPUB_OP_WRITE ? "no input" : "no output";
	default:
		return accessor->error == -EFAULT ? "fault" :
		       accessor->error == -EHWPOISON ? "memory error" : "failed";
	}
}

static void table_address(struct table *table, size_t column, uint64_t addr)
{
	char text[24];

	snprintf(text, sizeof(text), "%#" PRIx64, addr);
	table_text(table, column, text);
}

static void print(const struct wanted *wanted, const struct accessor *accessor)
{
	const struct operation *const operation = &accessor->operation;
	struct table *table = table_new("access", columns, ARRAY_SIZE(columns));
	const char *location;
	char name[32];

	snprintf(name, sizeof(name), "devpub%u", wanted->index);
	location = accessor_location(accessor->dev, accessor->process,
				     accessor->base + operation->addr, accessor->done);
	table_row(table);
	table_text(table, DEVICE, name);
	table_text(table, OPERATION, operation_name(operation->op));
	table_address(table, ADDRESS, operation->addr);
	if (operation_has_other(operation->op))
		table_address(table, OTHER, operation->other);
	table_number(table, LENGTH, operation->length);
	table_number(table, DONE, accessor->done);
	table_number(table, FAULTS, accessor->faults);
	table_number(table, MIGRATIONS, accessor->migrations);
	if (location)
		table_text(table, LOCATION, location);
	if (operation->op >= DEVPUB_OP_ADD)
		table_number(table, VALUE, accessor->value);
	table_text(table, RESULT, result_of(accessor));
	if (accessor->done < operation->length && accessor->error != -EINTR)
		table_address(table, AT, accessor->at);
	/* The bytes of a read have the standard output, unless --output names a file for them. */
	table_print_to(table, accessor->data == stdout ? stderr : stdout);
	table_free(table);
}

/* Say what the mappings tell about an address that the device can't access. */
static const char *explain(const struct accessor *accessor, const struct target *target)
{
	const struct operation *const operation = &accessor->operation;
	const bool writes = operation_writes(operation->op) &&
			    accessor->at - operation->addr < operation->length;
	const char *why = "nothing is mapped there";
	struct maps maps;
	size_t i;

	if (!target)
		return "the file has become shorter, or can't be read there";
	if (maps_read(&target->proc, &maps))
		return "its mappings can't be read";
	for (i = 0; i < maps.n; i++) {
		const struct mapping *const mapping = &maps.mapping[i];

		if (accessor->at < mapping->start || accessor->at >= mapping->end)
			continue;
		if (mapping->access[0] != 'r')
			why = "the mapping is not readable";
		else if (writes && mapping->access[1] != 'w')
			why = "the mapping is not writable";
		else
			why = "no device may access this mapping";
	}
	maps_free(&maps);
	return why;
}

static int failed(const struct accessor *accessor, const char *name, const struct target *target)
{
	const int status = accessor->done ? CTL_PARTLY : CTL_FAILED;
	char text[TEXT_SIZE];

	text_size(text, accessor->done);
	switch (accessor->error) {
	case -EFAULT:
		if (!accessor->done && !accessor->at && accessor->operation.addr)
			return ctl_fail(status, "%s: the range exceeds the address space", name);
		return ctl_fail(status, "%s: the device can't access %#" PRIx64 ": %s; %s done",
				name, accessor->at, explain(accessor, target), text);
	case -EHWPOISON:
		return ctl_fail(status, "%s: the memory at %#" PRIx64 " has a hardware error; %s done",
				name, accessor->at, text);
	case -ESRCH:
		return ctl_fail(CTL_NO_PROCESS, "%s: the process has ended, or executes another program; %s done",
				name, text);
	default:
		return target ? target_error(accessor->error, target) :
				ctl_error(accessor->error, "%s", name);
	}
}

/* Print the results, also of an operation that is incomplete. */
static int report(const struct wanted *wanted, const struct accessor *accessor, const char *name,
		  const struct target *target)
{
	const struct operation *const operation = &accessor->operation;
	char a[TEXT_SIZE], b[TEXT_SIZE];

	if (accessor->end != ACCESSOR_FAILED || accessor->done)
		print(wanted, accessor);
	switch (accessor->end) {
	case ACCESSOR_COMPLETE:
		return CTL_OK;
	case ACCESSOR_DIFFERS:
		return CTL_DIFFERS;
	case ACCESSOR_NO_DATA:
		/* The end of the program reports an error in writing the output. */
		if (operation->op == DEVPUB_OP_READ)
			return CTL_FAILED;
		return ctl_fail(accessor->done ? CTL_PARTLY : CTL_FAILED,
				"standard input: it ends after %s of %s",
				text_size(a, accessor->done), text_size(b, operation->length));
	default:
		return failed(accessor, name, target);
	}
}

static int on_process(const struct wanted *wanted, struct accessor *accessor)
{
	unsigned int tries = 0;
	struct target target;
	char name[96];
	int status;

	status = target_open(wanted->pid, &target);
	if (status)
		return status;
	snprintf(name, sizeof(name), "process %d (%s)", target.proc.pid, target.name);
	accessor->process = target.process;
	/* During exec, a process has no memory for a moment. */
	do {
		accessor->error = devpub_bind(accessor->dev, target.process);
	} while (accessor->error == -EAGAIN && target_pause(&tries));
	if (accessor->error)
		accessor->end = ACCESSOR_FAILED;
	else
		accessor_run(accessor);
	status = report(wanted, accessor, name, &target);
	target_close(&target);
	return status;
}

/* Map the file in this process.  Only the device accesses the mapping. */
static int on_mapping(const struct wanted *wanted, struct accessor *accessor, int fd,
		      uint64_t size, bool writes)
{
	void *memory;
	int status, ret;

	if (size > SIZE_MAX)
		return ctl_error(-EFBIG, "%s", wanted->file);
	memory = mmap(NULL, size, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return ctl_fail(CTL_FAILED, "%s: %s", wanted->file, strerror(errno));
	accessor->base = (uintptr_t)memory;
	ret = devpub_bind(accessor->dev, NULL);
	if (ret) {
		status = ctl_error(ret, "devpub%u", wanted->index);
	} else {
		accessor_run(accessor);
		status = report(wanted, accessor, wanted->file, NULL);
	}
	munmap(memory, size);
	return status;
}

static int on_file(const struct wanted *wanted, struct accessor *accessor)
{
	const struct operation *const operation = &accessor->operation;
	const bool writes = operation_writes(operation->op);
	char text[TEXT_SIZE];
	struct stat stat;
	int fd, status;

	/* Do not wait for the other end of a pipe. */
	fd = open(wanted->file, (writes ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat)) {
		status = ctl_fail(CTL_FAILED, "%s: %s", wanted->file, strerror(errno));
	} else if (!S_ISREG(stat.st_mode)) {
		status = ctl_fail(CTL_FAILED, "%s: not a regular file", wanted->file);
	} else if (operation->addr + operation->length > (uint64_t)stat.st_size ||
		   (operation_has_other(operation->op) &&
		    operation->other + operation->length > (uint64_t)stat.st_size)) {
		status = ctl_fail(CTL_FAILED, "%s: the range exceeds the file, which has %s",
				  wanted->file, text_size(text, stat.st_size));
	} else {
		status = on_mapping(wanted, accessor, fd, stat.st_size, writes);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

static int with_device(struct wanted *wanted, struct accessor *accessor)
{
	int status;

	status = devices_open_any(wanted->device, &accessor->dev, &wanted->index);
	if (status)
		return status;
	if (wanted->pid)
		status = on_process(wanted, accessor);
	else
		status = on_file(wanted, accessor);
	devpub_close(accessor->dev);
	return status;
}

/* The bytes of a read go to the file of --output, or else to the standard output. */
static int with_data(struct wanted *wanted, struct accessor *accessor)
{
	int status, broken;

	accessor->data = accessor->operation.op == DEVPUB_OP_READ ? stdout : stdin;
	if (!wanted->output)
		return with_device(wanted, accessor);
	accessor->data = fopen(wanted->output, "we");
	if (!accessor->data)
		return ctl_fail(CTL_FAILED, "%s: %s", wanted->output, strerror(errno));
	status = with_device(wanted, accessor);
	broken = accessor->end == ACCESSOR_NO_DATA ? -accessor->error : 0;
	if (fclose(accessor->data) == EOF && !broken)
		broken = errno;
	return broken ? ctl_fail(CTL_FAILED, "%s: %s", wanted->output, strerror(broken)) : status;
}

static bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int check(const struct wanted *wanted, char **words, int n, struct operation *operation)
{
	int status;

	if (!n)
		return ctl_usage(&command_access, "give an operation");
	if (!wanted->pid == !wanted->file)
		return ctl_usage(&command_access, "give either a process, --pid PID, or a file, --file FILE");
	status = operation_parse(&command_access, words, n, wanted->file, wanted->width, operation);
	if (status)
		return status;
	if (operation->op != DEVPUB_OP_READ && wanted->output)
		return ctl_usage(&command_access, "--output is for read only");
	/* Opening the output truncates it. */
	if (wanted->file && wanted->output && is_same_file(wanted->file, wanted->output))
		return ctl_usage(&command_access, "--output %s is the file itself", wanted->output);
	/* The bytes may be anything, also sequences that control the terminal. */
	if (operation->op == DEVPUB_OP_READ && !wanted->output && isatty(STDOUT_FILENO))
		return ctl_usage(&command_access, "the bytes would go to the terminal; give --output FILE, or add '| xxd'");
	return CTL_OK;
}

static int check_device(const struct wanted *wanted, char **words, int n)
{
	if (n > 2 || wanted->pid || wanted->file || wanted->width || wanted->output)
		return ctl_usage(&command_access, "check takes a size and --device only");
	return access_check(&command_access, wanted->device, words[1]);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS_COMMON,
		{ "pid", required_argument, NULL, 'p' },
		{ "file", required_argument, NULL, 'f' },
		{ "device", required_argument, NULL, 'd' },
		{ "width", required_argument, NULL, 'w' },
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	struct accessor accessor = { 0 };
	struct wanted wanted = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, CTL_LETTERS "p:f:d:w:o:", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			wanted.pid = optarg;
			break;
		case 'f':
			wanted.file = optarg;
			break;
		case 'd':
			wanted.device = optarg;
			break;
		case 'w':
			wanted.width = optarg;
			break;
		case 'o':
			wanted.output = optarg;
			break;
		default:
			status = ctl_option(&command_access, option);
			if (status >= 0)
				return status;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc && !strcmp(argv[0], "check"))
		return check_device(&wanted, argv, argc);
	status = check(&wanted, argv, argc, &accessor.operation);
	return status ? status : with_data(&wanted, &accessor);
}

const struct command command_access = {
	.name = "access",
	.summary = "Lets the device itself read and write memory, or checks that it does",
	.usage = "--pid PID | --file FILE [OPTION...] OPERATION ARGUMENT...\n"
		 "       devpubctl access [--device devpubN] check [SIZE]",
	.help =
	"Operations; addresses of a process are hexadecimal as in /proc/PID/maps, addresses\n"
	"in a file are offsets such as 4K:\n"
	OPERATION_HELP
	"  check [SIZE]        check all operations, on memory of its own in system memory\n"
	"                      and on the device\n\n"
	"  -p, --pid PID       access the memory of this process\n"
	"  -f, --file FILE     access this file, as mapped memory\n"
	"  -d, --device devpubN\n"
	"                      use this device; default: the first\n"
	"  -w, --width BITS    width of a value: 32 or 64, for fill also 8 or 16; default: 64\n"
	"  -o, --output FILE   write the bytes of a read to this file, instead of stdout\n"
	CTL_HELP_COMMON,
	.run = run,
};
