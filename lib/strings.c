// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Names and texts for the ABI's numbers. */
#include <devpub_array.h>
#include <devpub_reasons.h>

#include "internal.h"

static const struct {
	const char *name;
	const char *string;
} reasons[] = {
#define REASON(number, name, string) \
	[DEVPUB_REASON_##number] = { #name, string },
	DEVPUB_REASONS(REASON)
};

static const char *const location_names[] = {
	[DEVPUB_LOCATION_UNSEEN] = "unseen",
	[DEVPUB_LOCATION_ABSENT] = "absent",
	[DEVPUB_LOCATION_SYSTEM] = "system",
	[DEVPUB_LOCATION_DEVICE] = "device",
	[DEVPUB_LOCATION_OTHER_DEVICE] = "other_device",
	[DEVPUB_LOCATION_OTHER] = "other",
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
	       "a reason that this version of the library does not know";
}

EXPORT
const char *devpub_location_name(unsigned int location)
{
	return location < ARRAY_SIZE(location_names) ? location_names[location] :
	       "unknown";
}

EXPORT
const char *devpub_provider_name(unsigned int provider)
{
	return provider < ARRAY_SIZE(providers) ? providers[provider] :
	       "unknown";
}
