# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for those who read this in
#
# What the scripts share: messages, packages, the cache and the build roots.
#
# Functions that do work rely on "set -e", which the shell ignores inside a
# condition: call them as plain commands only, and put a script, not a
# function, where a failure is to be looked at.

me=${0##*/}
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${scripts%/*}
export LC_ALL=C
# What is installed, packed or run by others must be readable for them.
umask 022
# A make above must not lend its options and job server to those below.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

note() {
	printf '%s: %s\n' "$me" "$*" >&2
}

die() {
	note "$@"
	exit 1
}

# need_path NAME VALUE: that no shell, make, QEMU or kernel build takes it apart.  scripts/paths.mk
# does the same for Makefiles.
need_path() {
	local letters=$'\x80-\xff'

	case $2 in
	[-~]* | *[!A-Za-z0-9/._+@=^~$letters-]*)
		die "$1: '${2//$'\n'/ }': a path must have no blank, quote, \$ or other special character" ;;
	esac
}

# need_out NAME FOLDER: that what is built there is not in what copy_tree copies, and that what
# is removed there does not hold the project
need_out() {
	local path

	need_path "$1" "$2"
	path=$(realpath -m -- "$2")
	case ${path%/}/ in
	"$top"/build/*) ;;
	"$top"/*) die "$1: '$2' lies in the project's folder, where only build is left out of copies" ;;
	*) [[ $top/ != "${path%/}"/* ]] || die "$1: '$2' holds the project's folder" ;;
	esac
}

if [ -z "${HOME:-}" ]; then
	# As under some service managers.
	HOME=$(getent passwd "$(id -u)" | cut -d : -f 6)
	export HOME=${HOME:-$top/build/home}
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/devpub
need_path "the project's folder" "$top"
need_path "${XDG_CACHE_HOME:+XDG_CACHE_}HOME" "$cache"
need_path TMPDIR "${TMPDIR:-}"
need_path KDIR "${KDIR:-}"
need_out O "${O:-$top/build}"

# A script must not go on when a signal has ended what it waited for.
trap 'exit 130' INT
trap 'exit 143' TERM
# Nothing stops without a word.
set -E
trap 'note "stopped at ${BASH_SOURCE[0]##*/}:$LINENO: ${BASH_COMMAND%%$'"'\\n'"'*}"' ERR

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# need [COMMAND=]PACKAGE...: have the packages installed.  With COMMAND, a
# command of that name is as good as the package.
need() {
	local want package missing=()

	for want in "$@"; do
		package=${want#*=}
		if [ "$want" != "$package" ] && command -v "${want%%=*}" >/dev/null; then
			continue
		fi
		if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
			missing+=("$package")
		fi
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	is_root || die "missing packages; run: sudo apt-get install ${missing[*]}"
	note "installing ${missing[*]}"
	# One at a time, of ours and, by the timeout, of others.
	mkdir -p "$cache"
	local apt=(flock -o "$cache/apt.lock" apt-get -qq -o DPkg::Lock::Timeout=600)
	# Never at the price of a package that the user has chosen.
	local install=("${apt[@]}" install -y --no-install-recommends --no-remove)
	export DEBIAN_FRONTEND=noninteractive
	"${install[@]}" "${missing[@]}" >/dev/null 2>&1 </dev/null ||
		{ "${apt[@]}" update </dev/null && "${install[@]}" "${missing[@]}" </dev/null; } >&2 ||
		die "could not install packages; see why with: apt-get install ${missing[*]}"
}

# need_all: all that make check and make demo take from the machine, at once
need_all() {
	local users=()

	is_root || users=(newuidmap=uidmap)
	need mmdebstrap debian-archive-keyring "${users[@]}" qemu-system-x86_64=qemu-system-x86 \
		gcc make libc6-dev cpio depmod=kmod xz=xz-utils zstd perl \
		mke2fs=e2fsprogs
	want_compiler32
}

# compiler32: print a compiler that builds programs of 32 bits; fails where there is none
compiler32() {
	local command

	for command in "gcc -m32" i686-linux-gnu-gcc; do
		# shellcheck disable=SC2086 # a command and its option
		if echo 'int main(void) { return 0; }' |
			$command -static -x c -o /dev/null - 2>/dev/null; then
			echo "$command"
			return
		fi
	done
	return 1
}

# want_compiler32: have one.  gcc-multilib can't be installed beside cross compilers; this one
# can.  Where none is to be had, only the tests that need it are skipped.
want_compiler32() {
	if compiler32 >/dev/null; then return; fi
	# need tells of its failure by itself, also in a condition.
	if is_root && (need gcc-i686-linux-gnu libc6-dev-i386-cross) && compiler32 >/dev/null; then return; fi
	note "no compiler for 32 bits: tests of 32-bit programs are skipped; run: sudo apt-get install gcc-i686-linux-gnu libc6-dev-i386-cross"
}

# as_root COMMAND...: run it as root, or as one who looks like root to it and has a range
# of users at hand.
as_root() {
	if is_root; then
		"$@"
	else
		unshare --user --map-root-user --map-auto "$@"
	fi
}

# discard FILE...: remove them, also those of the users that as_root has
discard() {
	rm -rf "$@" 2>/dev/null || as_root rm -rf "$@"
}

# cache_make DIR COMMAND...: make the cache entry DIR, unless it is there, by
# COMMAND, which gets a directory to fill as one more argument.  An entry
# appears whole or not at all, and is made once however many ask for it.
cache_make() {
	local dir=$1 lock
	shift

	mkdir -p "${dir%/*}"
	exec {lock}>>"$dir.lock"
	flock -n "$lock" || {
		[ -d "$dir" ] || note "waiting for another run that makes $dir"
		flock -s "$lock"
	}
	if [ ! -d "$dir" ]; then
		flock "$lock"
		discard "$dir.tmp"
		mkdir "$dir.tmp"
		"$@" "$dir.tmp"
		mv -T "$dir.tmp" "$dir"
	fi
	exec {lock}>&-
}

# cache_hold DIR: keep cache_drop away from DIR until this process ends.
cache_hold() {
	local lock

	exec {lock}>>"$1.lock"
	flock -s "$lock"
	[ -d "$1" ] || die "$1 has just been replaced by a newer version; run again"
}

# cache_drop DIR...: remove entries, but for those in use.
cache_drop() {
	local dir lock

	for dir in "$@"; do
		exec {lock}>>"$dir.lock"
		! flock -n "$lock" || discard "$dir" "$dir.tmp"
		exec {lock}>&-
	done
}

# in_root ENTRY DIR COMMAND...: run COMMAND in the Debian root ENTRY/system, in
# /mnt, which is DIR.  What it changes elsewhere is gone afterwards, so that
# any number may use one root at once.
in_root() {
	local entry=$1 dir user=()

	dir=$(cd "$2" && pwd)
	shift 2
	is_root || user=(--user --map-root-user)
	# shellcheck disable=SC2016 # for the inner shell
	unshare "${user[@]}" --mount --pid --fork --kill-child bash -euc '
		cd "$1"
		mount -t tmpfs tmpfs mnt
		mkdir mnt/upper mnt/work mnt/merged
		mount -t overlay -o lowerdir=system,upperdir=mnt/upper,workdir=mnt/work \
			overlay mnt/merged
		mkdir -p mnt/merged/mnt
		mount --bind "$2" mnt/merged/mnt
		mount -t proc proc mnt/merged/proc
		mount --rbind /dev mnt/merged/dev
		shift 2
		exec chroot mnt/merged /usr/bin/env -i -C /mnt HOME=/root LC_ALL=C TERM=dumb \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' in_root "$entry" "$dir" "$@" </dev/null
}

# can_unshare: whether in_root can work here
can_unshare() {
	local user=()

	is_root || user=(--user --map-root-user)
	unshare "${user[@]}" --mount --pid --fork mount -t tmpfs tmpfs /mnt 2>/dev/null
}

# has_kmemleak TREE: whether guest/leaks can ask it there
has_kmemleak() {
	grep -qx CONFIG_DEBUG_KMEMLEAK=y "$1/.config"
}

# guests_at_a_time: each keeps one processor busy most of the time, and its memory.
guests_at_a_time() {
	awk -v processors="$(nproc)" '/^MemAvailable:/ {
		guests = int($2 / 5e6)
		if (guests > processors) guests = processors
		if (guests > 4) guests = 4
		print guests < 1 ? 1 : guests
	}' /proc/meminfo
}

# copy_source DIR: all that the module is built from, and nothing built
copy_source() {
	local part parts=()

	for part in Kbuild include src kunit; do
		[ ! -e "$top/$part" ] || parts+=("$part")
	done
	mkdir -p "$1"
	tar -c -C "$top" --exclude-from="$top/.gitignore" "${parts[@]}" | tar -x -C "$1"
}

# copy_tree DIR: all of the project, and nothing built
copy_tree() {
	mkdir -p "$1"
	tar -c -C "$top" --exclude=./.git --exclude=./build --exclude=./{tests,tools,lib}/build \
		--exclude-from="$top/.gitignore" . | tar -x -C "$1"
}
