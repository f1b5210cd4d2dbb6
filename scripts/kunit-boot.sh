# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # status is for the caller
#
# Functions for checks/kunit and checks/kunit-values.  This file sources lib.sh.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# kunit_boot TREE DIR RUN [WORD...]: boot the kernel of TREE with the modules of DIR/module
# and with swap space, and run the script RUN there.  Write console.log, the same without
# time stamps as ktap, and result.log to DIR.  Set status to that of scripts/vm.  The words
# are added to the kernel's command line.
kunit_boot() {
	local tree=$1 dir=$2 run=$3 release verbose=()
	shift 3

	need gcc libc6-dev
	release=$(<"$tree/include/config/kernel.release")
	mkdir -p "$dir"
	rm -rf "$dir"/{console.log,result.log,ktap,suites,failures,counts}
	gcc -Wall -Wextra -Werror -O2 -static -o "$dir/kunit-helper" "$dir/module/kunit/helper.c"
	"$scripts/mkinitramfs" --output "$dir/initramfs" --modules "$tree" --release "$release" \
		--add "$dir/module/devpub.ko:devpub.ko" \
		--add "$dir/module/devpub_kunit.ko:devpub_kunit.ko" \
		--add "$dir/kunit-helper:kunit-helper" \
		--add "$scripts/guest/leaks:leaks" --run "set -e
modprobe brd rd_nr=1 rd_size=65536
mkswap /dev/ram0 >/dev/null
swapon /dev/ram0
$run"
	[ -z "${V:-}" ] || verbose=(--verbose)
	status=0
	"$scripts/vm" --kernel "$tree/arch/x86/boot/bzImage" --initramfs "$dir/initramfs" \
		--memory "${MEMORY:-4G}" --smp "${SMP:-2}" --timeout "${TIMEOUT:-1500}" \
		--append "log_buf_len=4M kunit.enable=1 kunit.autorun=1 $* ${APPEND:-}" \
		"${verbose[@]}" --log "$dir/console.log" --result "$dir/result.log" || status=$?
	sed -E 's/\r$//; s/^\[ *[0-9]+\.[0-9]+\](\[[^]]*\])? //' "$dir/console.log" >"$dir/ktap"
}
