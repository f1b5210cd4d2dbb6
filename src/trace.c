// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The definitions of the trace events in trace.h. */
#define CREATE_TRACE_POINTS
#include "trace.h"
