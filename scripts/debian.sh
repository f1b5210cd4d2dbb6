# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for scripts that source this file
#
# Access to Debian suites other than the machine's own: each suite has an apt with separate
# sources and state, which uses the mirrors of the machine's apt.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The suite of each kernel, and an optional additional suite
declare -A suites=(
	[6.1]="bookworm"
	[6.12]="trixie"
	[newest]="trixie trixie-backports"
)
names="6.1 6.12 newest"

check_name() {
	[ -n "${suites[$1]:-}" ] || die "no kernel is named '$1'; there are: $names"
}

# find_mirrors: set $mirror, and $security_mirror, which is empty if the machine has no
# security suite
find_mirrors() {
	local targets

	mirror=${DEVPUB_MIRROR:-}
	security_mirror=${DEVPUB_SECURITY_MIRROR:-}
	[ -z "$mirror" ] || return 0

	targets=$(debian_targets)
	if [ -z "$targets" ] && is_root; then
		apt-get update -qq >&2 || :
		targets=$(debian_targets)
	fi
	mirror=$(awk '$1 !~ /-security/ { print $2; exit }' <<<"$targets")
	security_mirror=$(awk '$1 ~ /-security/ { print $2; exit }' <<<"$targets")
	[ -n "$mirror" ] ||
		die "apt knows no Debian mirror; run apt-get update, or set DEVPUB_MIRROR to the address of one"
}

debian_targets() {
	# shellcheck disable=SC2016 # for apt-get
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main'
}

# suite_open SUITE [ADDED SUITE]: make the functions below and $sources use the present state
# of SUITE, its security updates and ADDED SUITE.  Set $stale if the mirror can't be reached, or
# must not be used (DEVPUB_OFFLINE).
suite_open() {
	local suite=$1 added=${2:-} lock option deb

	find_mirrors
	suite_dir=$cache/apt/${added:-$suite}
	sources=$suite_dir/sources.list
	mkdir -p "$suite_dir"/state/lists/partial "$suite_dir"/cache/archives/partial
	exec {lock}>"$suite_dir/lock"
	flock "$lock"

	deb="deb [signed-by=$keyring]"
	{
		echo "$deb $mirror $suite main"
		[ -z "$security_mirror" ] || echo "$deb $security_mirror $suite-security main"
		[ -z "$added" ] || echo "$deb $mirror $added main"
	} >"$suite_dir/sources.new"
	if ! cmp -s "$suite_dir/sources.new" "$sources"; then
		rm -f "$suite_dir/updated"
		cp "$suite_dir/sources.new" "$sources"
	fi
	[ -e "$suite_dir/status" ] || : >"$suite_dir/status"

	suite_options=()
	for option in Dir::Etc::SourceList="$sources" Dir::Etc::SourceParts=/dev/null \
		Dir::Etc::Preferences=/dev/null Dir::Etc::PreferencesParts=/dev/null \
		Dir::State="$suite_dir/state" Dir::State::status="$suite_dir/status" \
		Dir::Cache="$suite_dir/cache" Dir::Cache::pkgcache=pkgcache.bin \
		Dir::Cache::srcpkgcache=srcpkgcache.bin \
		APT::Architecture=amd64 APT::Architectures=amd64 APT::Sandbox::User= \
		APT::Update::Error-Mode=any Acquire::Languages=none \
		Acquire::Retries=1 Acquire::http::Timeout=15; do
		suite_options+=(-o "$option")
	done

	stale=
	if [ -n "${DEVPUB_OFFLINE:-}" ]; then
		stale=y
	elif [ -n "$(find "$suite_dir/updated" -mmin -60 2>/dev/null)" ]; then
		:
	elif suite_get update >/dev/null; then
		touch "$suite_dir/updated"
	else
		stale=y
	fi
	exec {lock}>&-
}

suite_get() {
	apt-get -q "${suite_options[@]}" "$@" </dev/null
}

suite_cache() {
	apt-cache "${suite_options[@]}" "$@"
}

# suite_newest PACKAGE: print the highest version of it in the suites
suite_newest() {
	suite_cache madison "$1" | awk '{ print $3 }' | sort -V | tail -n 1
}

# suite_depends PACKAGE=VERSION: print the names of its dependencies
suite_depends() {
	suite_cache show "$1" | sed -n 's/^Depends: *//; T; s/([^)]*)//g; s/[,|]/ /g; p'
}

# suite_fetch DIR PACKAGE[=VERSION]...: unpack the packages into DIR
suite_fetch() {
	local dir=$1 deb
	shift

	mkdir "$dir/debs"
	(cd "$dir/debs" && suite_get download "$@") >&2
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner -C "$dir"
	done
	rm -r "$dir/debs"
}

# newest_entry DIR: set $entry to the newest entry in the cache
newest_entry() {
	mkdir -p "$1"
	entry=$(find "$1" -mindepth 1 -maxdepth 1 -type d ! -name '*.tmp' -printf '%T@ %p\n' |
		sort -n | tail -n 1 | cut -d ' ' -f 2-)
	[ -n "$entry" ] || die "no mirror within reach, and the cache has nothing to go on with"
	note "no mirror within reach; going on with $entry"
}

# drop_others: remove the other entries of the kind of $entry
drop_others() {
	local other

	for other in "${entry%/*}"/*; do
		if [ -d "$other" ] && [ "${other%.tmp}" != "$entry" ]; then
			cache_drop "${other%.tmp}"
		fi
	done
}
