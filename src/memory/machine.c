// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine below permits: which addresses its processor has, whether root may
 * choose among them, and whether memory that comes online goes to the kernel.
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
 * devpub_machine_is_locked_down() - may root reach no physical address of his choice?
 *
 * The reason is that of /dev/mem, since a device of devpub gives access of the same kind.
 * The kernel logs a line of its own with the name of the calling process.
 *
 * Context: process context.
 * Return: true under lockdown=integrity and lockdown=confidentiality, which Debian's
 * kernels have with Secure Boot.
 */
bool devpub_machine_is_locked_down(void)
{
	return security_locked_down(LOCKDOWN_DEV_MEM);
}

/**
 * devpub_machine_last_address() - the last physical address that memory can have
 *
 * mhp_get_pluggable_range() knows the limit of the kernel's direct map only, which is
 * often far beyond the processor's: ioremap() warns of what lies between (x86), and an
 * access faults (arm64).
 *
 * Context: any.
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
 * The balloon drivers of Hyper-V (hv_online_page() up to 6.12) and Xen
 * (xen_online_page()) keep what comes online, whoever added it.  virtio-mem, which is
 * of other hypervisors, passes on what it did not add.
 */
static bool machine_has_greedy_balloon(void)
{
#ifdef CONFIG_X86
	return hypervisor_is_type(X86_HYPER_MS_HYPERV) ||
	       hypervisor_is_type(X86_HYPER_XEN_PV) ||
	       hypervisor_is_type(X86_HYPER_XEN_HVM);
#else
	/* Not known: any driver may be one. */
	return true;
#endif
}

/**
 * devpub_machine_keeps_memory() - would a driver keep memory that is put online?
 *
 * Such a driver has set a callback for pages that come online.  The memory that it has
 * added itself is not to be carved either: hv_balloon does not mark it with a memory
 * group, as other drivers do.
 *
 * Context: process context, may sleep.
 */
bool devpub_machine_keeps_memory(void)
{
	/* To restore the default while it is in place succeeds and changes nothing. */
	return restore_online_page_callback(&generic_online_page) &&
	       machine_has_greedy_balloon();
}
