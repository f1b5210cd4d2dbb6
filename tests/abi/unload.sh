#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Removal of devices that are in use.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

before() {
	need_module_file
	total=$(mem_total)
	load size=256M
}

# Check that the RAM is back, and that no trace of the device remains.
after() {
	! loaded || fail "still loaded"
	[ ! -e /dev/devpub0 ] || fail "/dev/devpub0 is still there"
	! grep -q devpub /proc/iomem || fail "still in /proc/iomem"
	until_true 5 total_is "$total" ||
		fail "MemTotal is $(mem_total) kB, it was $total kB"
	[ "$(offline_blocks)" = 0 ] || fail "$(offline_blocks) memory blocks are offline"
}

# Unbinding does not wait for pages and calls; the memory comes back after they end.
unbind() {
	echo devpub.0 >"$driver/unbind"
	[ ! -e /dev/devpub0 ] || fail "/dev/devpub0 is still there"
}

# The device is busy until all of its memory is online again.
bind() {
	echo devpub.0 2>/dev/null >"$driver/bind"
}

has_left() {
	! grep -q devpub /proc/iomem
}

names() {
	before
	[ -c /dev/devpub0 ]
	grep -q ': devpub0$' /proc/iomem
	[ "$(cat "$class/devpub0/capacity")" = $((256 << 20)) ]
	[ "$(cat "$class/devpub0/provider")" = carve ]
	[ "$(mem_total)" -lt $((total - 250 * 1024)) ] || fail "MemTotal did not shrink"
	unload
	after
}

two_devices() {
	need_module_file
	total=$(mem_total)
	load size=128M,128M
	for device in devpub0 devpub1; do
		[ -c "/dev/$device" ]
		grep -q ": $device\$" /proc/iomem
		[ "$(cat "$class/$device/capacity")" = $((128 << 20)) ]
	done
	unload
	after
}

default_size() {
	need_module_file
	total=$(mem_total)
	load
	[ "$(cat "$class/devpub0/capacity")" = $((256 << 20)) ]
	unload
	after
}

live_mappings() {
	before
	start one hold 32
	one=$peer
	start two hold 16
	two=$peer
	[ "$(cat "$class/devpub0/free")" = $(((256 - 48) << 20)) ] || fail "not on the device"
	unload
	after
	finish "$one"
	finish "$two"
}

# The module can't be unloaded while a file is open.
open_file() {
	before
	start open open 8
	answer=$("$here/mod" unload devpub) && fail "unloaded under an open file"
	case $answer in
	EAGAIN | EBUSY) ;;
	*) fail "unload: $answer" ;;
	esac
	loaded || fail "not loaded any more"
	[ -c /dev/devpub0 ]
	finish "$peer"
	until_true 10 all_free || fail "pages are missing"
	unload
	after
}

# While several processes migrate, rmmod is refused, but unbinding succeeds.
under_load() {
	before
	start a load 16
	a=$peer
	start b load 8
	b=$peer
	sleep 1
	answer=$("$here/mod" unload devpub) && fail "unloaded under open files"
	case $answer in
	EAGAIN | EBUSY) ;;
	*) fail "unload: $answer" ;;
	esac
	unbind
	wait "$a" || fail "$(cat "$scratch/a")"
	wait "$b" || fail "$(cat "$scratch/b")"
	grep -q '^ENODEV' "$scratch/a" || fail "no ENODEV for the first"
	grep -q '^ENODEV' "$scratch/b" || fail "no ENODEV for the second"
	unload
	after
}

# Open files of an unbound device do not keep its memory.
unbind_with_open_file() {
	before
	start open open 8
	unbind
	until_true 20 has_left || fail "still in /proc/iomem"
	until_true 5 total_is "$total" || fail "MemTotal is $(mem_total) kB, it was $total kB"
	finish "$peer"
	unload
	after
}

# Without pages in use and calls inside, the memory is back at once.
unbind_at_once() {
	before
	unbind
	has_left || fail "still in /proc/iomem"
	unload
	after
}

# A held page delays only the return of the memory, not the unbinding or others.  The device can't
# be bound again before that.
unbind_under_page() {
	before
	start pin pin 4
	unbind
	until_true 25 log_tells "devpub.*[0-9]+ page" || fail "no word in the log about the page"
	grep -q ': devpub0$' /proc/iomem || fail "the memory is gone under a page"
	! echo devpub.0 2>/dev/null >"$driver/bind" || fail "bound while its page is held"
	log_tells "1 page.*then bind it again" || fail "no word in the log about the binding"
	answer=$("$here/mod" destroy 0) && fail "destroyed while its page is held"
	[ "$answer" = "EBUSY 1" ] || fail "destroy: $answer"
	finish "$peer"
	until_true 20 has_left || fail "still in /proc/iomem"
	until_true 20 bind || fail "can't be bound again"
	[ -c /dev/devpub0 ] || fail "no /dev/devpub0"
	unload
	after
}

# Unloading moves the pages of processes off the device, and waits for them.
unload_after_unbind() {
	before
	start pin pin 4
	unbind
	"$here/mod" unload devpub >"$scratch/unload" &
	unloading=$!
	sleep 1
	! unloaded_in_background || fail "unloaded under a page: $(cat "$scratch/unload")"
	finish "$peer"
	until_true 20 unloaded_in_background || fail "still waiting after the page came free"
	wait "$unloading" || fail "unload: $(cat "$scratch/unload")"
	after
}

bind_again() {
	before
	for round in 1 2 3; do
		start hold hold 8
		unbind
		finish "$peer"
		until_true 20 has_left || fail "round $round: still in /proc/iomem"
		until_true 20 bind || fail "round $round: can't be bound again"
		[ -c /dev/devpub0 ] || fail "round $round: no /dev/devpub0"
		[ "$(cat "$class/devpub0/capacity")" = $((256 << 20)) ]
		until_true 10 all_free || fail "round $round: pages are missing"
	done
	start hold hold 8
	unload
	after
	finish "$peer"
}

# Unload in the background while a page is held, which the log reports.
unload_under_page() {
	start pin pin 4
	"$here/mod" unload devpub >"$scratch/unload" &
	unloading=$!
	until_true 25 log_tells "devpub.*[0-9]+ page" || fail "no word in the log about the page"
	loaded || fail "unloaded under a page"
}

# The log reports a page that can't move, and the wait ends when it is released.
held_page() {
	before
	unload_under_page
	# The hung task detector would report a task in state D.
	read -r _ _ state _ <"/proc/$unloading/stat"
	[ "$state" = I ] || fail "it waits in state $state"
	kill -0 "$unloading" || fail "the unloading ended: $(cat "$scratch/unload")"
	note "$(log_since "$case_start" | grep -E 'devpub.*[0-9]+ page' | head -n 1)"
	finish "$peer"
	until_true 20 unloaded_in_background || fail "still waiting after the page came free"
	wait "$unloading" || fail "unload: $(cat "$scratch/unload")"
	after
}

# The unloading task may be killed; the unloading continues to its end.
unloader_killed() {
	before
	unload_under_page
	kill -KILL "$unloading"
	sleep 1
	loaded || fail "unloaded under a page"
	finish "$peer"
	until_true 20 not_loaded || fail "still waiting after the page came free"
	wait "$unloading" || :
	after
}

not_loaded() {
	! loaded
}

log_tells() {
	log_since "$case_start" | grep -qE "$1"
}

unloaded_in_background() {
	[ -s "$scratch/unload" ]
}

cases names two_devices default_size live_mappings open_file under_load \
	unbind_with_open_file unbind_at_once unbind_under_page unload_after_unbind \
	bind_again held_page unloader_killed
