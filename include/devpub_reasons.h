/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * The table of reasons, from which the module and the library expand what they need.
 *
 * X(NUMBER, name, text): DEVPUB_REASON_NUMBER of the ABI; its name in sysfs, in the
 * library and in the tools; and its description for people.  The rows are in the order of
 * enum devpub_reason.
 */
#ifndef DEVPUB_REASONS_H
#define DEVPUB_REASONS_H

/* The page was not refused. */
#define DEVPUB_OUTCOMES(X)							\
	X(UNSEEN,	unseen,		"not reached")				\
	X(MOVED,	moved,		"moved")				\
	X(POPULATED,	populated,	"a new page on the device")		\
	X(ALREADY,	already,	"already at the destination")		\
	X(ABSENT,	absent,		"no page at this address")

/* The page was refused. */
#define DEVPUB_REFUSALS(X)							\
	X(UNMAPPED,	unmapped,	"nothing is mapped at this address")	\
	X(SHARED,	shared,		"in a shared mapping")			\
	X(FILE,		file,		"a page of a file")			\
	X(HUGETLB,	hugetlb,	"in a hugetlb mapping")			\
	X(SPECIAL,	special,	"in a mapping without ordinary pages")	\
	X(LARGE,	large,							\
	  "part of a large folio that the kernel does not split")		\
	X(KSM,		ksm,		"merged by KSM, or may be merged")	\
	X(SWAPCACHE,	swapcache,	"still has a copy in swap")		\
	X(SWAPPED,	swapped,	"swapped out; touch it and try again")	\
	X(PINNED,	pinned,		"pinned, for example for DMA")		\
	X(BUSY,		busy,		"referenced or locked at present; try again") \
	X(NO_SPACE,	no_space,	"no free page at the destination")	\
	X(OTHER_DEVICE,	other_device,						\
	  "on another device; migrate it from there first")

#define DEVPUB_REASONS(X)	DEVPUB_OUTCOMES(X) DEVPUB_REFUSALS(X)

#endif /* DEVPUB_REASONS_H */
