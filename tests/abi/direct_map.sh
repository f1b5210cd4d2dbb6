#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Devices take parts of memory that the kernel maps by 1 GiB pages.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

mapped_by_1g() {
	sed -n 's/^DirectMap1G: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

part_of_1g() {
	need_module_file
	before=$(mapped_by_1g)
	[ "${before:-0}" -gt 0 ] || skip "the kernel maps no memory by pages of 1 GiB"
	# Nothing splits the kernel's map of memory that is movable from boot on, unless it
	# contains the kernel's image.
	grep -qw 'movablecore=1G nokaslr' /proc/cmdline || skip "boot with movablecore=1G nokaslr"

	dd if=/dev/urandom of="$scratch/data" bs=1M count=512 2>/dev/null
	sum=$(md5sum "$scratch/data")
	for sizes in 128M 256M 128M,128M 128M; do
		load "size=$sizes"
		[ "$(mapped_by_1g)" -lt "$before" ] || fail "$sizes: no part of 1 GiB was taken: $before kB are mapped so, as before"
		"$here/migrate" at_once holes >"$scratch/migrate" || fail "$(cat "$scratch/migrate")"
		unload
	done
	[ "$(md5sum "$scratch/data")" = "$sum" ] || fail "memory has changed that is nobody's of ours"
	[ "$(offline_blocks)" = 0 ] || fail "memory blocks are offline"
}

cases part_of_1g
