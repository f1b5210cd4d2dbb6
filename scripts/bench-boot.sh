# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # status is for the caller
#
# Functions for bench and checks/bench.  This file sources lib.sh.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The guest has one device for each module, in memory that the kernel does not use, and two
# NUMA nodes in the rest.
bench_device=0x40000000,256M
bench_peer=0x100000000
bench_append="numa=fake=2 memmap=256M\$0x40000000 memmap=512M\$$bench_peer"

# bench_build KERNEL DIR: set $tree, and build the module and the programs in DIR
bench_build() {
	local dir=$2

	need gcc make libc6-dev
	tree=$("$scripts/kunit-kernel" "$1" lean)
	cache_hold "$tree"
	rm -rf "$dir/module"
	mkdir -p "$dir"
	copy_source "$dir/module"
	make -s "-j$(nproc)" -C "$tree" M="$dir/module" modules >&2
	# Static, because the guest has no libraries.
	make -s -C "$top/tools" O="$dir/tools" PKG_CONFIG=true LDFLAGS=-static "$dir/tools/bench" >&2
}

# bench_boot DIR NAME RUN [OPTION...]: run the script RUN on the kernel of $tree, with the
# module of DIR and HMM's test module loaded.  Pass the options to scripts/vm.  Write
# NAME.console and NAME.result to DIR.
bench_boot() {
	local dir=$1 name=$2 run=$3 peer
	shift 3

	peer=$(find "$tree/" -name test_hmm.ko)
	"$scripts/mkinitramfs" --output "$dir/initramfs" --modules "$tree" \
		--release "$(<"$tree/include/config/kernel.release")" \
		--add "$dir/module/devpub.ko:devpub.ko" --add "$peer:test_hmm.ko" \
		--add "$dir/tools/bench:bench" --run "set -e
insmod devpub.ko region=$bench_device
insmod test_hmm.ko spm_addr_dev0=$bench_peer spm_addr_dev1=0x110000000
$run"
	"$scripts/vm" --kernel "$tree/arch/x86/boot/bzImage" --initramfs "$dir/initramfs" \
		--memory 4G --append "$bench_append" --timeout "${TIMEOUT:-3600}" \
		--log "$dir/$name.console" --result "$dir/$name.result" "$@"
	if grep -nE -f "$top/tests/harness/alarms" "$dir/$name.console" >&2; then
		die "$name: the kernel log has alarms"
	fi
}
