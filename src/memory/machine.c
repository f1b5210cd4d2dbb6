// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The machine: finds out which physical addresses its processor supports, whether root may
 * choose among them, and whether a driver keeps memory that comes online.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/range.h>
#include <linux/security.h>

#ifdef CONFIG_X86
#include <asm/hypervisor.h>
#include <asm/processor.h>
#endif
#ifdef CONFIG_ARM64
#include <asm/cpufeature.h>
#endif

#include "export.h"
#include "memory/machine.h"

/**
 * devpub_machine_is_locked_down() - check if root may not access arbitrary physical memory
 *
 * This checks the lockdown reason of /dev/mem, because a devpub device gives the same kind
 * of access.  The kernel logs a line with the name of the calling process.
 *
 * Context: process context.
 * Return: true under lockdown=integrity and lockdown=confidentiality.  Debian's kernels are
 * locked down with Secure Boot.
 */
bool devpub_machine_is_locked_down(void)
{
	return security_locked_down(LOCKDOWN_DEV_MEM);
}

/**
 * devpub_machine_last_address() - get the last physical address that memory can have
 *
 * mhp_get_pluggable_range() returns only the limit of the kernel's direct map, which is
 * often far above the processor's.  For an address between the two limits, ioremap() warns
 * on x86, and an access faults on arm64.
 *
 * Context: any.
 * Return: the last address.
 */
u64 devpub_machine_last_address(void)
{
	struct range possible = mhp_get_pluggable_range(true);
	u64 last = min_t(u64, possible.end, iomem_resource.end);
#if defined(CONFIG_X86)
	unsigned int bits = boot_cpu_data.x86_phys_bits;
#elif defined(CONFIG_ARM64)
	u64 features = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	int range = cpuid_feature_extract_unsigned_field(features,
							 ID_AA64MMFR0_EL1_PARANGE_SHIFT);
	unsigned int bits = id_aa64mmfr0_parange_to_phys_shift(range);
#else
	unsigned int bits = 64;
#endif

	return bits < 64 ? min(last, (1ULL << bits) - 1) : last;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_machine_last_address);

/*
 * The balloon drivers of Hyper-V (hv_online_page() up to 6.12) and Xen (xen_online_page())
 * keep all memory that comes online, regardless of what added it.  virtio-mem, which other
 * hypervisors have, keeps only memory that it added itself.
 */
static bool machine_has_greedy_balloon(void)
{
#ifdef CONFIG_X86
	return hypervisor_is_type(X86_HYPER_MS_HYPERV) ||
	       hypervisor_is_type(X86_HYPER_XEN_PV) ||
	       hypervisor_is_type(X86_HYPER_XEN_HVM);
#else
	/* Assume the worst: the hypervisor is unknown. */
	return true;
#endif
}

/**
 * devpub_machine_keeps_memory() - check if a driver would keep memory that is put online
 *
 * Such a driver has set a callback for pages that come online.  No memory may be carved
 * then, not even for a driver that keeps only its own: hv_balloon does not mark the memory
 * that it added with a memory group, as other drivers do.
 *
 * Context: process context, may sleep.
 * Return: true if a driver would keep it.
 */
bool devpub_machine_keeps_memory(void)
{
	/* This fails if a driver has set a callback, and otherwise changes nothing. */
	return restore_online_page_callback(&generic_online_page) &&
	       machine_has_greedy_balloon();
}
