/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* For the library and the tools. */
#ifndef DEVPUB_ARRAY_H
#define DEVPUB_ARRAY_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

#endif /* DEVPUB_ARRAY_H */
