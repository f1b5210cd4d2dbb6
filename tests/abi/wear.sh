#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A large device can be created after small devices were created and removed.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# entries: print the number of entries of system memory in /proc/iomem
entries() {
	grep -c '^[^ ].* : System RAM$' /proc/iomem
}

# In the movable zone, the large device only fits across memory that the small one returned and
# memory from boot.
small_then_large() {
	need_module_file
	grep -qw 'movablecore=1G nokaslr' /proc/cmdline || skip "boot with movablecore=1G nokaslr"
	total=$(mem_total)

	load size=256M
	unload
	before=$(entries)
	load size=896M
	start=$(sed -n 's/^\([0-9a-f]*\)-.* : devpub0$/\1/p' /proc/iomem)
	[ "$((0x$start))" -ge $((1 << 32)) ] ||
		fail "the device is at 0x$start, not in the movable zone, of 1 GiB above 4 GiB"
	"$here/migrate" at_once >"$scratch/migrate" || fail "$(cat "$scratch/migrate")"
	unload
	[ "$(offline_blocks)" = 0 ] || fail "memory blocks are offline"
	# The memory came back as one entry.
	[ "$(entries)" -le "$before" ] || fail "$(entries) entries in /proc/iomem, before $before"
	[ "$(mem_total)" -ge "$total" ] || fail "MemTotal is $(mem_total) kB, it was $total kB"
}

nine_then_large() {
	need_module_file
	grep -qw 'movablecore=1G nokaslr' /proc/cmdline || skip "boot with movablecore=1G nokaslr"
	total=$(mem_total)
	load size=128M,128M,128M,128M,128M,128M,128M,128M,128M
	unload
	load size=896M
	unload
	[ "$(offline_blocks)" = 0 ] || fail "memory blocks are offline"
	[ "$(mem_total)" -ge "$total" ] || fail "MemTotal is $(mem_total) kB, it was $total kB"
}

cases small_then_large nine_then_large
