#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Repeated loading and unloading.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

again_and_again() {
	need_module_file
	# The first time differs from the others; see total_is.
	load size=128M
	unload
	total=$(mem_total)
	blocks=$(find /sys/devices/system/memory -maxdepth 1 -name 'memory*' | wc -l)
	round=0
	while [ "$round" -lt "${RELOADS:-100}" ]; do
		round=$((round + 1))
		answer=$("$here/mod" load "$DEVPUB_KO" size=128M) ||
			fail "round $round: load: $answer"
		if [ $((round % 20)) = 1 ]; then
			start hold hold 8
			unload
			finish "$peer"
		else
			unload
		fi
		[ "$(mem_total)" = "$total" ] ||
			fail "round $round: MemTotal is $(mem_total) kB, it was $total kB"
	done
	[ "$(offline_blocks)" = 0 ] || fail "$(offline_blocks) memory blocks are offline"
	now=$(find /sys/devices/system/memory -maxdepth 1 -name 'memory*' | wc -l)
	[ "$now" = "$blocks" ] || fail "$now memory blocks, there were $blocks"
}

# Memory that was given back in parts can be taken as a whole, and vice versa.
other_sizes() {
	need_module_file
	total=$(mem_total)
	for sizes in 128M,128M 256M 128M 384M 128M,256M 256M,128M 128M,128M,128M 512M; do
		load "size=$sizes"
		unload
		total_is "$total" ||
			fail "$sizes: MemTotal is $(mem_total) kB, it was $total kB"
	done
	[ "$(offline_blocks)" = 0 ] || fail "$(offline_blocks) memory blocks are offline"
}

cases other_sizes again_and_again
