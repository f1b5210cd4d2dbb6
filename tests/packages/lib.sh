# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Functions for the tests of a Debian system with the packages installed as README.md says.  The
# scripts refused, trusted, first and second each run in one boot of that system and print KTAP.
# Their folder contains the lib.sh of harness/, README's commands (use, remove) and example.c, the
# tests of debian/tests (library, device), packages of a higher version (higher), the installed
# packages (lower), and those of another kernel (kernel).  $version, $higher, $release and $other
# are the versions.  $tests names the tests to run; by default all.
set -eu
# shellcheck source=tests/harness/lib.sh
. ./lib.sh
# shellcheck disable=SC2034 # for lib.sh
here=/usr/libexec/devpub/tests
: "${version:?}" "${higher:?}" "${release:?}" "${other:?}"
# Set up the environment of a user's shell without questions at the prompt.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# as USER COMMAND...: run a command in a login of the user
as() {
	local who=$1
	shift
	runuser -u "$who" -- env -C "/home/$who" USER="$who" HOME="/home/$who" "$@"
}

# says TEXT COMMAND...: check that the command prints the text, whatever its exit status
says() {
	local text=$1
	shift
	"$@" >"$scratch/says" 2>&1 || :
	grep -qE -e "$text" "$scratch/says" || {
		sed 's/^/# /' "$scratch/says"
		fail "$*: no word of '$text'"
	}
}

# quietly COMMAND...: print the output of the command only if it fails
quietly() {
	"$@" >"$scratch/quietly" 2>&1 </dev/null || {
		tail -n 40 "$scratch/quietly" | sed 's/^/# /'
		fail "$*"
	}
}

# not COMMAND...: fail if the command succeeds; "set -e" ignores "!"
not() {
	if "$@"; then fail "not so: $*"; fi
}

# nowhere TEXT PLACE...: check that no file there contains the text, and that all are readable
nowhere() {
	local status=0

	grep -rlaF -e "$@" >"$scratch/nowhere" 2>&1 || status=$?
	[ $status = 1 ] || fail "grep $*: status $status: $(cat "$scratch/nowhere")"
}

# devices: print the names of the devices in one line
devices() {
	(cd /sys/class/devpub && echo *)
}

# built VERSION RELEASE: succeed if DKMS has installed the module
built() {
	# Do not use "grep -q", which closes the pipe, so that dkms prints an error.
	dkms status -m devpub -v "$1" | grep "$2.*: installed" >/dev/null
}

# only VERSION OTHER: check that VERSION is installed and OTHER is not
only() {
	dkms status
	built "$1" "$release"
	[ "$(dkms status | grep -c devpub)" = 1 ] || fail "$2 stayed"
	[ ! -e "/usr/src/devpub-$2" ] || fail "/usr/src/devpub-$2 stayed"
	[ "$(modinfo -F version devpub)" = "$1" ]
}

# plain FILE COPY: make a decompressed copy of a module
plain() {
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*.zst) zstd -qdc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# selftests NAME...: run these tests, or all; print the skipped ones and the number of passes
selftests() {
	devpub-selftest "$@" >"$scratch/selftest" 2>&1 || {
		sed 's/^/# /' "$scratch/selftest"
		fail "devpub-selftest $*"
	}
	sed -n '/# SKIP/s/^ */# /p' "$scratch/selftest"
	tail -n 1 "$scratch/selftest"
	grep -qE '# Totals: pass:[1-9][0-9]* fail:0' "$scratch/selftest"
}

# skips_only REASON...: check that selftests has skipped tests for these reasons only
skips_only() {
	printf '%s\n' "$@" >"$scratch/reasons"
	sed -n 's/.*# SKIP //p' "$scratch/selftest" >"$scratch/skips"
	not grep -vxF -f "$scratch/reasons" "$scratch/skips"
}
