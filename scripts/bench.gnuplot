# SPDX-License-Identifier: GPL-2.0
# Instructions a page by size; kernels and dir are given on the command line.
set terminal svg size 800,450 font "sans,12" background "white"
set title "Instructions a 4 KiB page, one call"
set xlabel "KiB a call"
set logscale x 2
set logscale y
set xtics ("4" 4, "64" 64, "1024" 1024, "4096" 4096, "16384" 16384, "65536" 65536, "262144" 262144)
set ytics (2000, 3000, 4000, 6000, 8000, 10000, 15000)
set grid
set key outside right
what = "to from move"
titles = "'to the device' 'back' 'move\\_pages(2)'"
plot for [k = 1:words(kernels)] for [i = 1:words(what)] \
	sprintf("<grep '^%s ' %s/%s/sizes", word(what, i), dir, word(kernels, k)) \
	using 2:3 with linespoints linetype i dashtype k pointtype 4 + k \
	title sprintf("%s, %s", word(titles, i), word(kernels, k))
