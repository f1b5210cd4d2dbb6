#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probes.sh KERNEL_SOURCE: print -DDEVPUB_HAVE_<NAME> for each feature that this
# kernel's headers declare.  It checks headers instead of version numbers, because
# distributions backport features.  src/compat.h describes each feature.
set -eu

include=${1:?usage: probes.sh KERNEL_SOURCE}/include/linux

[ -r "$include/memremap.h" ] || {
	echo "devpub: no kernel headers in ${1}: install linux-headers-*" >&2
	exit 1
}

grep -q MEMORY_DEVICE_COHERENT "$include/memremap.h" || {
	echo "devpub: this kernel has no coherent device memory: run Linux 6.1 or later" >&2
	exit 1
}

# probe NAME HEADER REGEX.  Match the header as one line, because a declaration may
# span lines.  A missing header declares nothing.
probe() {
	if [ -r "$include/$2" ] &&
		tr -s '[:space:]' ' ' <"$include/$2" | grep -qE "$3"; then
		printf -- '-DDEVPUB_HAVE_%s ' "$1"
	fi
}

probe FOLIO_FREE	memremap.h	'\(\*folio_free\)\(struct folio'
probe PAGE_INIT_PGMAP	memremap.h	'zone_device_page_init\(struct page \*page, struct dev_pagemap'
probe PAGE_PGMAP	mmzone.h	'struct dev_pagemap \*page_pgmap\('
probe GUP_REMOTE_VMAS	mm.h		'long get_user_pages_remote\([^;]*struct vm_area_struct \*\*vmas'
probe CAN_CHANGE_PTE	mm.h		'bool can_change_pte_writable\('
probe ANON_PGOFF	mm.h		'pgoff_t vma_start_anon_pgoff\('
probe DEV_FLAGS		device.h	'__create_dev_flag_accessors\(offline,'
probe EXCLUSIVE		rmap.h		'struct page \*make_device_exclusive\('
probe GET_PAGEMAP	memremap.h	'struct dev_pagemap \*get_dev_pagemap\(unsigned long pfn\);'
probe KZALLOC_OBJ	slab.h		'#define kzalloc_obj\('
probe ACR_FLAGS		gfp.h		'alloc_contig_range_noprof\([^;]*acr_flags_t'
probe PAGES_BULK_LIST	gfp.h		'alloc_pages_bulk[^;]*struct list_head \*page_list'
probe VM_FLAGS_SET	mm.h		'void vm_flags_set\('
probe VMA_LOCKS		mm_types.h	'vm_lock_seq;'
probe PTE_MAP_FAILS	mm.h		'pte_t \*__pte_offset_map_lock\(|pte_t \*pte_offset_map_lock\('
probe SPLIT_OF_PTES	migrate.h	'MIGRATE_VMA_SELECT_COMPOUND'
probe MEMDESC_FLAGS	mm_types.h	'memdesc_flags_t flags;'
probe WQ_PERCPU		workqueue.h	'WQ_PERCPU ='
probe STRING_NAMESPACE	module.h	'define MODULE_IMPORT_NS\(ns\) MODULE_INFO\(import_ns, ns\)'
probe LEAFOPS		leafops.h	'bool softleaf_is_migration\('
