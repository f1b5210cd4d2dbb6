# SPDX-License-Identifier: GPL-2.0
#
# Check of C files on floors that includes and calls go downwards or stay on their floor, and
# that includes have no circle.  The input has one line per file,
#
#	PROGRAM FLOOR FOLDER FILE
#
# where floor 1 is the top, and FOLDER is the folder that includes are relative to if they are not
# relative to the file.  Print a line "FILE:LINE: WHAT" for each violation and fail, or print the
# number of files.

# Return the line without comments and strings.
function code(line,   plain)
{
	plain = ""
	while (line != "") {
		if (in_comment) {
			if (!match(line, /\*\//))
				return plain
			in_comment = 0
			line = substr(line, RSTART + 2)
			continue
		}
		if (!match(line, /\/\*|\/\/|["']/))
			return plain line
		plain = plain substr(line, 1, RSTART - 1) " "
		line = substr(line, RSTART)
		if (line ~ /^\/\*/) {
			in_comment = 1
			line = substr(line, 3)
		} else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
			line = substr(line, RLENGTH + 1)
		} else {
			return plain
		}
	}
	return plain
}

# Return the name of the non-static function whose definition begins in this line, if any.
function function_of(head,   name)
{
	if (head ~ /(^|[^A-Za-z0-9_])static([^A-Za-z0-9_]|$)/)
		return ""
	while (match(head, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(head, RSTART, RLENGTH - 1)
		sub(/[ \t]+$/, "", name)
		if (index(substr(head, 1, RSTART), "="))
			return ""
		if (name !~ /^__/)
			return name
		head = substr(head, RSTART + RLENGTH)
	}
	return ""
}

# Collect the definitions of a source.  A brace at the start of a line ends a definition.
function find_functions(file,   i, line, depth, head, name, skip)
{
	depth = 0
	head = ""
	for (i = 1; i <= lines[file]; i++) {
		line = text[file, i]
		if (skip || line ~ /^[ \t]*#/) {
			skip = line ~ /\\$/
			continue
		}
		if (line ~ /^}/) {
			depth = 0
			head = ""
			continue
		}
		while (match(line, /[{};]/)) {
			if (!depth)
				head = head " " substr(line, 1, RSTART - 1)
			if (substr(line, RSTART, 1) == "{") {
				if (!depth++) {
					name = function_of(head)
					if (name != "")
						owner[program[file], name] = file
				}
			} else if (substr(line, RSTART, 1) == "}") {
				depth -= depth > 0
			}
			if (!depth)
				head = ""
			line = substr(line, RSTART + 1)
		}
		if (!depth)
			head = head " " line
	}
}

function violation(file, line, what)
{
	printf "%s:%d: %s\n", file, line, what
	bad = 1
}

# Return the included file, relative to this file or to FOLDER; "" if it is not in the input.
function included(file, name,   beside)
{
	beside = file
	sub(/[^\/]*$/, "", beside)
	beside = beside name
	while (sub(/[^\/]+\/\.\.\//, "", beside))
		;
	if (beside in program)
		return beside
	if ((folder[file] "/" name) in program)
		return folder[file] "/" name
	return ""
}

# Return the unit: a source and its header are one.
function unit(file)
{
	sub(/\.[ch]$/, "", file)
	return file
}

function read_file(file,   line, name, target, plain, status)
{
	lines[file] = 0
	in_comment = 0
	while ((status = (getline line < file)) > 0) {
		lines[file]++
		name = ""
		if (!in_comment && line ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
			name = line
			sub(/^[^"]*"/, "", name)
			sub(/".*/, "", name)
		}
		plain = code(line)
		text[file, lines[file]] = name == "" ? plain : ""
		if (name == "" || (target = included(file, name)) == "")
			continue
		if (floor[target] < floor[file])
			violation(file, lines[file], "includes " target ", which is above")
		if (unit(target) != unit(file) && !((unit(file), unit(target)) in edge)) {
			edge[unit(file), unit(target)] = file ":" lines[file]
			edges[unit(file)] = edges[unit(file)] " " unit(target)
		}
	}
	if (status < 0)
		violation(file, 0, "can't be read")
	close(file)
}

function find_calls(file,   i, line, name, before, above, told)
{
	for (i = 1; i <= lines[file]; i++) {
		line = text[file, i]
		# Trace events define functions, too.
		if (line ~ /^(TRACE_EVENT|DECLARE_EVENT_CLASS|DEFINE_EVENT)[A-Z_]*\(/)
			continue
		before = ""
		split("", told)
		while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
			name = substr(line, RSTART, RLENGTH)
			before = before substr(line, 1, RSTART - 1)
			line = substr(line, RSTART + RLENGTH)
			# Members and tags are in other name spaces.
			if ((program[file], name) in owner && !(name in told) &&
			    before !~ /(\.|->)[ \t]*$/ && before !~ /(struct|union|enum)[ \t]+$/) {
				above = owner[program[file], name]
				if (floor[above] < floor[file])
					violation(file, i, "names " name "() of " above ", which is above")
				told[name] = 1
			}
			before = name
		}
	}
}

# Report each circle through a unit once, where the search meets a unit that it is visiting.
function visit(from, path,   next_of, n, i, to, circle, at)
{
	state[from] = "open"
	n = split(edges[from], next_of, " ")
	for (i = 1; i <= n; i++) {
		to = next_of[i]
		if (state[to] == "open") {
			circle = path " > " to
			circle = substr(circle, index(circle " ", " " to " ") + 1)
			split(edge[from, to], at, ":")
			violation(at[1], at[2], "closes a circle: " circle)
		} else if (state[to] == "") {
			visit(to, path " > " to)
		}
	}
	state[from] = "done"
}

{
	files[++count] = $4
	program[$4] = $1
	floor[$4] = $2
	folder[$4] = $3
}

END {
	for (nr = 1; nr <= count; nr++)
		read_file(files[nr])
	for (nr = 1; nr <= count; nr++)
		if (files[nr] ~ /\.c$/)
			find_functions(files[nr])
	for (nr = 1; nr <= count; nr++)
		find_calls(files[nr])
	for (nr = 1; nr <= count; nr++)
		if (state[unit(files[nr])] == "")
			visit(unit(files[nr]), " " unit(files[nr]))
	if (bad || !count)
		exit 1
	print count " files, no include or call upwards, no circle"
}
