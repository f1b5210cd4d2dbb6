#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Many processes do random operations, and the device is removed meanwhile.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# With FULL=1, the stress runs for ten minutes before the module is unloaded.
if [ -n "${FULL:-}" ]; then
	long=600 short=60
else
	long=8 short=4
fi

# stress OPTION...: start the stress in the background, with its pid in $stress and its output
# in $scratch/stress
stress() {
	# shellcheck disable=SC2086 # one option or none
	"$here/stress" $disk "$@" >"$scratch/stress" 2>&1 &
	stress=$!
	echo $stress >>"$scratch/peers"
}

# Wait for the end of the stress, show its summary, and fail if there was a fault.
end_of_stress() {
	status=0
	wait $stress || status=$?
	while read -r line; do
		note "$line"
	done <"$scratch/stress"
	[ $status = 0 ] || fail "exit status $status"
}

output_has() {
	grep -q "^$1" "$scratch/stress"
}

# Set up swap space, so that pages are swapped out, and a disk for direct I/O, if brd exists.
disks_on() {
	disk=
	if [ -e /dev/ram0 ] || ! modprobe brd rd_nr=2 rd_size=65536 2>/dev/null; then
		note "there is no brd module, so no direct I/O"
		return 0
	fi
	: >"$scratch/disks"
	until_true 5 [ -b /dev/ram1 ]
	disk=--disk=/dev/ram1
	[ -z "$(sed 1d /proc/swaps)" ] || return 0
	mkswap /dev/ram0 >/dev/null
	swapon /dev/ram0
}

disks_off() {
	[ -e "$scratch/disks" ] || return 0
	! grep -q '^/dev/ram0 ' /proc/swaps || swapoff /dev/ram0
	rmmod brd
	rm "$scratch/disks"
}

# KSM merges equal pages.  Merged pages stay in system memory.
ksm=/sys/kernel/mm/ksm
merging_on() {
	[ -e $ksm/run ] || return 0
	cat $ksm/run >"$scratch/run"
	cat $ksm/pages_to_scan >"$scratch/pages_to_scan"
	echo 1000 >$ksm/pages_to_scan
	echo 1 >$ksm/run
}

merging_off() {
	for file in run pages_to_scan; do
		[ -e "$scratch/$file" ] || continue
		cat "$scratch/$file" >$ksm/$file
		rm "$scratch/$file"
	done
}

# Undo what a failed case has left.  Its processes have ended.
tidy() {
	merging_off
	disks_off
}
trap 'tidy; rm -rf "$scratch"' EXIT

before() {
	need_module_file
	tidy
	disks_on
	merging_on
	total=$(mem_total)
	load size=256M
}

after() {
	! loaded || unload
	! grep -q devpub /proc/iomem || fail "the region is still in /proc/iomem"
	tidy
	until_true 5 total_is "$total" ||
		fail "MemTotal is $(mem_total) kB, it was $total kB"
	[ "$(offline_blocks)" = 0 ] || fail "$(offline_blocks) memory blocks are offline"
}

# refused OPTION...: expect status 2 and one line that names the option
refused() {
	status=0
	"$here/stress" "$@" >"$scratch/refused" 2>&1 || status=$?
	[ $status = 2 ] || fail "stress $*: status $status"
	[ "$(wc -l <"$scratch/refused")" = 1 ] || fail "stress $*: $(cat "$scratch/refused")"
	grep -q -e "${1%%=*}" "$scratch/refused" || fail "stress $*: $(cat "$scratch/refused")"
}

options() {
	"$here/stress" --help | grep -q -e --seed
	for value in 0 -1 1x '' 99999999999999999999; do
		refused --seconds="$value"
		refused --processes="$value"
		refused --pages="$value"
	done
	refused --seed=-1
	refused --disk=
	refused --disk=/dev/null
	refused --nonsense
	refused nonsense
}

# plan SEED [OPTION...]: print the operations of this seed
plan() {
	"$here/stress" --print 200 --seed "$@" | sort
}

# The same seed gives the same operations.  Another seed, process or thread gives others.
same_seed() {
	plan 1 >"$scratch/one"
	plan 1 >"$scratch/again"
	plan 2 >"$scratch/two"
	cmp "$scratch/one" "$scratch/again" || fail "the same seed gives other operations"
	! cmp -s "$scratch/one" "$scratch/two" || fail "another seed gives the same operations"
	plan 1 --processes 1 >"$scratch/alone"
	[ "$(grep -cxF -f "$scratch/alone" "$scratch/one")" = 400 ] ||
		fail "the operations of a process depend on the number of processes"
	[ "$(sed 's/.*: //' "$scratch/one" | sort -u | wc -l)" -gt 1000 ] ||
		fail "several threads have the same operations"
}

to_the_end() {
	before
	stress --seconds $short
	end_of_stress
	until_true 10 all_free || fail "pages are missing"
	after
}

has_left_memory() {
	! grep -q devpub /proc/iomem
}

# While files are open, the module can't be unloaded, but the device can be unbound.
unbind_under_load() {
	before
	stress --seconds 100
	sleep $short
	answer=$("$here/mod" unload devpub) && fail "the module was unloaded although files are open"
	case $answer in
	EAGAIN | EBUSY) ;;
	*) fail "unload: $answer" ;;
	esac
	echo devpub.0 >"$driver/unbind"
	[ ! -e /dev/devpub0 ] || fail "/dev/devpub0 is still there"
	until_true 60 has_left_memory || fail "the region is still in /proc/iomem"
	end_of_stress
	output_has "the device was removed" || fail "no call returned ENODEV"
	after
}

# Succeed if the stress has left the device or has ended.  Note whether pages were merged.
has_left() {
	[ ! -e $ksm/run ] || [ "$(cat $ksm/pages_shared)" = 0 ] || merged=y
	output_has "left the device" || output_has "pages: "
}

# The processes have closed their files, their pages are still on the device, and the other
# operations continue.
unload_under_load() {
	before
	merged=
	stress --seconds $((long + 300)) --leave $long
	until_true $((long + 200)) has_left || fail "the stress did not leave the device"
	! output_has "pages: " || end_of_stress
	! all_free || fail "no page is on the device"
	# A child that was forked just then may have the file open for a moment.
	until_true 10 "$here/mod" unload devpub >/dev/null || fail "the module can't be unloaded"
	kill -TERM $stress || fail "the stress ended before: $(cat "$scratch/stress")"
	end_of_stress
	[ -n "$merged" ] || [ -z "${FULL:-}" ] || [ ! -e $ksm/run ] || fail "no page was merged"
	after
}

cases options same_seed to_the_end unbind_under_load unload_under_load
