# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What must hold in a Debian system on which the packages were installed as README.md
# says; each script beside this is one boot of that system, and prints KTAP: refused,
# trusted, first, second.  They run where there are the lib.sh of harness/, README's
# commands (use, remove), its example.c, the tests of debian/tests (library, device),
# packages of a higher version (higher), those that are installed (lower) and those of
# another kernel (kernel); $version, $higher, $release and $other are the versions of
# either; $tests names the tests to run, instead of all.
set -eu
# shellcheck source=tests/harness/lib.sh
. ./lib.sh
# shellcheck disable=SC2034 # for lib.sh
here=/usr/libexec/devpub/tests
: "${version:?}" "${higher:?}" "${release:?}" "${other:?}"
# What a user's shell looks like, but for what is asked at its prompt.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# as USER COMMAND...: with a login of theirs
as() {
	local who=$1
	shift
	runuser -u "$who" -- env -C "/home/$who" USER="$who" HOME="/home/$who" "$@"
}

# says TEXT COMMAND...: it must, whatever its exit status is
says() {
	local text=$1
	shift
	"$@" >"$scratch/says" 2>&1 || :
	grep -qE -e "$text" "$scratch/says" || {
		sed 's/^/# /' "$scratch/says"
		fail "$*: no word of '$text'"
	}
}

# quietly COMMAND...: tell what it says only if it fails
quietly() {
	"$@" >"$scratch/quietly" 2>&1 </dev/null || {
		tail -n 40 "$scratch/quietly" | sed 's/^/# /'
		fail "$*"
	}
}

# not COMMAND...: "!" alone is nothing that "set -e" stops at
not() {
	if "$@"; then fail "not so: $*"; fi
}

# nowhere TEXT PLACE...: it is in none of the files there, which can all be read
nowhere() {
	local status=0

	grep -rlaF -e "$@" >"$scratch/nowhere" 2>&1 || status=$?
	[ $status = 1 ] || fail "grep $*: status $status: $(cat "$scratch/nowhere")"
}

# devices: their names, in one line
devices() {
	(cd /sys/class/devpub && echo *)
}

# built VERSION RELEASE: whether DKMS has installed it
built() {
	# Not "grep -q", which leaves dkms to complain about its pipe.
	dkms status -m devpub -v "$1" | grep "$2.*: installed" >/dev/null
}

# only VERSION OTHER: the one is installed and the other is not
only() {
	dkms status
	built "$1" "$release"
	[ "$(dkms status | grep -c devpub)" = 1 ] || fail "$2 stayed"
	[ ! -e "/usr/src/devpub-$2" ] || fail "/usr/src/devpub-$2 stayed"
	[ "$(modinfo -F version devpub)" = "$1" ]
}

# plain FILE COPY: a copy of a module, decompressed
plain() {
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*.zst) zstd -qdc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# selftests NAME...: run them, or all; print what was skipped, and how many passed
selftests() {
	devpub-selftest "$@" >"$scratch/selftest" 2>&1 || {
		sed 's/^/# /' "$scratch/selftest"
		fail "devpub-selftest $*"
	}
	sed -n '/# SKIP/s/^ */# /p' "$scratch/selftest"
	tail -n 1 "$scratch/selftest"
	grep -qE '# Totals: pass:[1-9][0-9]* fail:0' "$scratch/selftest"
}

# skips_only REASON...: selftests has skipped nothing for another reason
skips_only() {
	printf '%s\n' "$@" >"$scratch/reasons"
	sed -n 's/.*# SKIP //p' "$scratch/selftest" >"$scratch/skips"
	not grep -vxF -f "$scratch/reasons" "$scratch/skips"
}
