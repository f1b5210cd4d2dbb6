# SPDX-License-Identifier: GPL-2.0
#
# awk -f hmm.awk [-v whole=y] EXPECTED RESULT: judge what tests/hmm/run printed by the rows of
# EXPECTED (see there), and print it as KTAP for ktap.awk.  A case that the kernel can't do
# becomes a skip with the reason; what a row does not cover becomes a failure.  With whole,
# rows must name cases that there are.

BEGIN { FS = "\t" }

FNR == NR {
	if (/^#/ || /^$/)
		next
	if (NF != 4) {
		print "not ok - expected:" FNR ": not four fields"
		next
	}
	row[$1, $2] = FNR
	lacked[FNR] = $1
	of[FNR] = $2
	outcome[FNR] = $3
	reason[FNR] = $4
	last = FNR
	next
}

{ sub(/\r$/, "") }

/^# lacks: / {
	lacks[substr($0, 10)]
	print
	next
}

# The row for a case on this kernel, or 0.
function covering(name,    i)
{
	for (i = 1; i <= last; i++)
		if (i in of && of[i] == name && lacked[i] in lacks)
			return i
	return 0
}

/^(not )?ok [0-9]+ / {
	full = $0
	sub(/^(not )?ok [0-9]+ /, "", full)
	sub(/ # .*/, "", full)
	number = $0
	sub(/^(not )?ok /, "", number)
	sub(/ .*/, "", number)
	name = full
	sub(/.*\./, "", name)
	ran[name]
	i = covering(name)
	skips = $0 ~ /# *SKIP/
	fails = $0 ~ /^not/
	if (i && (outcome[i] == "skip" ? skips : fails && diagnostics ~ outcome[i])) {
		print "ok " number " " full " # SKIP " reason[i]
	} else {
		printf "%s", diagnostics
		if (i && !fails && !skips)
			print "not ok " number " " full ", which passes: expected has a row"
		else if (skips)
			print "not ok " number " " full " skips: " substr($0, index($0, "#") + 2)
		else
			print
	}
	diagnostics = ""
	next
}

# ktap.awk counts what looks like a summary of its own; only results and plans are for it.
/^#  RUN / { diagnostics = ""; next }
/^#/ { diagnostics = diagnostics $0 "\n"; next }
/^1\.\.[0-9]/ { planned = substr($1, 4) + 0 }
/^not ok - / || /^Bail out!/ { print }

END {
	for (i = 1; i <= last; i++) {
		if (!whole || !(i in of) || of[i] in ran)
			continue
		if (outcome[i] == "left out" && lacked[i] in lacks)
			print "ok " ++planned " " of[i] " # SKIP " reason[i]
		else
			print "not ok - expected:" i ": no case " of[i]
	}
	# hmm-tests that did not begin has none.
	if (planned)
		print "1.." planned
}
