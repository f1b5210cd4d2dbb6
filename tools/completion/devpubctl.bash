# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of devpubctl for bash.

_devpubctl_devices() {
	local path

	for path in /sys/class/devpub/devpub[0-9]*; do
		path=${path##*/}
		[[ ! $path =~ ^devpub[0-9]+$ ]] || printf '%s\n' "$path"
	done
}

# File names are untrusted: they must not reach places where bash expands them, such as the
# words of compgen -W, and are quoted on the command line.
_devpubctl_files() {
	local names name quoted

	mapfile -t names < <(compgen "$1" -- "$2")
	for name in "${names[@]}"; do
		printf -v quoted %q "$name"
		if [ "$1" = -f ] && [ -d "$name" ]; then
			quoted+=/
			compopt -o nospace 2>/dev/null
		fi
		COMPREPLY+=("$quoted")
	done
}

_devpubctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words='' special i

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='list info stats create destroy evict migrate locations run access top doctor
			bench --help --version'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		return
	fi
	if [ "$command" = run ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-t | --to | -o | --output) i=$((i + 1)) ;;
			-*) ;;
			*)
				# The command line of the program starts here.
				if declare -F _command_offset >/dev/null; then
					_command_offset "$i"
				fi
				return ;;
			esac
		done
	fi

	case $command$previous in
	access-f | access--file)
		_devpubctl_files -f "$current"
		return ;;
	access-d | access--device) words=$(_devpubctl_devices) ;;
	access-w | access--width) words='8 16 32 64' ;;
	esac
	case $previous in
	--pid | -p) words=$(cd /proc && printf '%s\n' [0-9]*) ;;
	--to | --from | -t | -f) words=$(_devpubctl_devices) ;;
	--vma | -v) words='heap stack anon' ;;
	--node | -n) [ "$command" != create ] ||
		words=$(cd /sys/devices/system/node 2>/dev/null && printf '%s\n' node[0-9]* |
			tr -d node) ;;
	--size | -s) words='128M 256M 512M 1G' ;;
	--output | -o)
		_devpubctl_files -f "$current"
		return ;;
	esac
	special=$words
	if [ -z "$words" ] || [[ $current == -* ]]; then
		case $command in
		list) words='--json --bytes --help' ;;
		info) words="--json --bytes --help $(_devpubctl_devices)" ;;
		stats) words="--watch --count --json --bytes --help $(_devpubctl_devices)" ;;
		create) words='--size --node --region --json --bytes --help' ;;
		destroy) words="--help $(_devpubctl_devices)" ;;
		evict) words="--json --bytes --help $(_devpubctl_devices)" ;;
		migrate) words='--pid --to --from --range --vma --json --bytes --help' ;;
		locations) words='--pid --all --no-map --json --bytes --help' ;;
		run) words="--to --output --quiet --json --bytes --help" ;;
		access) words='--pid --file --device --width --output --json --bytes --help read
			write fill copy compare add exchange compare-exchange check' ;;
		top) words='--delay --once --json --bytes --help' ;;
		doctor) words='--json --bytes --help' ;;
		bench) words='--device --pages --source --workers --repeat --json --help to from
			again populate fault move move-512 memcpy peer-to peer-read peer-from' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	if [ "$command" = run ] && [ -z "$special" ] && [[ $current != -* ]]; then
		_devpubctl_files -c "$current"
	fi
}

complete -F _devpubctl devpubctl
