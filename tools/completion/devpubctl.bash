# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of devpubctl for bash.

_devpubctl_devices() {
	local path

	for path in /sys/class/devpub/devpub[0-9]*; do
		[ ! -e "$path" ] || printf '%s\n' "${path##*/}"
	done
}

_devpubctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words='' i

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='list info stats create destroy evict migrate residency run top doctor bench
			--help --version'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		return
	fi
	if [ "$command" = run ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-t | --to | -o | --output) i=$((i + 1)) ;;
			-*) ;;
			*)
				# Another command line begins here.
				if declare -F _command_offset >/dev/null; then
					_command_offset "$i"
				fi
				return ;;
			esac
		done
	fi

	case $previous in
	--pid | -p) words=$(cd /proc && printf '%s\n' [0-9]*) ;;
	--to | --from | -t | -f) words=$(_devpubctl_devices) ;;
	--vma | -v) words='heap stack anon' ;;
	--node | -n) [ "$command" != create ] ||
		words=$(cd /sys/devices/system/node 2>/dev/null && printf '%s\n' node[0-9]* |
			tr -d node) ;;
	--size | -s) words='128M 256M 512M 1G' ;;
	--output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return ;;
	esac
	if [ -z "$words" ] || [[ $current == -* ]]; then
		case $command in
		list) words='--json --bytes --help' ;;
		info) words="--json --bytes --help $(_devpubctl_devices)" ;;
		stats) words="--watch --count --json --bytes --help $(_devpubctl_devices)" ;;
		create) words='--size --node --region --json --bytes --help' ;;
		destroy) words="--help $(_devpubctl_devices)" ;;
		evict) words="--json --bytes --help $(_devpubctl_devices)" ;;
		migrate) words='--pid --to --from --range --vma --json --bytes --help' ;;
		residency) words='--pid --all --no-map --json --bytes --help' ;;
		run) words="--to --output --quiet --json --bytes --help $(compgen -c -- "$current")" ;;
		top) words='--delay --once --json --bytes --help' ;;
		doctor) words='--json --bytes --help' ;;
		bench) words='--device --pages --source --workers --repeat --json --help to from
			again populate fault move move-512 memcpy peer-to peer-read peer-from' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _devpubctl devpubctl
