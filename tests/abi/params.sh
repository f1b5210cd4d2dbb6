#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Module parameters, mainly invalid ones: the errno, a log line that says what to do, and no
# lost memory.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# Print the module's own log lines since a mark, without those of the loader, of the driver core,
# and of devices that were created before the failure.
own_lines() {
	dmesg | awk -v mark="mark $1\$" '
		$0 ~ mark { on = 1; next }
		on && /\] devpub[ :]/ &&
		!/taint|prob(e|ing)|invalid for parameter|of coherent memory at/ {
			sub(/^\[[^]]*\] /, "")
			print
		}'
}

newline='
'

# refused ERRNO TEXT PARAMETERS: check that the load fails with this errno and this text in the log
refused() {
	mark=$(log_mark)
	if answer=$("$here/mod" load "$DEVPUB_KO" "$3"); then
		unload
		fail "'$3' was accepted"
	fi
	[ "$answer" = "$1" ] || fail "'$3': $answer instead of $1"
	[ ! -e /sys/module/devpub ] || fail "'$3': loaded all the same"
	[ ! -e /dev/devpub0 ] || fail "'$3': left /dev/devpub0"
	[ ! -e /sys/class/devpub ] || fail "'$3': left its class"
	lines=$(own_lines "$mark")
	case $lines in
	*"$newline"*) fail "'$3': more than one line in the log: $lines" ;;
	*"$2"*) ;;
	*) fail "'$3': no '$2' in the log: $lines" ;;
	esac
}

before() {
	need_module_file
	total=$(mem_total)
	iomem=$(cat /proc/iomem)
}

iomem_is_same() {
	[ "$(cat /proc/iomem)" = "$iomem" ] || fail "/proc/iomem changed"
}

# The failed loads have taken no memory.
nothing_lost() {
	[ "$(mem_total)" = "$total" ] || fail "MemTotal is $(mem_total) kB, it was $total kB"
	iomem_is_same
	[ "$(offline_blocks)" = 0 ] || fail "memory blocks are offline"
}

# This message is from the kernel.
refused_by_kernel() {
	answer=$("$here/mod" load "$DEVPUB_KO" "$1") && fail "'$1' was accepted"
	[ "$answer" = EINVAL ] || [ "$answer" = ERANGE ] || fail "'$1': $answer instead of EINVAL"
	! loaded || fail "'$1': loaded all the same"
}

sizes() {
	before
	refused EINVAL 'size=0' size=0
	for bad in abc -1 256Mx '256M,' '256M,,' ',256M' '256M,abc' 0x 1.5G '' \
		99999999999999999999 17E; do
		refused EINVAL 'for example' "size=$bad"
	done
	refused EINVAL 'at most' \
		size=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
	nothing_lost
}

sizes_beyond_memory() {
	before
	refused ENOMEM 'more than half' size=1000T
	refused ENOMEM 'more than half' size=15E
	refused ENOMEM 'more than half' size=18446744073709551615
	refused ENOMEM 'more than half' "size=$(($(mem_total) * 3 / 4))K"
	nothing_lost
}

# The first device exists when the second can't be created.
second_of_two() {
	before
	refused EINVAL 'size=0' size=128M,0
	refused ENOMEM 'more than half' size=128M,1000T
	total_is "$total" || fail "MemTotal is $(mem_total) kB, it was $total kB"
	[ "$(offline_blocks)" = 0 ] || fail "memory blocks are offline"
}

size_rounded_up() {
	need_module_file
	block=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
	for bytes in 1 $((block - 1)) $((block / 1024))K; do
		mark=$(log_mark)
		load "size=$bytes"
		[ "$(cat "$class/devpub0/capacity")" = "$block" ] ||
			fail "size=$bytes: capacity $(cat "$class/devpub0/capacity")"
		case $bytes in
		*K) ! own_lines "$mark" | grep -q 'rounded up' || fail "size=$bytes: nothing to round" ;;
		*) own_lines "$mark" | grep -q 'rounded up' || fail "size=$bytes: no word of rounding" ;;
		esac
		unload
	done
}

# Devices can be created later.
no_device() {
	before
	# If the module is installed, the system creates the file at boot, and it stays.
	static=$(ls /dev/devpub-control 2>/dev/null || :)
	load size=none
	for device in "$class"/devpub*; do
		[ ! -e "$device" ] || fail "there is $device"
	done
	[ -c /dev/devpub-control ] || fail "no /dev/devpub-control"
	unload
	[ "$(ls /dev/devpub-control 2>/dev/null || :)" = "$static" ] ||
		fail "/dev/devpub-control is not as it was: '$static'"
	nothing_lost
}

nodes() {
	before
	for bad in 99 -2 2147483647; do
		refused EINVAL 'node' "node=$bad"
	done
	refused_by_kernel node=abc
	nothing_lost
	load node=0 size=128M
	[ "$(cat "$class/devpub0/node")" = 0 ]
	unload
	load node=-1 size=128M
	unload
}

windows() {
	before
	for bad in 0 3 256 513 100000 131072; do
		refused EINVAL 'window' "window=$bad"
	done
	refused_by_kernel window=-1
	refused_by_kernel window=abc
	refused_by_kernel window=4294967296
	nothing_lost
}

# Other sizes of the window.
window_sizes() {
	need_module_file
	for pages in 1024 65536; do
		load size=128M "window=$pages"
		"$here/migrate" many_rounds holes single_page gaps_between_mappings \
			>"$scratch/migrate" || fail "window=$pages: $(cat "$scratch/migrate")"
		unload
	done
}

regions() {
	before
	for bad in '' 0x40000000 '256M,' ',256M' 0x40000000,abc 0x40000000,256M,1 \
		0x40000000,-1 -1,256M; do
		refused EINVAL 'for example' "region=$bad"
	done
	refused EINVAL 'multiples' region=0x40000000,0
	refused EINVAL 'multiples' region=0x40000001,256M
	refused EINVAL 'multiples' region=0x40001000,256M
	refused EINVAL 'multiples' region=0x40000000,1
	refused EINVAL 'multiples' region=0x40000000,4K
	# text of the kernel, and an I/O APIC
	refused EINVAL 'iomem' region=0x1000000,16M
	refused EINVAL 'iomem' region=0xfec00000,2M
	# The first address beyond the processor's limit, and a range that crosses the limit
	bits=$(sed -n 's/^address sizes.*: *\([0-9]*\) bits physical.*/\1/p' /proc/cpuinfo | head -n 1)
	if [ -n "$bits" ]; then
		refused EINVAL 'can address memory' "region=$((1 << bits)),2M"
		refused EINVAL 'can address memory' "region=$((2 << bits)),2M"
		refused EINVAL 'can address memory' "region=$(((1 << bits) - (2 << 20))),4M"
	fi
	refused EINVAL 'region=' region=0x10000000000000,256M
	refused EINVAL 'region=' region=0xfffffffff0000000,256M
	refused EINVAL 'region=' region=0xffffffffe0000000,1G
	refused EINVAL 'region=' region=0,0xffffffffffe00000
	nothing_lost
}

# Find memory that memmap=SIZE$START reserves.  Some "Reserved" ranges of /proc/iomem have no
# memory.
reserved_start() {
	sed -n 's/.*memmap=256M\$\(0x[0-9a-f]*\).*/\1/p' /proc/cmdline
}

reserved() {
	need_module_file
	start=$(reserved_start)
	[ -n "$start" ] || skip "no memory is kept aside: boot with memmap=256M\$0x60000000"
	start=$((start))
	total=$(mem_total)
	iomem=$(cat /proc/iomem)

	load "region=$start,128M"
	[ "$(cat "$class/devpub0/provider")" = reserved ]
	[ "$(cat "$class/devpub0/capacity")" = $((128 << 20)) ]
	grep -q ': devpub0$' /proc/iomem
	[ "$(mem_total)" = "$total" ] || fail "MemTotal is $(mem_total) kB, it was $total kB"
	"$here/migrate" at_once holes window_borders >"$scratch/migrate" || fail "$(cat "$scratch/migrate")"
	start hold hold 16
	unload
	finish "$peer"
	iomem_is_same

	load "region=$start,64M region=$((start + (64 << 20))),64M size=128M"
	for device in devpub0 devpub1 devpub2; do
		[ -c "/dev/$device" ]
	done
	unload

	refused EINVAL 'iomem' "region=$start,1G"
	iomem=$(cat /proc/iomem)
	answer=$("$here/mod" load "$DEVPUB_KO" \
		"region=$start,64M region=$((start + (32 << 20))),64M") &&
		fail "regions that overlap were accepted"
	case $answer in
	EINVAL | EBUSY) ;;
	*) fail "regions that overlap: $answer" ;;
	esac
	! loaded || fail "loaded all the same"
	iomem_is_same
}

# holds PID: whether it has opened the file
holds() {
	[ "$(readlink "/proc/$1/fd/3")" = /dev/hmm_dmirror2 ]
}

# An interface for tests, which nobody has unasked.
hmm_dmirror() {
	need_module_file
	load size=128M
	for node in 2 3; do
		[ ! -e "/dev/hmm_dmirror$node" ] || fail "hmm_dmirror$node is there unasked"
	done
	unload
	refused_by_kernel hmm_dmirror=maybe
	load size=128M hmm_dmirror=Y
	for node in 2 3; do
		[ "$(stat -c '%a %u' "/dev/hmm_dmirror$node")" = "600 0" ] || fail "hmm_dmirror$node: not root's"
	done
	# Without a device 1
	! true 2>/dev/null </dev/hmm_dmirror3 || fail "hmm_dmirror3 can be opened"
	(exec 3</dev/hmm_dmirror2 && exec sleep 60) &
	peer=$!
	echo $peer >>"$scratch/peers"
	until_true 10 holds $peer
	answer=$("$here/mod" unload devpub) && fail "unloaded while a file is open"
	[ "$answer" = EAGAIN ] || fail "unload while a file is open: $answer"
	kill $peer
	wait $peer || :
	unload
	[ ! -e /dev/hmm_dmirror2 ] || fail "hmm_dmirror2 is left"
}

cases sizes sizes_beyond_memory second_of_two size_rounded_up no_device nodes windows window_sizes regions reserved hmm_dmirror
