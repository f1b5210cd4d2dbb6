/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devpub_kunit.ko sees of the module's insides.  Only a build for KUnit
 * (make DEVPUB_KUNIT=1) exports anything, and into a namespace of its own.
 */
#ifndef DEVPUB_EXPORT_H
#define DEVPUB_EXPORT_H

#ifdef DEVPUB_KUNIT
#include <linux/export.h>
#define DEVPUB_NAMESPACE		DEVPUB_COMPAT_NAMESPACE(DEVPUB_INTERNALS)
#define DEVPUB_EXPORT_TO_NAMESPACE	EXPORT_SYMBOL_NS_GPL
#define DEVPUB_EXPORT_FOR_KUNIT(symbol) \
	DEVPUB_EXPORT_TO_NAMESPACE(symbol, DEVPUB_NAMESPACE)
#else
#define DEVPUB_EXPORT_FOR_KUNIT(symbol)
#endif

#endif /* DEVPUB_EXPORT_H */
