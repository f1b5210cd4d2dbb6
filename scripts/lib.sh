# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for scripts that source this file
#
# Functions that the scripts share: messages, packages, the cache and the build roots.
#
# Functions that do work rely on "set -e", which the shell ignores inside a condition.  So
# call them as plain commands only.  To handle a failure, call a script instead.

me=${0##*/}
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${scripts%/*}
export LC_ALL=C
# Other users must be able to read files that are installed, packed or executed.
umask 022
# A make that runs this script must not pass its options and job server to others.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

note() {
	printf '%s: %s\n' "$me" "$*" >&2
}

die() {
	note "$@"
	exit 1
}

# need_path NAME VALUE: check that no shell, make, QEMU or kernel build splits the path.
# scripts/paths.mk does the same for Makefiles.
need_path() {
	local letters=$'\x80-\xff'

	case $2 in
	[-~]* | *[!A-Za-z0-9/._+@=^~$letters-]*)
		die "$1: '${2//$'\n'/ }': a path must have no blank, quote, \$ or other special character" ;;
	esac
}

# need_out NAME FOLDER: check that copy_tree would not copy the folder, and that the folder
# does not contain the project, because scripts remove files there
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
	# Some service managers do not set HOME.
	HOME=$(getent passwd "$(id -u)" | cut -d : -f 6)
	export HOME=${HOME:-$top/build/home}
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/devpub
need_path "the project's folder" "$top"
need_path "${XDG_CACHE_HOME:+XDG_CACHE_}HOME" "$cache"
need_path TMPDIR "${TMPDIR:-}"
need_path KDIR "${KDIR:-}"
need_out O "${O:-$top/build}"

# A script must not continue after a signal has ended a command that it waited for.
trap 'exit 130' INT
trap 'exit 143' TERM
# Report the command at which a script stops.
set -E
trap 'note "stopped at ${BASH_SOURCE[0]##*/}:$LINENO: ${BASH_COMMAND%%$'"'\\n'"'*}"' ERR

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# need [COMMAND=]PACKAGE...: install the packages that are missing.  With COMMAND, a package
# is not missing if a command of that name exists.
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
	# Run one apt-get at a time: the lock is for these scripts, the timeout for others.
	mkdir -p "$cache"
	local apt=(flock -o "$cache/apt.lock" apt-get -qq -o DPkg::Lock::Timeout=600)
	# Never remove a package that the user has installed.
	local install=("${apt[@]}" install -y --no-install-recommends --no-remove)
	export DEBIAN_FRONTEND=noninteractive
	"${install[@]}" "${missing[@]}" >/dev/null 2>&1 </dev/null ||
		{ "${apt[@]}" update </dev/null && "${install[@]}" "${missing[@]}" </dev/null; } >&2 ||
		die "could not install packages; see why with: apt-get install ${missing[*]}"
}

# need_all: install all packages that make check and make demo need
need_all() {
	local users=()

	is_root || users=(newuidmap=uidmap)
	need mmdebstrap debian-archive-keyring "${users[@]}" qemu-system-x86_64=qemu-system-x86 \
		gcc make libc6-dev cpio depmod=kmod xz=xz-utils zstd perl \
		mke2fs=e2fsprogs
	want_compiler32
}

# compiler32: print a compiler that builds 32-bit programs; fail if there is none
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

# want_compiler32: install a compiler for 32-bit programs.  Unlike gcc-multilib, this one can
# be installed together with cross compilers.  Without one, the tests that need it are skipped.
want_compiler32() {
	if compiler32 >/dev/null; then return; fi
	# need prints a message when it fails, also in a condition.
	if is_root && (need gcc-i686-linux-gnu libc6-dev-i386-cross) && compiler32 >/dev/null; then return; fi
	note "no compiler for 32 bits: tests of 32-bit programs are skipped; run: sudo apt-get install gcc-i686-linux-gnu libc6-dev-i386-cross"
}

# as_root COMMAND...: run a command as root, or as root of a user namespace with a range of
# users
as_root() {
	if is_root; then
		"$@"
	else
		unshare --user --map-root-user --map-auto "$@"
	fi
}

# discard FILE...: remove files, also those of the users of as_root
discard() {
	rm -rf "$@" 2>/dev/null || as_root rm -rf "$@"
}

# cache_make DIR COMMAND...: make the cache entry DIR, unless it exists.  COMMAND receives
# the directory to fill as an additional last argument.  An entry appears only when it is
# complete, and is made once even if several processes ask for it.
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

# cache_drop DIR...: remove entries that are not in use
cache_drop() {
	local dir lock

	for dir in "$@"; do
		exec {lock}>>"$dir.lock"
		! flock -n "$lock" || discard "$dir" "$dir.tmp"
		exec {lock}>&-
	done
}

# in_root ENTRY DIR COMMAND...: run COMMAND in the Debian root ENTRY/system, in DIR, which
# is mounted there as /mnt.  Changes outside DIR are discarded, so any number of processes
# may use a root at the same time.
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
		# Not exec: as the first process of a namespace, make survives the SIGTERM that it
		# sends to itself in the end, and goes on without its children.
		chroot mnt/merged /usr/bin/env -i -C /mnt HOME=/root LC_ALL=C TERM=dumb \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" || exit
	' in_root "$entry" "$dir" "$@" </dev/null
}

# can_unshare: succeed if in_root works on this machine
can_unshare() {
	local user=()

	is_root || user=(--user --map-root-user)
	unshare "${user[@]}" --mount --pid --fork mount -t tmpfs tmpfs /mnt 2>/dev/null
}

# has_kmemleak TREE: succeed if a kernel of this tree has kmemleak, for guest/leaks
has_kmemleak() {
	grep -qx CONFIG_DEBUG_KMEMLEAK=y "$1/.config"
}

# guests_at_a_time: print how many guests to run in parallel.  A guest uses about one
# processor, and its memory.
guests_at_a_time() {
	awk -v processors="$(nproc)" '/^MemAvailable:/ {
		guests = int($2 / 5e6)
		if (guests > processors) guests = processors
		if (guests > 4) guests = 4
		print guests < 1 ? 1 : guests
	}' /proc/meminfo
}

# copy_source DIR: copy the sources of the module, without build products
copy_source() {
	local part parts=()

	for part in Kbuild include src kunit; do
		[ ! -e "$top/$part" ] || parts+=("$part")
	done
	mkdir -p "$1"
	tar -c -C "$top" --exclude-from="$top/.gitignore" "${parts[@]}" | tar -x -C "$1"
}

# copy_tree DIR: copy the project, without build products
copy_tree() {
	mkdir -p "$1"
	tar -c -C "$top" --exclude=./.git --exclude=./build --exclude=./{tests,tools,lib}/build \
		--exclude-from="$top/.gitignore" . | tar -x -C "$1"
}
