# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034 # variables for those who read this in
# Functions that the test scripts share.  They also run in the shell of busybox.
#
# A script defines a function for each case, and ends with "cases NAME...".  A case runs in a
# subshell under "set -e".  It fails if any command fails, or calls "fail WHY" or "skip WHY".

here=$(cd "$(dirname "$0")" && pwd)
class=/sys/class/devpub
driver=/sys/bus/platform/drivers/devpub
scratch=$(mktemp -d)
: >"$scratch/peers"
trap 'rm -rf "$scratch"' EXIT

note() {
	printf '# %s\n' "$*"
}

fail() {
	note "$*"
	exit 1
}

skip() {
	printf '%s\n' "$*" >"$scratch/skip"
	exit 4
}

cases() {
	number=0 failed=0

	printf 'KTAP version 1\n1..%d\n' $#
	for name in "$@"; do
		number=$((number + 1))
		case_start=$(log_mark)
		# Do not call this in a condition, where the shell ignores "set -e".
		set +e
		(
			set -e
			"$name"
		)
		status=$?
		set -e
		# Clean up after a failed case, so that it does not keep the module in use.
		while read -r pid; do
			kill -9 "$pid" 2>/dev/null || :
		done <"$scratch/peers"
		: >"$scratch/peers"
		case $status in
		0) echo "ok $number $name" ;;
		4) echo "ok $number $name # SKIP $(cat "$scratch/skip")" ;;
		*)
			echo "not ok $number $name"
			failed=1
			;;
		esac
	done
	exit $failed
}

# Read the kernel log from a mark on.  The mark is a line in the log itself, because a ring
# buffer has no line numbers.
log_mark() {
	log_marks=$(cat /proc/sys/kernel/random/uuid)
	echo "devpub-test: mark $log_marks" >/dev/kmsg
	echo "$log_marks"
}

# log_since MARK: print the lines since the mark; fail if the log has lost the mark
log_since() {
	dmesg >"$scratch/dmesg"
	grep -q "devpub-test: mark $1\$" "$scratch/dmesg" ||
		fail "the kernel's log has lost its begin" >&2
	sed "1,/devpub-test: mark $1\$/d" "$scratch/dmesg"
}

# until SECONDS COMMAND...: wait until the command succeeds
until_true() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

loaded() {
	grep -q '^devpub ' /proc/modules
}

# load [PARAMETERS]: load the module, which must succeed
load() {
	answer=$("$here/mod" load "$DEVPUB_KO" "$*") || fail "load '$*': $answer"
}

# unload: unload the module, which must succeed after a page that is late
unload() {
	answer=$("$here/mod" unload devpub) || fail "unload: $answer"
}

need_module_file() {
	[ -n "${DEVPUB_KO:-}" ] || skip "loads and unloads the module: set DEVPUB_KO to its file"
	! loaded || unload
}

mem_total() {
	sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# total_is KB: succeed if the RAM is back.  It may be more than before: when a block is taken
# for the first time, the kernel frees the memory for its struct pages, 1/64 of the block.  That
# memory was reserved at boot and not counted.
total_is() {
	[ "$(mem_total)" -ge "$1" ] && [ "$(mem_total)" -le $(($1 + 512 * 1024 / 64)) ]
}

offline_blocks() {
	cat /sys/devices/system/memory/memory*/state | grep -vc '^online$' || :
}

all_free() {
	for device in "$class"/devpub*; do
		[ -e "$device" ] || continue
		[ "$(cat "$device/free")" = "$(cat "$device/capacity")" ] || return 1
	done
}

# start NAME PEER-ARGUMENTS...: start a peer, wait until it is ready, and set $peer to its pid
start() {
	peer_log=$scratch/$1
	: >"$peer_log"
	shift
	"$here/peer" "$@" >"$peer_log" 2>&1 &
	peer=$!
	echo $peer >>"$scratch/peers"
	until_true 60 grep -q '^ready' "$peer_log" || {
		cat "$peer_log"
		kill -9 $peer
		fail "peer $*: not ready"
	}
}

# finish PID: let a peer continue; it must find its memory unchanged
finish() {
	kill -USR1 "$1" 2>/dev/null || :
	wait "$1" || fail "the process lost data"
}
