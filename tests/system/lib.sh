# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for those who read this in
# Functions that the tests of a whole system share; see run.

# shellcheck source=tests/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

built=${BUILT:-/home/you/devpub}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export COLUMNS=100
devpubctl=(devpubctl)

# gives STATUS ARGUMENT...: check that devpubctl exits with this status, such as "0" or "0|7"
gives() {
	local want=$1

	shift
	status=0
	"${devpubctl[@]}" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	[[ "|$want|" == *"|$status|"* ]] || {
		note "$*: status $status, not $want"
		sed 's/^/# /' "$scratch/out" "$scratch/err"
		return 1
	}
}

# refuses STATUS PATTERN ARGUMENT...: check that devpubctl exits with this status, and prints
# only one line on stderr, which matches the pattern
refuses() {
	local want=$1 pattern=$2

	shift 2
	gives "$want" "$@"
	if [ "$(wc -l <"$scratch/err")" -ne 1 ] || [ -s "$scratch/out" ]; then
		fail "$*: $(cat "$scratch/err" "$scratch/out")"
	fi
	says "$pattern"
}

says() {
	grep -qE -e "$1" "$scratch/err" || fail "no '$1' in: $(cat "$scratch/err")"
}

shows() {
	grep -qE -e "$1" "$scratch/out" || {
		sed 's/^/# /' "$scratch/out"
		fail "no '$1' in the above"
	}
}

# json EXPRESSION [ARGUMENT...]: check that devpubctl has printed JSON, and that this expression of
# python3 is true, with the parsed JSON in "it" and the arguments in sys.argv
json() {
	python3 - "$@" <<-'END' "$scratch/out" || fail "JSON: not so: $1: $(head -c 2000 "$scratch/out")"
	import json, sys
	it = json.load(open(sys.argv.pop()))
	del sys.argv[0]
	sys.exit(not eval(sys.argv[0]))
	END
}

# hold SYSTEM [DEVICE]: start a process with this memory in MiB, and set $pid; let_go ends it
hold() {
	rm -f "$scratch/stop" "$scratch/hold"
	mkfifo "$scratch/stop"
	"$built/tools/build/hold" "$@" <"$scratch/stop" >"$scratch/hold" 2>&1 &
	pid=$!
	echo $pid >>"$scratch/peers"
	exec 9>"$scratch/stop"
	until_true 60 grep -q ready "$scratch/hold" || fail "hold: $(cat "$scratch/hold")"
}

# The memory of the process must be unchanged.
let_go() {
	exec 9>&-
	wait "$pid" || fail "the process lost data"
}

bytes_used() {
	devpubctl list --json | python3 -c '
import json, sys
print(sum(device["used"] for device in json.load(sys.stdin)["devices"]))'
}

# as USER COMMAND...: run a command as the user
as() {
	runuser -u "$1" -- "${@:2}"
}

# need_device: make devpub0 with 128 MiB the only device, without pages on it
need_device() {
	if [ "$(devpubctl list --bytes 2>/dev/null | awk 'NR > 1 { print $1, $2, $3 }')" != \
		"devpub0 $((128 << 20)) 0" ]; then
		! loaded || rmmod devpub
		insmod "$built/devpub.ko" size=128M
		udevadm settle
	fi
}
