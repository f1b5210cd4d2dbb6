# SPDX-License-Identifier: GPL-2.0
#
# Make the table of Documentation/conformance.md from the KTAP of tests/harness/run:
#
#	awk -v devpub=VERSION -f conformance.awk KERNEL=result.log...
#
# A row is a behaviour, a column a kernel.  The cases of a behaviour (NAME.PLACE) share a cell,
# which names the places if their results differ.

# Return the number of the footnote with this text.
function footnote(text)
{
	if (!(text in note_of)) {
		note_of[text] = ++notes
		note[notes] = text
	}
	return "[" note_of[text] "]"
}

function add_row(row)
{
	if (!((program, row) in seen)) {
		seen[program, row] = 1
		row_of[program, ++rows[program]] = row
	}
}

# Return the text after "# WORD " of a result line
function behind(word)
{
	return substr($0, index($0, "# " word) + length(word) + 3)
}

function set(row, place, result)
{
	add_row(row)
	place_of[kernel, program, row, ++places[kernel, program, row]] = place
	cell[kernel, program, row, place] = result
}

function cell_of(kernel, program, row,    i, n, place, result, count, common, names, text)
{
	n = places[kernel, program, row]
	if (!n)
		return "*not run*"
	for (i = 1; i <= n; i++) {
		result = cell[kernel, program, row, place_of[kernel, program, row, i]]
		if (++count[result] > count[common])
			common = result
	}
	for (i = 1; i <= n; i++) {
		place = place_of[kernel, program, row, i]
		result = cell[kernel, program, row, place]
		names[result] = names[result] (names[result] ? ", " : "") place
	}
	text = common
	for (i = 1; i <= n; i++) {
		result = cell[kernel, program, row, place_of[kernel, program, row, i]]
		if (result != common && names[result]) {
			text = text "; " names[result] ": " result
			names[result] = ""
		}
	}
	return text
}

# Parse the operands here, so that awk does not treat them as assignments.
BEGIN {
	for (i = 1; i < ARGC; i++) {
		at = index(ARGV[i], "=")
		kernels[i] = substr(ARGV[i], 1, at - 1)
		read_log(kernels[i], substr(ARGV[i], at + 1))
	}
	columns = ARGC - 1
	write_table()
	exit
}

# Return the day of the run, or the first and the last day
function dates(kernel)
{
	if (first[kernel] == last[kernel])
		return first[kernel]
	return first[kernel] " to " last[kernel]
}

function read_log(of, file,    result, name, place, failures, unclean)
{
	kernel = of
	program = ""
	while ((getline <file) > 0) {
		sub(/\r$/, "")
		if (/^# kernel: /) {
			version[kernel] = substr($0, 11)
		} else if (/^# date: /) {
			if (!(kernel in first) || $3 < first[kernel])
				first[kernel] = $3
			if ($3 > last[kernel])
				last[kernel] = $3
		} else if (/^# Subtest: /) {
			program = $3
			failures = unclean = 0
			if (!(program in rows)) {
				rows[program] = 0
				program_of[++programs] = program
			}
		} else if (/^# (the kernel's log[ :]|device pages are missing|unload|load |no end)/) {
			unclean = 1
		} else if (/^  # device [0-9]+ misses /) {
			unclean = 1
		} else if (/^  # [a-z0-9_]+: /) {
			name = substr($2, 1, length($2) - 1)
			if (!((program, name) in sentence))
				sentence[program, name] = substr($0, length($2) + 6)
		} else if (/^  (not )?ok [0-9]+ /) {
			result = $1 == "not" ? "**FAIL**" : "pass"
			failures += $1 == "not"
			name = $1 == "not" ? $4 : $3
			if (/ # SKIP /)
				result = "skipped " footnote(behind("SKIP"))
			else if (/ # XFAIL /)
				result = "differs " footnote(behind("XFAIL"))
			place = name
			sub(/\..*/, "", name)
			sub(/^[^.]*\.?/, "", place)
			set(name, place, result)
		} else if (/^(not )?ok [0-9]+ /) {
			set("", "", $1 == "not" && (unclean || !failures || / # /) ? "**FAIL**" : "pass")
		}
	}
	close(file)
}

function write_table(    i, j, k, row)
{
	print "# Conformance: what a process may expect of its memory on the device"
	print ""
	print "`make conformance` writes this page; do not edit it. The programs are in `tests/conformance`."
	print "Most behaviours (`PLACES`) were tested with the pages in system memory (*system*), on the device"
	print "(*device*), moved there and back (*returned*), and on the device with the device instead of the CPU"
	print "as the one that reads and writes them (*device_access*). A cell is the result of all four, unless it"
	print "names one. The others (`ONCE`) were tested once by the CPU and once by the device. *not run* means"
	print "that the program ended before the case, or was not run."
	print ""
	print "These are the results of devpub " devpub "."
	print ""
	print "| kernel | version | run on |"
	print "| --- | --- | --- |"
	for (k = 1; k <= columns; k++)
		print "| " kernels[k] " | " version[kernels[k]] " | " dates(kernels[k]) " |"
	for (i = 1; i <= programs; i++) {
		program = program_of[i]
		print ""
		print "## " program
		print ""
		printf "| case | what a process may expect |"
		for (k = 1; k <= columns; k++)
			printf " %s |", kernels[k]
		printf "\n| --- | --- |"
		for (k = 1; k <= columns; k++)
			printf " --- |"
		print ""
		for (j = 1; j <= rows[program]; j++) {
			row = row_of[program, j]
			if (row == "")
				printf "| | a clean kernel log, no page of the device lost |"
			else
				printf "| `%s` | %s |", row, sentence[program, row]
			for (k = 1; k <= columns; k++)
				printf " %s |", cell_of(kernels[k], program, row)
			print ""
		}
	}
	if (notes)
		print "\n## Notes\n"
	for (i = 1; i <= notes; i++)
		print i ". " note[i]
}
