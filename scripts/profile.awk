# SPDX-License-Identifier: GPL-2.0
#
# Instructions by function.  Of lines "ADDRESS symbol NAME [MODULE]" and "ADDRESS count
# N", sorted, symbols before counts of the same address, prints "N NAME [MODULE]" for each
# function that ran; addresses of user space, and of no function, count as "(user
# space)".
$2 == "symbol" { name = $3 ($4 ? " " $4 : "") }
$2 == "count" { sum[$1 ~ /^ffff/ && name ? name : "(user space)"] += $3 }
END {
	for (name in sum)
		printf "%d %s\n", sum[name], name
}
