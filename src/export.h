/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devpub_kunit.ko sees of the module's insides.  Only a build for KUnit
 * (make DEVPUB_KUNIT=1) exports anything, and into a namespace of its own.
 */
#ifndef DEVPUB_EXPORT_H
#define DEVPUB_EXPORT_H

#include <linux/types.h>

#ifdef DEVPUB_KUNIT
#include <linux/export.h>
#define DEVPUB_NAMESPACE		DEVPUB_COMPAT_NAMESPACE(DEVPUB_INTERNALS)
#define DEVPUB_EXPORT_TO_NAMESPACE	EXPORT_SYMBOL_NS_GPL
#define DEVPUB_EXPORT(symbol) \
	DEVPUB_EXPORT_TO_NAMESPACE(symbol, DEVPUB_NAMESPACE)
#else
#define DEVPUB_EXPORT(symbol)
#endif

struct page;

/*
 * Tell KUnit that the kernel's free callback came for a page, and that the pool did not
 * take it.  Return of the latter: whether a test is prepared for that.
 */
#ifdef DEVPUB_KUNIT
void devpub_spy_freed(struct page *page);
bool devpub_spy_refused(struct page *page);
#else
static inline void devpub_spy_freed(struct page *page)
{
}

static inline bool devpub_spy_refused(struct page *page)
{
	return false;
}
#endif

/* checkpatch sees to it that what has this name stands where an export should. */
#define EXPORT_SYMBOL_FOR_DEVPUB_KUNIT	DEVPUB_EXPORT

#endif /* DEVPUB_EXPORT_H */
