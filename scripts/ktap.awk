# SPDX-License-Identifier: GPL-2.0
#
# Count the results in KTAP.  Results that summarize nested tests are not counted.  Print the
# failed results with their diagnostics, and at the end "PASSED FAILED SKIPPED".  An expected
# failure (XFAIL) counts as passed, because the kernel behaves as expected.  Results that a
# plan announces and that are missing count as failed.

function indent(line)
{
	match(line, /^ */)
	return RLENGTH
}

function fail(text)
{
	failed++
	printf "%s%s\n", diagnostics, text
}

# End the levels deeper than depth.  Set their numbers of tests and failures.
function leave(depth,    level)
{
	below = below_failed = 0
	for (level = deepest; level > depth; level--) {
		if (level in plan && plan[level] != count[level]) {
			fail("not ok - " plan[level] " tests were planned and " \
			     count[level] + 0 " ran, the last being \"" latest "\"")
			below_failed++
		}
		below += count[level]
		below_failed += bad[level]
		delete plan[level]
		delete count[level]
		delete bad[level]
	}
	deepest = depth
}

BEGIN { deepest = -1 }

{ sub(/\r$/, "") }

/^ *1\.\.[0-9]+/ {
	depth = indent($0)
	leave(depth)
	plan[depth] = substr($1, 4) + 0
	next
}

/^ *(not )?ok [0-9]+/ {
	depth = indent($0)
	leave(depth)
	count[depth]++
	latest = $0
	sub(/^ */, "", latest)
	if ($1 == "not") {
		bad[depth]++
		if (!below_failed)
			fail(latest)
	} else if (!below) {
		if (toupper($0) ~ /# *SKIP/)
			skipped++
		else
			passed++
	}
	diagnostics = ""
	next
}

/^ *Bail out!/ { fail($0) }

/^ *#/ { diagnostics = diagnostics $0 "\n" }

END {
	leave(-1)
	print passed + 0, failed + 0, skipped + 0
}
