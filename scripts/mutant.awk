# SPDX-License-Identifier: GPL-2.0
#
# Read a file of kunit/mutants, and search the source for the texts that it replaces.  Each
# must occur exactly once.  If a text does not, print "NAME: why" and fail.
#
#	root	the folder of the source
#	name	the mutant, for messages
#	write	if set, and all texts fit: write each changed file to FILE.mutant in the same
#		folder, and print FILE
#
# The format, after a description that this program ignores:
#
#	--- src/memory/pool.c
#	<<<<
#	whole lines of the file
#	====
#	replacement lines; may be empty
#	>>>>
#
# More such pieces of the same file may follow, and more files.  All are searched in the
# unchanged source.  No line of C looks like one of these marks.

function problem(text) {
	print name ": " text >"/dev/stderr"
	bad = 1
}

function load(path,    line, got) {
	file = path
	if (file in lines)
		return
	files[++nfiles] = file
	lines[file] = 0
	while ((got = (getline line <(root "/" file))) > 0)
		text[file, ++lines[file]] = line
	close(root "/" file)
	if (got < 0) {
		problem(file " is missing")
		missing[file] = 1
	}
}

function matches(at,    i) {
	for (i = 1; i <= nold; i++)
		# Compare as strings: awk compares strings that look like numbers as numbers.
		if (text[file, at + i - 1] "" != old[i] "")
			return 0
	return 1
}

function same(    i) {
	if (nold != nnew)
		return 0
	for (i = 1; i <= nold; i++)
		if (old[i] "" != new[i] "")
			return 0
	return 1
}

# A piece is complete.
function finish(    at, i, found, first) {
	if (!nold || same()) {
		problem("line " begun " replaces nothing")
		return
	}
	if (file in missing)
		return
	for (at = 1; at + nold - 1 <= lines[file]; at++)
		if (matches(at) && !found++)
			first = at
	if (found != 1) {
		problem("line " begun ": its text is " (found ? found " times" : "not") " in " file)
		return
	}
	for (i = first; i < first + nold; i++)
		if (taken[file, i]++) {
			problem("line " begun " replaces what another piece does")
			return
		}
	for (i = 1; i <= nnew; i++)
		instead[file, first] = instead[file, first] new[i] "\n"
}

function misplaced() {
	problem("line " NR " is out of place: " $0)
	exit
}

/^--- / && (!part || part == "file") {
	part = "file"
	load(substr($0, 5))
	next
}

!part { next }

$0 == "<<<<" {
	if (part != "file")
		misplaced()
	part = "old"
	begun = NR
	nold = nnew = 0
	pieces++
	next
}

$0 == "====" {
	if (part != "old")
		misplaced()
	part = "new"
	next
}

$0 == ">>>>" {
	if (part != "new")
		misplaced()
	part = "file"
	finish()
	next
}

part == "old" { old[++nold] = $0 }
part == "new" { new[++nnew] = $0 }
part == "file" && $0 != "" { misplaced() }

END {
	if (!bad && (part == "old" || part == "new"))
		problem("line " begun " begins a piece without an end")
	if (!bad && !pieces)
		problem("it changes nothing")
	if (bad)
		exit 1
	for (i = 1; write && i <= nfiles; i++) {
		file = files[i]
		out = root "/" file ".mutant"
		printf "" >out
		for (at = 1; at <= lines[file]; at++)
			if ((file, at) in taken)
				printf "%s", instead[file, at] >out
			else
				print text[file, at] >out
		close(out)
		print file
	}
}
