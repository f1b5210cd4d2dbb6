/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of the doctor share. */
#ifndef DEVPUB_TOOLS_DOCTOR_H
#define DEVPUB_TOOLS_DOCTOR_H

enum verdict {
	VERDICT_OK,
	VERDICT_UNKNOWN,	/* can't be determined; not a problem by itself */
	VERDICT_WARNING,	/* something will not work, or not always */
	VERDICT_BAD,		/* devpub can't work */
};

/*
 * Print the result of a check: its name, the verdict, what was found, and what to do ("" for
 * nothing).
 */
void doctor_say(const char *check, enum verdict verdict, const char *advice,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Checks of the host that do not need devpub. */
void doctor_kernel(void);
void doctor_config(void);
void doctor_headers(void);
void doctor_signatures(void);
void doctor_memory(void);

/* Checks of the module, the devices and the caller. */
void doctor_module(void);
void doctor_devices(void);
void doctor_caller(void);

#endif /* DEVPUB_TOOLS_DOCTOR_H */
