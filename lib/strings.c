// SPDX-License-Identifier: GPL-2.0
/* Words for the ABI's numbers. */
#include "internal.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	const char *string;
} reasons[] = {
	[DEVPUB_REASON_UNSEEN] = { "unseen", "not looked at" },
	[DEVPUB_REASON_MOVED] = { "moved", "moved" },
	[DEVPUB_REASON_POPULATED] = { "populated", "a new page on the device" },
	[DEVPUB_REASON_ALREADY] = { "already", "already where it should be" },
	[DEVPUB_REASON_ABSENT] = { "absent", "no page here" },
	[DEVPUB_REASON_UNMAPPED] = { "unmapped",
		"nothing is mapped at this address" },
	[DEVPUB_REASON_SHARED] = { "shared", "in a shared mapping" },
	[DEVPUB_REASON_FILE] = { "file", "a page of a file" },
	[DEVPUB_REASON_HUGETLB] = { "hugetlb", "in a hugetlb mapping" },
	[DEVPUB_REASON_SPECIAL] = { "special",
		"in a mapping without ordinary pages" },
	[DEVPUB_REASON_LARGE] = { "large",
		"part of a large folio that the kernel does not split" },
	[DEVPUB_REASON_KSM] = { "ksm", "merged by KSM, or may be" },
	[DEVPUB_REASON_SWAPCACHE] = { "swapcache",
		"still has a copy in swap" },
	[DEVPUB_REASON_SWAPPED] = { "swapped",
		"swapped out; touch it and try again" },
	[DEVPUB_REASON_PINNED] = { "pinned", "somebody pins it, as for DMA" },
	[DEVPUB_REASON_BUSY] = { "busy",
		"somebody holds it for a moment; try again" },
	[DEVPUB_REASON_NO_SPACE] = { "no_space",
		"no free page where it should go" },
	[DEVPUB_REASON_OTHER_DEVICE] = { "other_device",
		"on another device; bring it back from there first" },
};

static const char *const wheres[] = {
	[DEVPUB_WHERE_UNSEEN] = "unseen",
	[DEVPUB_WHERE_ABSENT] = "absent",
	[DEVPUB_WHERE_SYSTEM] = "system",
	[DEVPUB_WHERE_DEVICE] = "device",
	[DEVPUB_WHERE_OTHER_DEVICE] = "other_device",
	[DEVPUB_WHERE_OTHER] = "other",
};

static const char *const providers[] = {
	[0] = "unknown",
	[DEVPUB_PROVIDER_CARVE] = "carve",
	[DEVPUB_PROVIDER_RESERVED] = "reserved",
};

EXPORT
const char *devpub_reason_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(reasons) ? reasons[reason].name : "unknown";
}

EXPORT
const char *devpub_reason_string(unsigned int reason)
{
	return reason < ARRAY_SIZE(reasons) ? reasons[reason].string :
	       "a reason that this version does not know";
}

EXPORT
const char *devpub_where_name(unsigned int where)
{
	return where < ARRAY_SIZE(wheres) ? wheres[where] : "unknown";
}

EXPORT
const char *devpub_provider_name(unsigned int provider)
{
	return provider < ARRAY_SIZE(providers) ? providers[provider] :
	       "unknown";
}
