#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading, again and again.
set -eu
. "$(dirname "$0")/lib.sh"

hundred_times() {
	need_module_file
	total=$(mem_total)
	blocks=$(find /sys/devices/system/memory -maxdepth 1 -name 'memory*' | wc -l)
	round=0
	while [ "$round" -lt 100 ]; do
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

cases hundred_times
