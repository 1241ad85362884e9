# SPDX-License-Identifier: MIT
#
# side.awk -- a benchmark's CSV (case,who,round,figure,value) with the programs side by side: a
# median each, in brackets its ratio to the last one's, and the least and the most below.
#
#     awk -v columns="WHO WHO WHO" -f side.awk PART.csv

function middle(key,    n, i, j, v, t) {
	low = high = 0
	n = key in values ? split(values[key], v, " ") : 0
	if (n == 0)
		return 0
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	low = v[1]
	high = v[n]
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function short(x) {
	return sprintf(x >= 100 ? "%.0f" : "%.1f", x)
}

BEGIN {
	FS = ","
	n_columns = split(columns, column, " ")
}

$1 == "case" {
	next
}

{
	for (i = 1; i <= n_columns && column[i] != $2; i++)
		;
	if (i > n_columns)
		next
	if (!(($1, $4) in known)) {
		known[$1, $4] = 1
		row_case[++n_rows] = $1
		row_figure[n_rows] = $4
	}
	values[$1 SUBSEP $4 SUBSEP $2] = values[$1 SUBSEP $4 SUBSEP $2] " " $5
}

function print_row(r,    i, before, last, m, line, spread, cell) {
	before = row_case[r] SUBSEP row_figure[r] SUBSEP
	last = before column[n_columns]
	line = sprintf("  %-25s", row_figure[r])
	spread = sprintf("  %-25s", "")
	for (i = 1; i <= n_columns; i++) {
		cell = "-"
		m = middle(before column[i])
		if (before column[i] in values)
			cell = short(m)
		spread = spread sprintf(" %14s", low == high ? "" : short(low) " to " short(high))
		if (i < n_columns && cell != "-" && last in values)
			cell = cell sprintf(" (%.2f)", m / middle(last))
		line = line sprintf(" %14s", cell)
	}
	print line
	if (spread ~ / to /) {
		sub(/ +$/, "", spread)
		print spread
	}
}

END {
	for (r = 1; r <= n_rows; r++) {
		if (row_case[r] != row_case[r - 1]) {
			printf "\n%-27s", row_case[r]
			if (length(row_case[r]) > 27)
				printf "\n%-27s", ""
			for (i = 1; i <= n_columns; i++)
				printf " %14s", column[i]
			print ""
		}
		print_row(r)
	}
}
