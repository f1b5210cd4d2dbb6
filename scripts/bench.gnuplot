# SPDX-License-Identifier: GPL-2.0
# Instructions a page by size; kernels and dir are given on the command line.
set terminal svg size 800,450 font "sans,12" background "white"
set title "Instructions a 4 KiB page, by size of the call"
set logscale x 2
set logscale y
set xtics ("4 KiB" 4, "64 KiB" 64, "1 MiB" 1024, "4 MiB" 4096, "16 MiB" 16384, "64 MiB" 65536, "256 MiB" 262144)
set xrange [3:400000]
set yrange [2000:20000]
set ytics (2000, 3000, 4000, 6000, 8000, 10000, 15000)
set grid
set key outside bottom horizontal maxcols 3
what = "to from move"
titles = "'to the device' 'back' 'move\\_pages(2)'"
plot for [k = 1:words(kernels)] for [i = 1:words(what)] \
	sprintf("<grep '^%s ' %s/%s/sizes", word(what, i), dir, word(kernels, k)) \
	using 2:3 with linespoints linetype i dashtype k pointtype 4 + k \
	title sprintf("%s, %s", word(titles, i), word(kernels, k))
