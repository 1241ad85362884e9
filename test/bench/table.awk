# SPDX-License-Identifier: MIT
#
# table.awk -- a table of a benchmark's CSV (case,who,round,figure,value), then its goals.
#
#     awk -v names=FILE -v against="WHO..." -v goals=FILE -f table.awk PART.csv
#
# names: WHO<tab>what it is, for the table, which has the ratio of each median to that of the first
# WHO of against that is in it. goals, one a line, tab-separated:
#
#     sentence  case  figure  who  against  limit  [spread  case  figure]
#
# The ratio of the medians, who to against, is to be at most the limit (0.55), or, with a + behind
# it (12+), at least. With "spread", a median that lies inside of against's own rounds is as good.
# Of another case and figure, if told, both medians are printed beside the ratio.
#
# With -v command=TEXT there are no tables, and the goals are lines of the form
#
#     figure | goal | measured | command

function sort_values(key,    n, i, j, v, t) {
	n = split(values[key], v, " ")
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	low[key] = v[1]
	high[key] = v[n]
	median[key] = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function number(x) {
	if (x == "")
		return "-"
	if (x >= 1000)
		return sprintf("%d", x)
	return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x)
}

BEGIN {
	FS = ","
	while ((getline line <names) > 0) {
		split(line, part, "\t")
		name[part[1]] = part[2]
	}
}

$1 == "case" {
	next
}

{
	key = $1 SUBSEP $2 SUBSEP $4
	values[key] = values[key] " " $5
	if (!(($1, $4) in tables)) {
		tables[$1, $4] = ++n_tables
		table_case[n_tables] = $1
		table_figure[n_tables] = $4
	}
	if (!(key in seen)) {
		seen[key] = 1
		rows[$1, $4] = rows[$1, $4] " " $2
	}
}

# The key of whom a table's ratios are to; "" if nobody of against is there.
function base(c, f,    who, n, i) {
	n = split(against, who, " ")
	for (i = 1; i <= n; i++)
		if ((c, who[i], f) in median && median[c, who[i], f] > 0)
			return c SUBSEP who[i] SUBSEP f
	return ""
}

function print_table(t,    c, f, who, n, i, key, to) {
	c = table_case[t]
	f = table_figure[t]
	to = base(c, f)
	printf "\n%-52s %6s %10s  %-19s\n", c, "ratio", "median", "least to most"
	n = split(rows[c, f], who, " ")
	for (i = 1; i <= n; i++) {
		key = c SUBSEP who[i] SUBSEP f
		printf "  %-50s %6s %10s  %s to %s %s\n", who[i] in name ? name[who[i]] : who[i],
			to == "" ? "-" : sprintf("%.2f", median[key] / median[to]),
			number(median[key]), number(low[key]), number(high[key]), f
	}
}

function print_goal(line,    p, mine, its, r, good, least, word) {
	split(line, p, "\t")
	mine = p[2] SUBSEP p[4] SUBSEP p[3]
	its = p[2] SUBSEP p[5] SUBSEP p[3]
	if (!(mine in median) || !(its in median)) {
		if (command)
			printf "%s | - | not measured | %s\n", p[1], command
		else
			printf "  %-66s %6s  %s\n", p[1], "-", "not measured"
		return
	}
	r = median[mine] / median[its]
	least = p[6] ~ /\+$/
	good = least ? r >= p[6] + 0 : r <= p[6] + 0
	word = good ? "reached" : "NOT REACHED"
	if (!good && p[7] == "spread" && median[mine] <= high[its] + 0)
		word = "reached, inside the floor's own spread"
	if (command) {
		if (!good)
			word = sprintf("missed by %.2f", least ? p[6] - r : r - p[6])
		printf "%s | %.2f %s | %.2f, %s | %s\n", p[1], p[6], least ? "or more" : "or less", r, word, command
		return
	}
	printf "  %-66s %6.2f  %s %s: %s\n", p[1], r, p[6] + 0, least ? "or more" : "or less", word
	mine = p[8] SUBSEP p[4] SUBSEP p[9]
	its = p[8] SUBSEP p[5] SUBSEP p[9]
	if (mine in median && its in median)
		printf "      %s: %s %s, against %s\n", p[8], number(median[mine]), p[9], number(median[its])
}

END {
	for (key in values)
		sort_values(key)
	for (t = 1; t <= n_tables && !command; t++)
		print_table(t)
	if (command)
		print "\nfigure | goal | measured | command"
	else
		printf "\n%-68s %6s  %s\n", "goal", "ratio", ""
	while ((getline line <goals) > 0)
		print_goal(line)
}
