# SPDX-License-Identifier: GPL-2.0
#
# Make Documentation/performance.md from its template: replace each line "@name" by the table
# of that name.  The variables dir and kernels must be set; DIR/KERNEL contains the results of
# scripts/bench.

BEGIN {
	n = split(kernels, kernel, " ")
	for (k = 1; k <= n; k++) {
		read_table("instructions")
		read_table("times")
		read_table("access")
		read_table("access-times")
		read_profile("to")
		read_profile("from")
		read_profile("move")
		read_profile("read-miss")
		read_machine()
	}
}

# Rows of tools/bench: WHAT SOURCE PAGES WORKERS REPEAT MEDIAN MIN MAX
function read_table(mode,	file, line, f, key) {
	file = dir "/" kernel[k] "/" mode ".result"
	while ((getline line <file) > 0) {
		if (split(line, f, " ") != 8 || f[1] == "WHAT")
			continue
		key = k SUBSEP mode SUBSEP f[1] SUBSEP f[2] SUBSEP f[3] SUBSEP f[4]
		seen[mode]++
		median[key] = f[6]; least[key] = f[7]; most[key] = f[8]
	}
	close(file)
}

function read_profile(what,	file, line, f, i) {
	file = dir "/" kernel[k] "/profile-" what
	while ((getline line <file) > 0) {
		i = ++lines[k, what]
		split(line, f, " ")
		count[k, what, i] = f[1]
		name[k, what, i] = f[2]
		ours[k, what, i] = f[3] != "" || f[2] ~ /^devpub_/
		total[k, what] += f[1]
		if (f[2] == "copy_page")
			copy[k, what] = f[1]
		if (ours[k, what, i])
			own[k, what] += f[1]
	}
	close(file)
}

function read_machine(	file, line, at) {
	file = dir "/" kernel[k] "/machine"
	while ((getline line <file) > 0) {
		at = index(line, " ")
		machine[k, substr(line, 1, at - 1)] = substr(line, at + 1)
	}
	close(file)
}

function key(mode, what, source, pages, workers) {
	return k SUBSEP mode SUBSEP what SUBSEP source SUBSEP pages SUBSEP workers
}

# Return a result, or "" if it was not measured.
function value(mode, what, source, pages, workers,	at) {
	at = key(mode, what, source, pages, workers)
	return at in median ? median[at] : ""
}

# Return the quotient of two results for this number of small pages.
function relation(mode, what, what2, pages) {
	return quotient(value(mode, what, "small", pages, 0), value(mode, what2, "small", pages, 0))
}

function quotient(a, b) {
	return a == "" || b == "" || b == 0 ? "" : a / b
}

# Return the instructions per page for 64 MiB of small pages
function usual(what) {
	return value("instructions", what, "small", 16384, 0)
}

function head(first,	text, line) {
	text = "| " first; line = "| ---"
	for (k = 1; k <= n; k++) {
		text = text " | " kernel[k]
		line = line " | ---"
	}
	print text " |"; print line " |"
}

function goal(measure, wanted, format,	text, ok) {
	text = "| " measure " | " (more ? ">= " : "<= ") sprintf(format, wanted)
	for (k = 1; k <= n; k++) {
		ok = more ? result[k] >= wanted : result[k] <= wanted
		text = text " | " (result[k] == "" ? "not measured" : sprintf(format, result[k]) (ok ? "" : " (not met)"))
	}
	print text " |"
}

function workers_goal(label, what, one) {
	for (k = 1; k <= n; k++)
		result[k] = quotient(value("times", what, "small", 65536, one),
			value("times", what, "small", 65536, 2))
	goal(label, 1.8, "%.2f")
}

function flatness(mode,	pages, low, high, v, what, worst, w) {
	worst = 0
	split("to from", what, " ")
	for (w = 1; w <= 2; w++) {
		low = 1e9; high = 0
		for (pages = 1024; pages <= 65536; pages *= 4) {
			v = value(mode, what[w], "small", pages, 0)
			if (v == "")
				return ""
			if (v < low) low = v
			if (v > high) high = v
		}
		if (high / low > worst)
			worst = high / low
	}
	return worst
}

function goals(	i, line) {
	line = "| measure | goal"
	for (k = 1; k <= n; k++)
		line = line " | " kernel[k]
	print line " |"
	line = "| --- | ---"
	for (k = 1; k <= n; k++)
		line = line " | ---"
	print line " |"
	more = 0
	for (k = 1; k <= n; k++) result[k] = quotient(usual("to"), usual("move"))
	goal("instructions, to the device : move_pages(2)", 0.41, "%.3f")
	for (k = 1; k <= n; k++) result[k] = quotient(usual("to"), usual("peer-to") - usual("peer-read"))
	goal("instructions, to the device : HMM's test module without its read-back", 0.78, "%.3f")
	for (k = 1; k <= n; k++) result[k] = quotient(usual("from"), usual("move"))
	goal("instructions, back : move_pages(2)", 0.47, "%.3f")
	for (k = 1; k <= n; k++) result[k] = quotient(usual("from"), usual("peer-from"))
	goal("instructions, back : HMM's test module", 0.80, "%.3f")
	for (k = 1; k <= n; k++) result[k] = quotient(100 * own[k, "to"], total[k, "to"])
	goal("our own share of the instructions, to the device", 5, "%.1f %%")
	for (k = 1; k <= n; k++) result[k] = quotient(100 * own[k, "from"], total[k, "from"])
	goal("our own share, back", 5, "%.1f %%")
	more = 1
	workers_goal("time, 256 MiB to the device, `workers` 1 : 2 on 2 processors", "to", 1)
	workers_goal("the same, back", "from", 1)
	workers_goal("time, 256 MiB to the device, one worker, the caller asleep : two", "to", 0)
	workers_goal("the same, back", "from", 0)
	more = 0
	for (k = 1; k <= n; k++) result[k] = flatness("instructions")
	goal("instructions a page from 4 MiB to the full device, most : least", 1.1, "%.3f")
	for (k = 1; k <= n; k++)
		result[k] = quotient(value("instructions", "to", "small", 1, 0), value("instructions", "move", "small", 1, 0))
	goal("instructions of one page by one call : move_pages(2)", 1, "%.3f")
	for (k = 1; k <= n; k++) result[k] = quotient(usual("populate"), usual("fault"))
	goal("instructions, populating holes : faulting them in", 0.5, "%.3f")
	access_goals()
}

function access_goal(label, what, what2, pages) {
	for (k = 1; k <= n; k++) result[k] = relation("access", what, what2, pages)
	goal("instructions, the device reads " size_name(pages) ", page tables " label " : HMM's test module", 1, "%.3f")
}

function access_goals(	pages) {
	more = 0
	access_goal("filled", "read", "peer-hit", 1)
	access_goal("filled", "read", "peer-hit", 4096)
	access_goal("empty", "read-miss", "peer-miss", 1)
	access_goal("empty", "read-miss", "peer-miss", 4096)
	more = 1
	for (pages = 16; pages <= 4096; pages *= 16) {
		for (k = 1; k <= n; k++) result[k] = relation("access-times", "memcpy", "copy", pages)
		goal("throughput, the device copies " size_name(pages) " : memcpy in user space", 0.9, "%.2f")
	}
}

# Print the ratios that remain without the module's own share, and without the copy.
function limit_table(	i, what, words, peer, rest, label) {
	head("what would be reached")
	words["to"] = "to the device"; words["from"] = "back"
	split("to from", what, " ")
	for (i = 1; i <= 2; i++) {
		for (label = 1; label <= 4; label++) {
			for (k = 1; k <= n; k++) {
				peer = usual("peer-" what[i]) - (what[i] == "to" ? usual("peer-read") : 0)
				rest = usual(what[i]) - own[k, what[i]]
				if (label % 2 == 0)
					rest -= copy[k, what[i]]
				result[k] = quotient(rest, label <= 2 ? usual("move") : peer)
			}
			line_of(words[what[i]] " : " (label <= 2 ? "move_pages(2)" : "HMM's test module") \
				(label % 2 ? ", without our own share" : ", and without the copy"))
		}
	}
}

function line_of(label,	text) {
	text = "| " label
	for (k = 1; k <= n; k++)
		text = text (result[k] == "" ? " | -" : sprintf(" | %.3f", result[k]))
	print text " |"
}

function row(label, mode, what, source, pages, workers,	text, at) {
	text = "| " label
	for (k = 1; k <= n; k++) {
		at = key(mode, what, source, pages, workers)
		text = text " | " (at in median ? sprintf("%.0f", median[at]) : "-")
	}
	print text " |"
}

function instruction_table() {
	head("instructions a page, 64 MiB")
	row("to the device", "instructions", "to", "small", 16384, 0)
	row("to the device, the calling thread alone", "instructions", "to", "small", 16384, 1)
	row("to the device, THPs", "instructions", "to", "thp", 16384, 0)
	row("to the device, shared by fork", "instructions", "to", "forked", 16384, 0)
	row("back", "instructions", "from", "small", 16384, 0)
	row("back, the calling thread alone", "instructions", "from", "small", 16384, 1)
	row("back, former THPs", "instructions", "from", "thp", 16384, 0)
	row("back, shared by fork", "instructions", "from", "forked", 16384, 0)
	row("to the device, pages already there", "instructions", "again", "small", 16384, 0)
	row("holes populated on the device", "instructions", "populate", "small", 16384, 0)
	row("holes faulted in", "instructions", "fault", "small", 16384, 0)
	row("move_pages(2), one call", "instructions", "move", "small", 16384, 0)
	row("move_pages(2), 512 pages a call", "instructions", "move-512", "small", 16384, 0)
	row("HMM's test module, to its device and read back", "instructions", "peer-to", "small", 16384, 0)
	row("its read-back alone", "instructions", "peer-read", "small", 16384, 0)
	row("HMM's test module, back", "instructions", "peer-from", "small", 16384, 0)
	row("memcpy in user space", "instructions", "memcpy", "small", 16384, 0)
}

function size_name(pages) {
	return pages < 256 ? pages * 4 " KiB" : pages / 256 " MiB"
}

function access_table(	pages) {
	head("instructions a page")
	for (pages = 1; pages <= 4096; pages *= 16) {
		row(size_name(pages) " read by the device, page tables filled", "access", "read", "small", pages, 0)
		row(size_name(pages) " read by HMM's test module, page tables filled", "access", "peer-hit", "small", pages, 0)
		row(size_name(pages) " read by the device, page tables empty", "access", "read-miss", "small", pages, 0)
		row(size_name(pages) " read by HMM's test module, page tables empty", "access", "peer-miss", "small", pages, 0)
		row(size_name(pages) " copied by the device", "access", "copy", "small", pages, 0)
		row(size_name(pages) " copied by memcpy in user space", "access", "memcpy", "small", pages, 0)
	}
}

function access_time_table(	pages) {
	head("times in one boot, median : median (least to most that the extremes allow)")
	for (pages = 1; pages <= 4096; pages *= 16) {
		time_ratio(size_name(pages) " read, page tables filled : HMM's test module", "access-times", "read", "small", pages, 0, "peer-hit", "small", pages, 0)
		time_ratio(size_name(pages) " read, page tables empty : HMM's test module", "access-times", "read-miss", "small", pages, 0, "peer-miss", "small", pages, 0)
		time_ratio(size_name(pages) " copied : memcpy in user space", "access-times", "copy", "small", pages, 0, "memcpy", "small", pages, 0)
	}
}

function size_table(	pages, label) {
	head("instructions a page")
	for (pages = 1; pages <= 65536; pages *= pages == 1 || pages == 16 ? 16 : 4) {
		label = size_name(pages)
		row(label " to the device", "instructions", "to", "small", pages, 0)
		row(label " back", "instructions", "from", "small", pages, 0)
		row(label " move_pages(2)", "instructions", "move", "small", pages, 0)
	}
}

function ratio(label, what, source, pages, workers, what2, source2, pages2, workers2) {
	time_ratio(label, "times", what, source, pages, workers, what2, source2, pages2, workers2)
}

function time_ratio(label, mode, what, source, pages, workers, what2, source2, pages2, workers2,	text, a, b) {
	text = "| " label
	for (k = 1; k <= n; k++) {
		a = key(mode, what, source, pages, workers)
		b = key(mode, what2, source2, pages2, workers2)
		if (a in median && b in median)
			text = text sprintf(" | %.2f (%.2f to %.2f)", median[a] / median[b],
				least[a] / most[b], most[a] / least[b])
		else
			text = text " | -"
	}
	print text " |"
}

function time_table(	pages, w, what, words) {
	if (!seen["times"]) {
		print "Not measured for this page: `scripts/bench times write` does."
		return
	}
	head("times in one boot, median : median (least to most that the extremes allow)")
	words["to"] = "to the device"; words["from"] = "back"
	split("to from", what, " ")
	for (w = 1; w <= 2; w++) {
		ratio("256 MiB " words[what[w]] ", the calling thread alone : two workers", what[w], "small", 65536, 1, what[w], "small", 65536, 2)
		ratio("256 MiB " words[what[w]] ", one worker, the caller asleep : two", what[w], "small", 65536, 0, what[w], "small", 65536, 2)
		ratio("16 MiB " words[what[w]] " : move_pages(2)", what[w], "small", 4096, 0, "move", "small", 4096, 0)
		ratio("16 MiB " words[what[w]] " : move_pages(2) by 512", what[w], "small", 4096, 0, "move-512", "small", 4096, 0)
		ratio("16 MiB " words[what[w]] " : HMM's test module", what[w], "small", 4096, 0, "peer-" what[w], "small", 4096, 0)
		ratio("16 MiB " words[what[w]] " : memcpy", what[w], "small", 4096, 0, "memcpy", "small", 4096, 0)
		ratio("4 KiB " words[what[w]] " : move_pages(2)", what[w], "small", 1, 0, "move", "small", 1, 0)
		for (pages = 64; pages <= 2048; pages *= pages == 64 ? 4 : 2)
			ratio(pages / 256 " MiB " words[what[w]] ", workers chosen : the calling thread alone", what[w], "small", pages, 0, what[w], "small", pages, 1)
		for (pages = 4096; pages <= 65536; pages *= 4)
			ratio(pages / 256 " MiB " words[what[w]] " : 4 MiB, a page, the calling thread alone", what[w], "small", pages, 1, what[w], "small", 1024, 1)
		ratio("16 MiB " words[what[w]] ", THPs : small pages", what[w], "thp", 4096, 0, what[w], "small", 4096, 0)
		ratio("16 MiB " words[what[w]] ", shared by fork : not shared", what[w], "forked", 4096, 0, what[w], "small", 4096, 0)
		ratio("16 MiB " words[what[w]] ", another thread runs : none", what[w], "threads", 4096, 0, what[w], "small", 4096, 0)
	}
	ratio("16 MiB of holes populated : faulted in", "populate", "small", 4096, 0, "fault", "small", 4096, 0)
}

function profile_table(what,	i, at, text, shown) {
	for (k = 1; k <= n; k++) {
		printf "\n**%s**, %.0f instructions a page, of which our own %.0f (%.1f %%):\n\n", kernel[k],
			total[k, what], own[k, what], 100 * own[k, what] / total[k, what]
		print "| function | instructions a page | share |"
		print "| --- | --- | --- |"
		shown = 0
		for (i = 1; i <= lines[k, what]; i++) {
			if (count[k, what, i] < 25 && (!ours[k, what, i] || count[k, what, i] < 1))
				continue
			printf "| %s%s | %.0f | %.1f %% |\n", name[k, what, i],
				ours[k, what, i] ? " (devpub)" : "", count[k, what, i],
				100 * count[k, what, i] / total[k, what]
			shown += count[k, what, i]
		}
		printf "| all others, below 25 each | %.0f | %.1f %% |\n", total[k, what] - shown,
			100 * (total[k, what] - shown) / total[k, what]
	}
}

function machine_table() {
	print "| kernel | source | release | compiler | QEMU | processor |"
	print "| --- | --- | --- | --- | --- | --- |"
	for (k = 1; k <= n; k++)
		printf "| %s | %s | %s | %s | %s, %s | %s |\n", kernel[k], machine[k, "source"],
			machine[k, "release"], machine[k, "compiler"], machine[k, "qemu"],
			machine[k, "accelerator"], machine[k, "processor"]
}

$0 == "@goals" { goals(); next }
$0 == "@instructions" { instruction_table(); next }
$0 == "@sizes" { size_table(); next }
$0 == "@times" { time_table(); next }
$0 == "@profile-to" { profile_table("to"); next }
$0 == "@profile-from" { profile_table("from"); next }
$0 == "@access" { access_table(); next }
$0 == "@access-times" { access_time_table(); next }
$0 == "@profile-read-miss" { profile_table("read-miss"); next }
$0 == "@limits" { limit_table(); next }
$0 == "@profile-move" { profile_table("move"); next }
$0 == "@machine" { machine_table(); next }
/^@/ { print "bench.awk: no table " $0 >"/dev/stderr"; failed = 1 }
{ print }
END { exit failed }
