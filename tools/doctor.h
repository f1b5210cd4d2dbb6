/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the doctor share. */
#ifndef DEVPUB_TOOLS_DOCTOR_H
#define DEVPUB_TOOLS_DOCTOR_H

enum verdict {
	VERDICT_OK,
	VERDICT_UNKNOWN,	/* can't be told from here: no reason to worry */
	VERDICT_WARNING,	/* something will not work, or not always */
	VERDICT_BAD,		/* devpub can't work */
};

/*
 * A finding: what was looked at, how it is, what was found, and what to do about it
 * ("" for nothing).
 */
void doctor_say(const char *check, enum verdict verdict, const char *advice,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The host that has no devpub yet. */
void doctor_kernel(void);
void doctor_config(void);
void doctor_headers(void);
void doctor_signatures(void);
void doctor_memory(void);

/* The module, the devices and the caller. */
void doctor_module(void);
void doctor_devices(void);
void doctor_caller(void);

#endif /* DEVPUB_TOOLS_DOCTOR_H */
