// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Checks of the module, the devices, and the caller's permissions. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ctl.h"
#include "devices.h"
#include "doctor.h"
#include "shell.h"
#include "text.h"

/* Bits of CapEff. */
#define CAP_SYS_PTRACE	19
#define CAP_SYS_ADMIN	21

static const char load_newer[] = "load a newer devpub module";

/* Return true if the module is installed for the running kernel. */
static bool installed(void)
{
	char path[256], line[1024];
	struct utsname name;
	bool found = false;
	FILE *file;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/devpub.ko");
	}
	fclose(file);
	return found;
}

/* Read the version of the module that modprobe would load, or an empty string. */
static void installed_version(char *version, size_t size)
{
	FILE *pipe = shell_open("modinfo -F version devpub 2>/dev/null");

	if (!pipe || !fgets(version, size, pipe))
		*version = '\0';
	version[strcspn(version, "\n")] = '\0';
	if (pipe)
		shell_close(pipe);
}

static void loaded(void)
{
	char version[64] = "unknown", other[64];

	text_file("/sys/module/devpub/version", version, sizeof(version));
	installed_version(other, sizeof(other));
	if (*other && strcmp(version, other))
		doctor_say("module", VERDICT_WARNING,
			   "modprobe -r devpub && modprobe devpub, once its devices are not needed",
			   "loaded, version %s; %s is installed", version, other);
	else
		doctor_say("module", VERDICT_OK, "", "loaded, version %s", version);
}

/* Find the last path that matches @pattern.  Return false if there is none. */
static bool last_path(const char *pattern, char *path, size_t size)
{
	glob_t found;
	bool any = !glob(pattern, 0, NULL, &found);

	if (any)
		snprintf(path, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return any;
}

static void not_installed(void)
{
	char path[256], advice[320];
	struct utsname name;

	if (!last_path("/usr/src/devpub-*", path, sizeof(path)) &&
	    access("/var/lib/dkms/devpub", F_OK)) {
		doctor_say("module", VERDICT_WARNING,
			   "install it with dkms, or build it with make and load it with insmod devpub.ko",
			   "neither loaded nor installed for this kernel");
		return;
	}
	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", name.release);
	if (access(path, F_OK))
		snprintf(advice, sizeof(advice), "apt-get install linux-headers-%s; DKMS then builds the module",
			 name.release);
	else if (last_path("/var/lib/dkms/devpub/*/build/make.log", path, sizeof(path)))
		snprintf(advice, sizeof(advice), "see %s", path);
	else
		snprintf(advice, sizeof(advice), "dkms autoinstall, which prints the cause");
	doctor_say("module", VERDICT_WARNING, advice,
		   "not loaded, and DKMS has not built it for Linux %s", name.release);
}

void doctor_module(void)
{
	if (!access("/sys/module/devpub", F_OK)) {
		loaded();
	} else if (installed()) {
		doctor_say("module", VERDICT_WARNING, "modprobe devpub",
			   "installed, not loaded");
	} else {
		not_installed();
	}
}

/* Check by a harmless query if the loaded module can act on other processes. */
static void other_processes(const struct devpub *dev)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const struct devpub_range range = { page, page };
	struct devpub_process *process;
	int ret;

	ret = devpub_attach(getpid(), &process);
	if (!ret) {
		ret = devpub_query_v(dev, process, &range, 1, NULL, NULL);
		devpub_detach(process);
	}
	if (ret == -EOPNOTSUPP)
		doctor_say("other programs", VERDICT_WARNING, load_newer,
			   "the module acts on the caller's memory only; migrate and run don't work");
	else if (ret)
		doctor_say("other programs", VERDICT_WARNING, "",
			   "a query of the module failed: %s", strerror(-ret));
	else
		doctor_say("other programs", VERDICT_OK, "",
			   "the module can act on their memory");
}

static void control(void)
{
	static const char path[] = "/dev/devpub-control";

	if (access(path, F_OK))
		doctor_say("run time", VERDICT_WARNING, load_newer,
			   "no %s: only loading the module creates devices", path);
	else if (access(path, R_OK | W_OK))
		doctor_say("run time", VERDICT_WARNING, "be root",
			   "you may not open %s", path);
	else
		doctor_say("run time", VERDICT_OK, "",
			   "you can create and destroy devices");
}

void doctor_devices(void)
{
	static struct devices devices;
	const struct devpub *any = NULL;
	char size[TEXT_SIZE];
	size_t i;

	/* doctor_module() has reported this. */
	if (!ctl_module_loaded())
		return;
	if (devices_get(&devices))
		return;
	for (i = 0; i < devices.n; i++) {
		const struct device *device = &devices.device[i];

		text_size(size, device->stats.capacity);
		if (device->dev)
			doctor_say("device", VERDICT_OK, "", "devpub%u, %s: you may use it",
				   device->index, size);
		else
			doctor_say("device", VERDICT_WARNING,
				   "be root, or add a udev rule that gives it to your group: SUBSYSTEM==\"devpub\", MODE=\"0660\", GROUP=\"devpub\"",
				   "devpub%u, %s: you may not open /dev/devpub%u",
				   device->index, size, device->index);
		if (device->dev)
			any = device->dev;
	}
	if (!devices.n)
		doctor_say("device", VERDICT_WARNING, "devpubctl create --size 256M",
			   "the module has no device");
	if (any)
		other_processes(any);
	control();
	devices_put(&devices);
}

void doctor_caller(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	uint64_t capabilities = 0;
	bool admin, ptrace;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1)
			break;
	if (file)
		fclose(file);
	admin = capabilities >> CAP_SYS_ADMIN & 1;
	ptrace = capabilities >> CAP_SYS_PTRACE & 1;
	if (admin && ptrace)
		doctor_say("permissions", VERDICT_OK, "", "you may use all commands");
	else
		doctor_say("permissions", VERDICT_WARNING, "be root for these",
			   "you may not use:%s%s",
			   admin ? "" : " create, destroy, evict, frame numbers;",
			   ptrace ? "" : " migrate, run and locations for other programs");
}
