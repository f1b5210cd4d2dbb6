/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between the module's internals and devpub_kunit.ko.  Only a build for KUnit
 * (make DEVPUB_KUNIT=1) exports symbols, into a namespace of its own.
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
 * devpub_spy_freed() tells KUnit that the kernel has called the free callback for a page.
 * devpub_spy_refused() tells KUnit that the pool has refused the page, and returns true if a
 * test expects that.
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

/* With this name, checkpatch checks that each export directly follows its function. */
#define EXPORT_SYMBOL_FOR_DEVPUB_KUNIT	DEVPUB_EXPORT

#endif /* DEVPUB_EXPORT_H */
