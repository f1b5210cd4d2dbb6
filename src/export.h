/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Exports the module's internals to devpub_kunit.ko.  Only a build for KUnit
 * (make DEVPUB_KUNIT=1) exports symbols, into a namespace of its own.
 */
#ifndef DEVPUB_EXPORT_H
#define DEVPUB_EXPORT_H

#ifdef DEVPUB_KUNIT
#include <linux/export.h>
#define DEVPUB_NAMESPACE		DEVPUB_COMPAT_NAMESPACE(DEVPUB_INTERNALS)
#define DEVPUB_EXPORT_TO_NAMESPACE	EXPORT_SYMBOL_NS_GPL
#define DEVPUB_EXPORT(symbol) \
	DEVPUB_EXPORT_TO_NAMESPACE(symbol, DEVPUB_NAMESPACE)
#else
#define DEVPUB_EXPORT(symbol)
#endif

/* With this name, checkpatch checks that each export directly follows its function. */
#define EXPORT_SYMBOL_FOR_DEVPUB_KUNIT	DEVPUB_EXPORT

#endif /* DEVPUB_EXPORT_H */
