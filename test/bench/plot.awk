# SPDX-License-Identifier: MIT
#
# plot.awk -- a benchmark's CSV (case,who,round,figure,value) as an SVG: for each case bars of
# the medians, and a line over each from the least to the most.
#
#     awk -v title=TEXT -f plot.awk PART.csv

function median(key,    n, i, j, v, t) {
	n = split(values[key], v, " ")
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

function text(x, y, s, more) {
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	body = body sprintf("<text x=\"%d\" y=\"%d\"%s>%s</text>\n", x, y, more, s)
}

function colour(who) {
	if (who ~ /^cth/)
		return "#2a6f97"
	return who ~ /^bare|^none/ ? "#bbbbbb" : "#e09f3e"
}

function chart(t,    n, who, i, most, scale, m, c, f) {
	c = table_case[t]
	f = table_figure[t]
	n = split(rows[c, f], who, " ")
	most = 0
	for (i = 1; i <= n; i++) {
		median(c SUBSEP who[i] SUBSEP f)
		if (high + 0 > most)
			most = high + 0
	}
	scale = most ? 400 / most : 0
	y += 34
	text(10, y, c ", " f, " font-weight=\"bold\"")
	for (i = 1; i <= n; i++) {
		m = median(c SUBSEP who[i] SUBSEP f)
		y += 20
		text(190, y + 12, who[i], " text-anchor=\"end\"")
		body = body sprintf("<rect x=\"200\" y=\"%d\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>\n",
			y, m * scale, colour(who[i]))
		body = body sprintf("<path d=\"M%.1f %dH%.1f\" stroke=\"#000\"/>\n",
			200 + low * scale, y + 7, 200 + high * scale)
		text(610, y + 12, m >= 100 ? sprintf("%.0f", m) : sprintf("%.2f", m), "")
	}
}

BEGIN {
	FS = ","
	y = 10
}

$1 == "case" {
	next
}

{
	key = $1 SUBSEP $2 SUBSEP $4
	if (!(($1, $4) in tables)) {
		tables[$1, $4] = ++n_tables
		table_case[n_tables] = $1
		table_figure[n_tables] = $4
	}
	if (!(key in values))
		rows[$1, $4] = rows[$1, $4] " " $2
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
