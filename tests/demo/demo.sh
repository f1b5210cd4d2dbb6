#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh [FILE]: run the whole demo, from loading the module to returning the memory.  demo.c is
# the main part.
set -eu
# shellcheck source=tests/harness/lib.sh
. "$(dirname "$0")/lib.sh"

die() {
	echo "demo: $*" >&2
	exit 1
}

DEVPUB_KO=${DEVPUB_KO:-/devpub/devpub.ko}
file=${1:-/devpub/data}
[ -f "$DEVPUB_KO" ] || die "no module at $DEVPUB_KO: set DEVPUB_KO to the file devpub.ko"
[ -f "$file" ] || die "no data at $file: name a file"
! loaded || die "devpub is loaded already: rmmod devpub, or run demo alone"

total=$(mem_total)
echo "Linux $(uname -r), MemTotal $total kB"
answer=$("$here/mod" load "$DEVPUB_KO" size=256M) || {
	dmesg | grep devpub | tail -n 3 >&2
	die "can't load the module: $answer"
}
echo "devpub.ko loaded with size=256M, MemTotal $(mem_total) kB"
grep devpub0 /proc/iomem | sed 's/^ */\/proc\/iomem: /'

echo
echo "== A program's memory goes to the device and comes back"
"$here/demo" "$file"

echo
echo "== The module is unloaded while a process lives on the device"
"$here/demo" --stay "$file" >"$scratch/stay" 2>&1 &
peer=$!
until_true 120 grep -q '^staying' "$scratch/stay" || {
	cat "$scratch/stay" >&2
	kill -9 $peer
	die "the process did not get to the device"
}
sed '1d' "$scratch/stay"
used=$(($(cat "$class/devpub0/capacity") - $(cat "$class/devpub0/free")))
echo "$((used / 4096)) pages of the device are in use"
[ $used -gt 0 ] || die "it should have been some"
answer=$("$here/mod" unload devpub) || die "can't unload the module: $answer"
[ ! -e /dev/devpub0 ] || die "/dev/devpub0 is still there"
echo "devpub.ko unloaded"
kill -USR1 $peer
wait $peer || {
	sed '1,/^staying/d' "$scratch/stay" >&2
	die "the process lost its data"
}
sed '1,/^staying/d' "$scratch/stay"

echo
now=$(mem_total)
echo "MemTotal $now kB: the RAM is back"
[ "$now" -le "$total" ] ||
	echo "(and $((now - total)) kB that the kernel had set aside at boot for it, uncounted)"
total_is "$total" || die "MemTotal was $total kB before"
[ "$(offline_blocks)" = 0 ] || die "$(offline_blocks) memory blocks are offline"
! dmesg | grep -E 'BUG|WARNING|Oops|Call Trace|Bad page' || die "the kernel complains"
