// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Checks of the host that need no module: kernel, headers, signatures, memory. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "array.h"
#include "doctor.h"
#include "key.h"
#include "shell.h"
#include "text.h"

/* The oldest kernel that devpub is tested on. */
#define OLDEST_MAJOR	6
#define OLDEST_MINOR	1

#define SECURE_BOOT \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

void doctor_kernel(void)
{
	unsigned int major = 0, minor = 0;
	const char *advice = "";
	enum verdict verdict = VERDICT_OK;
	struct utsname name;

	uname(&name);
	if (strcmp(name.machine, "x86_64")) {
		verdict = VERDICT_WARNING;
		advice = "devpub is tested on x86_64 only";
	}
	if (sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	    (major < OLDEST_MAJOR ||
	     (major == OLDEST_MAJOR && minor < OLDEST_MINOR))) {
		verdict = VERDICT_BAD;
		advice = "run Linux 6.1 or later";
	}
	doctor_say("kernel", verdict, advice, "Linux %s, %s", name.release,
		   name.machine);
}

/* Open the kernel's configuration, which may be in several places. */
static FILE *open_config(const char *release, bool *pipe)
{
	static const char *const paths[] = {
		"/boot/config-%s",
		"/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	char path[256];
	FILE *file;
	size_t i;

	*pipe = false;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(path, sizeof(path), paths[i], release);
		file = fopen(path, "re");
		if (file)
			return file;
	}
	if (access("/proc/config.gz", R_OK))
		return NULL;
	*pipe = true;
	return shell_open("gzip -dc /proc/config.gz");
}

void doctor_config(void)
{
	static const char *const wanted[] = {
		"CONFIG_MODULES", "CONFIG_ZONE_DEVICE", "CONFIG_DEVICE_MIGRATION",
		"CONFIG_MEMORY_HOTREMOVE",
		"CONFIG_HMM_MIRROR",
	};
	bool found[ARRAY_SIZE(wanted)] = { false }, pipe;
	char line[256], missing[160] = "";
	struct utsname name;
	size_t i, n = 0;
	FILE *file;

	uname(&name);
	file = open_config(name.release, &pipe);
	if (!file) {
		doctor_say("kernel options", VERDICT_UNKNOWN, "",
			   "no configuration of the kernel found on this host");
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; i < ARRAY_SIZE(wanted); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])) &&
			    !strcmp(line + strlen(wanted[i]), "=y"))
				found[i] = true;
	}
	if (pipe)
		shell_close(file);
	else
		fclose(file);
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!found[i])
			n += snprintf(missing + n, sizeof(missing) - n, " %s",
				      wanted[i]);
	if (n)
		doctor_say("kernel options", VERDICT_BAD,
			   "run a distribution's kernel, or build your own with these",
			   "missing:%s", missing);
	else
		doctor_say("kernel options", VERDICT_OK, "", "all that devpub needs are set");
}

void doctor_headers(void)
{
	struct utsname name;
	char path[256], advice[256];

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", name.release);
	if (!access(path, F_OK)) {
		doctor_say("kernel headers", VERDICT_OK, "", "%s", path);
		return;
	}
	snprintf(advice, sizeof(advice), "apt-get install linux-headers-%s (only to build the module here)",
		 name.release);
	doctor_say("kernel headers", VERDICT_WARNING, advice, "not installed: %s",
		   path);
}

/* Return 1 if Secure Boot is on, 0 if it is off, -1 if the machine does not have it. */
static int secure_boot(void)
{
	FILE *file = fopen(SECURE_BOOT, "re");
	/* The first four bytes are attributes. */
	unsigned char byte[5];
	size_t n;

	if (!file)
		return -1;
	n = fread(byte, 1, sizeof(byte), file);
	fclose(file);
	return n == sizeof(byte) ? byte[4] == 1 : -1;
}

/* Return the active mode, which is in brackets, as in "none [integrity] confidentiality". */
static void lockdown_mode(char *mode, size_t size)
{
	char text[128], *start;

	snprintf(mode, size, "none");
	if (!text_file("/sys/kernel/security/lockdown", text, sizeof(text)))
		return;
	start = strchr(text, '[');
	if (start) {
		start[strcspn(start, "]")] = '\0';
		snprintf(mode, size, "%s", start + 1);
	}
}

static bool enrolled(const char *key)
{
	char command[160];

	/* The exit status differs between versions of mokutil, so check the text. */
	snprintf(command, sizeof(command),
		 "mokutil --test-key %s 2>/dev/null | grep -q 'is already enrolled'",
		 key);
	return !shell_run(command);
}

#define DKMS_KEY	"/var/lib/dkms/mok.pub"
#define SIGN_ANEW	"apt-get install openssl, which dkms needs to sign, then apt-get install --reinstall devpub-dkms, or make dkms-install"

/* Identification of the key of DKMS.  The strings are empty if it has no such field. */
struct certificate {
	bool there;
	char id[KEY_ID_SIZE], serial[KEY_ID_SIZE];
};

static void read_certificate(struct certificate *certificate)
{
	/* A certificate of DKMS has about 800 bytes. */
	unsigned char der[8192];
	FILE *file = fopen(DKMS_KEY, "re");
	size_t n;

	*certificate = (struct certificate){ .there = file };
	if (!file)
		return;
	n = fread(der, 1, sizeof(der), file);
	fclose(file);
	if (!key_id(der, n, certificate->id))
		certificate->id[0] = '\0';
	if (!key_serial(der, n, certificate->serial))
		certificate->serial[0] = '\0';
}

/* Read a field of the installed module by modinfo, or an empty string. */
static void modinfo(const char *field, char *text, size_t size)
{
	char command[64];
	FILE *pipe;

	snprintf(command, sizeof(command), "modinfo -F %s devpub 2>/dev/null", field);
	pipe = shell_open(command);
	if (!pipe || !fgets(text, size, pipe))
		*text = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (pipe)
		shell_close(pipe);
}

enum trust {
	TRUST_NONE,
	TRUST_HIDDEN,		/* unknown: only root can read the kernel's list of keys */
	TRUST_NAMESAKE,		/* the kernel has a key with the name of all keys of DKMS */
	TRUST_FULL,
};

/* Check for a key with this identifier or, if that is empty, for a key with this name. */
static enum trust kernel_trusts(const char *id, const char *name)
{
	FILE *file = fopen("/proc/keys", "re");
	bool found = false;
	char line[1024];

	while (file && !found && fgets(line, sizeof(line), file))
		found = *id ? key_has_id(line, id) :
			*name && key_has_name(line, name);
	if (file)
		fclose(file);
	if (found)
		return *id ? TRUST_FULL : TRUST_NAMESAKE;
	return geteuid() ? TRUST_HIDDEN : TRUST_NONE;
}

/* Report on a module that is signed with another key than that of DKMS. */
static void foreign_key(const char *signer)
{
	enum trust trust = kernel_trusts("", signer);

	if (trust == TRUST_NONE)
		doctor_say("signing key", VERDICT_BAD, SIGN_ANEW,
			   "the module is signed by %s, whom the kernel does not trust",
			   signer);
	else if (trust == TRUST_HIDDEN)
		doctor_say("signing key", VERDICT_UNKNOWN, "run this as root",
			   "the module is signed by %s; only root can find out if the kernel trusts that key",
			   signer);
	else
		doctor_say("signing key", VERDICT_UNKNOWN,
			   "if modprobe says \"Key was rejected by service\": " SIGN_ANEW,
			   "the module is signed by %s, with another key than that of dkms; the kernel trusts a key of that name",
			   signer);
}

static void dkms_key(const struct certificate *certificate, const char *signer)
{
	enum trust trust = kernel_trusts(certificate->id, signer);

	if (trust == TRUST_FULL)
		doctor_say("signing key", VERDICT_OK, "", "the kernel trusts " DKMS_KEY);
	else if (trust == TRUST_NAMESAKE)
		doctor_say("signing key", VERDICT_UNKNOWN,
			   "if modprobe says \"Key was rejected by service\": mokutil --import " DKMS_KEY ", and reboot",
			   "the kernel trusts a key with the name of " DKMS_KEY ", which has no identifier to compare");
	else if (trust == TRUST_HIDDEN)
		doctor_say("signing key", VERDICT_UNKNOWN, "run this as root",
			   DKMS_KEY " exists; only root can find out if the kernel trusts it");
	else if (access("/usr/bin/mokutil", X_OK))
		doctor_say("signing key", VERDICT_UNKNOWN,
			   "apt-get install mokutil, and run this again",
			   DKMS_KEY " exists; only mokutil can find out if it is enrolled");
	else if (enrolled(DKMS_KEY))
		doctor_say("signing key", VERDICT_BAD,
			   "switch Secure Boot on in the firmware and reboot; without it, the kernel trusts no enrolled key",
			   DKMS_KEY " is enrolled, but the kernel does not trust it");
	else
		doctor_say("signing key", VERDICT_BAD,
			   "mokutil --import " DKMS_KEY ", and reboot; the firmware asks for the password that you choose",
			   DKMS_KEY " is not enrolled");
}

static void signing_key(void)
{
	char file[512], signer[128], serial[KEY_ID_SIZE];
	struct certificate dkms;

	read_certificate(&dkms);
	modinfo("filename", file, sizeof(file));
	modinfo("signer", signer, sizeof(signer));
	modinfo("sig_key", serial, sizeof(serial));
	if (*file && !*signer)
		doctor_say("signing key", VERDICT_BAD, SIGN_ANEW,
			   "%s is not signed, and the kernel accepts signed modules only", file);
	else if (*signer && (!dkms.there || (*serial && *dkms.serial &&
					     strcmp(serial, dkms.serial))))
		foreign_key(signer);
	else if (!dkms.there)
		doctor_say("signing key", VERDICT_BAD,
			   "apt-get install openssl, and install the module with dkms, which creates a key, then: mokutil --import " DKMS_KEY ", and reboot",
			   "dkms has no key, and the kernel accepts signed modules only");
	else
		dkms_key(&dkms, signer);
}

void doctor_signatures(void)
{
	char mode[32], text[16];
	bool enforced, disabled;
	int secure = secure_boot();

	lockdown_mode(mode, sizeof(mode));
	enforced = text_file("/sys/module/module/parameters/sig_enforce", text,
			     sizeof(text)) && text[0] == 'Y';
	disabled = text_file("/proc/sys/kernel/modules_disabled", text,
			     sizeof(text)) && text[0] == '1';

	doctor_say("secure boot", VERDICT_OK, "", "%s", secure < 0 ?
		   "not available" : secure ? "on" : "off");
	doctor_say("lockdown", VERDICT_OK, "", "%s%s", mode,
		   enforced ? ", and modules must be signed" : "");
	if (disabled)
		doctor_say("module loading", VERDICT_BAD,
			   "reboot without kernel.modules_disabled=1",
			   "disabled until the next boot");
	if (enforced || strcmp(mode, "none"))
		signing_key();
	else
		doctor_say("signing key", VERDICT_OK, "", "none needed");
}

/* Count memory blocks, and those in ZONE_MOVABLE. */
static void count_blocks(unsigned int *all, unsigned int *movable)
{
	static const char dir_path[] = "/sys/devices/system/memory";
	char path[320], zones[64];
	struct dirent *entry;
	DIR *dir = opendir(dir_path);

	*all = 0;
	*movable = 0;
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "memory", 6))
			continue;
		snprintf(path, sizeof(path), "%s/%s/valid_zones", dir_path,
			 entry->d_name);
		if (!text_file(path, zones, sizeof(zones)))
			continue;
		(*all)++;
		*movable += !strncmp(zones, "Movable", 7);
	}
	if (dir)
		closedir(dir);
}

static uint64_t available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kilobytes = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return kilobytes * 1024;
}

void doctor_memory(void)
{
	static const char block_file[] = "/sys/devices/system/memory/block_size_bytes";
	char text[32], a[TEXT_SIZE], b[TEXT_SIZE];
	const long page_size = sysconf(_SC_PAGESIZE);
	unsigned int all, movable;
	uint64_t block, half = available() / 2;

	if (page_size == 4096)
		doctor_say("page size", VERDICT_OK, "", "%ld bytes", page_size);
	else
		doctor_say("page size", VERDICT_WARNING,
			   "devpub is tested with pages of 4096 bytes only",
			   "%ld bytes", page_size);
	block = text_file(block_file, text, sizeof(text)) ?
		strtoull(text, NULL, 16) : 0;
	if (!block) {
		doctor_say("memory blocks", VERDICT_BAD,
			   "use memory that was reserved at boot: memmap= and --region",
			   "this kernel can't remove memory from the running system");
		return;
	}
	if (half < block)
		doctor_say("memory blocks", VERDICT_BAD,
			   "give the machine more memory, or reserve some at boot: memmap= and --region",
			   "a block has %s, and a device may have at most half of the available memory, %s",
			   text_size(a, block), text_size(b, half));
	else
		doctor_say("memory blocks", VERDICT_OK, "",
			   "%s each; a device may have at most half of the available memory, %s",
			   text_size(a, block), text_size(b, half / block * block));
	count_blocks(&all, &movable);
	if (movable)
		doctor_say("movable memory", VERDICT_OK, "", "%u of %u blocks, %s",
			   movable, all, text_size(a, movable * block));
	else
		doctor_say("movable memory", VERDICT_WARNING,
			   "create devices soon after boot, or boot with movablecore=1G",
			   "none of %u blocks; pages of the kernel may prevent the removal of any block",
			   all);
}
