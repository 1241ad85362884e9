# SPDX-License-Identifier: MIT
#
# growth.awk -- the rows of a benchmark's CSV (case,who,round,figure,value) whose case ends with
# "among N flows", as an SVG: for each case a line of medians for each program, over N.
#
#     awk -v title=TEXT -f growth.awk PART.csv

function middle(key,    n, i, j, v, t) {
	n = split(values[key], v, " ")
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function text(x, y, s, more) {
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	body = body sprintf("<text x=\"%d\" y=\"%d\"%s>%s</text>\n", x, y, more, s)
}

function x_of(n) {
	return 60 + 100 * log(n) / log(10)
}

function chart(t,    c, f, n, w, who, i, points, m, most, last) {
	c = table_case[t]
	f = table_figure[t]
	n = split(rows[c, f], who, " ")
	most = 0
	for (w = 1; w <= n; w++)
		for (i = 1; i <= n_sizes; i++)
			if ((c SUBSEP who[w] SUBSEP f SUBSEP size[i]) in values) {
				m = middle(c SUBSEP who[w] SUBSEP f SUBSEP size[i])
				if (m > most)
					most = m
			}
	y += 40
	text(10, y, c ", " f, " font-weight=\"bold\"")
	y += 150
	body = body sprintf("<path d=\"M60 %dV%dH%d\" stroke=\"#888\" fill=\"none\"/>\n", y - 130, y,
		x_of(size[n_sizes]))
	text(55, y - 120, sprintf("%.0f", most), " text-anchor=\"end\"")
	text(55, y, "0", " text-anchor=\"end\"")
	for (i = 1; i <= n_sizes; i++)
		text(x_of(size[i]), y + 16, size[i], " text-anchor=\"middle\"")
	for (w = 1; w <= n; w++) {
		points = ""
		for (i = 1; i <= n_sizes; i++)
			if ((c SUBSEP who[w] SUBSEP f SUBSEP size[i]) in values) {
				last = y - 125 * middle(c SUBSEP who[w] SUBSEP f SUBSEP size[i]) / most
				points = points sprintf(" %.1f,%.1f", x_of(size[i]), last)
			}
		body = body sprintf("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\"/>\n", points,
			who[w] ~ /^cth/ ? "#2a6f97" : who[w] == "none" ? "#bbbbbb" : "#e09f3e")
		text(x_of(size[n_sizes]) + 8, last + 4, who[w], "")
	}
	y += 20
}

BEGIN {
	FS = ","
	y = 10
}

match($1, / among [0-9]+ flows$/) {
	c = substr($1, 1, RSTART - 1)
	number = substr($1, RSTART + 7) + 0
	if (!((c, $4) in tables)) {
		tables[c, $4] = ++n_tables
		table_case[n_tables] = c
		table_figure[n_tables] = $4
	}
	if (!((c, $2, $4) in seen)) {
		seen[c, $2, $4] = 1
		rows[c, $4] = rows[c, $4] " " $2
	}
	if (!(number in sizes)) {
		sizes[number] = 1
		size[++n_sizes] = number
	}
	key = c SUBSEP $2 SUBSEP $4 SUBSEP number
	values[key] = values[key] " " $5
}

END {
	text(10, 22, title, "")
	for (t = 1; t <= n_tables; t++)
		chart(t)
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"680\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", y + 34
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
	printf "%s</svg>\n", body
}
