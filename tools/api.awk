# SPDX-License-Identifier: MIT
#
# api.awk - the reference of the library's interface, as text: what the public headers declare,
# and the contracts that stand there. `make api` calls it, in the folder that they are below:
#
#     awk -f tools/api.awk HEADER... >api
#
# A comment is the contract of all that follows it without an empty line; what has none above it
# may have one within, or behind it on the same line. Of inline functions in a row the first one's
# holds for the others. A declaration without a contract is told on stderr, and the exit status is
# 1. The private parts of structures and the bodies of inline functions are left out.

# A line of a comment without its signs.
function plain(line) {
	sub(/[ \t]*\*\/[ \t]*$/, "", line)
	if (!sub(/^\/\*[ \t]?/, "", line) && !sub(/^ \*[ \t]?/, "", line))
		sub(/^   /, "", line)
	return line
}

function indented(text) {
	sub(/^\n+/, "", text)
	sub(/[ \t\n]+$/, "", text)
	gsub(/\n/, "\n    ", text)
	gsub(/\n    \n/, "\n\n", text)
	return "    " text "\n"
}

# The name that a declaration is about; of an enum without one, its first constant.
function name_of(text,    words, n) {
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
	if (text ~ /^#define/) {
		split(text, words, /[ \t(]+/)
		return words[2]
	}
	if (text ~ /^enum \{/)
		return match(text, /CTH_[A-Z0-9_]+/) ? substr(text, RSTART, RLENGTH) : "enum"
	if (text ~ /^(struct|enum|union) [a-z0-9_]+ \{/) {
		sub(/ \{.*/, "", text)
		return text
	}
	sub(/[ \t]*[(=;[].*/, "", text)
	n = split(text, words, /[ \t*]+/)
	return words[n]
}

# Of a group, which an empty line or the next comment ends.
function end_group() {
	if (group != "" || contract != "")
		page = page "\n" group (contract != "" ? indented(contract) : "")
	group = contract = ""
}

function end_declaration(    name, inline) {
	name = name_of(declaration)
	inline = declaration ~ /^static inline/
	if (contract == "" && declaration !~ /\/\*/ && !(inline && inline_contract)) {
		print header ": " name ": declared without a contract" >"/dev/stderr"
		failed = 1
	}
	inline_contract = inline && (contract != "" || inline_contract)
	declared[name] = header
	group = group declaration "\n"
	declaration = ""
	private = 0
}

# How often this is in that.
function count(pattern, text) {
	return gsub(pattern, "", text)
}

FNR == 1 {
	end_group()
	header = FILENAME
	underline = header
	gsub(/./, "=", underline)
	page = page "\n\n" header "\n" underline "\n"
	opening = 1
}

/SPDX-License-Identifier/ || /^#(ifndef|ifdef|endif|include)/ || /^#define CTH_[A-Z]+_H$/ ||
/^extern "C" \{/ || (/^}$/ && depth == 0) {
	next
}

/^$/ && depth == 0 && !commenting {
	end_group()
	next
}

# Comments of their own.
commenting || (depth == 0 && declaration == "" && /^\/\*/) {
	if (!commenting)
		end_group()
	contract = contract plain($0) "\n"
	commenting = !/\*\//
	if (!commenting && opening) {
		end_group()
		opening = 0
	}
	next
}

{
	begins = declaration == ""
	before = depth
	depth += count("{", $0) - count("}", $0)
	inline = begins ? /^static inline/ : declaration ~ /^static inline/
	if (inline && (before > 0 || /^\{/)) {
		if (depth == 0) {
			declaration = declaration ";"
			end_declaration()
		}
		next
	}
	if (!private || depth == 0)
		declaration = declaration (begins ? "" : "\n") $0
	if (/\/\* private \*\//)
		private = 1
	if (inline || depth > 0 || count("/\\*", declaration) > count("\\*/", declaration))
		next
	if (declaration ~ /^#define/ ? !/\\$/ : declaration ~ /;[ \t]*(\/\*.*)?$/)
		end_declaration()
}

END {
	end_group()
	print "The interface of libcthelper: what its headers declare, and then header by header.\n"
	for (name in declared)
		printf "%-32s %s\n", name, declared[name] | "LC_ALL=C sort"
	close("LC_ALL=C sort")
	printf "%s", page
	exit failed
}
