#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/doctor.sh -- cth doctor in a network namespace of its own: what it says of a
# sound system, of rules, owners and losses, of missing rights. Prints TAP. What it says
# of helpers is in test/tools/helpers.
#
# Needs root, unshare, ip, iptables and nft. Exit: 77 the means are missing.

set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd)
export BUILD

if [ "${1-}" != --inside ]; then
	for need in unshare ip iptables nft setpriv; do
		command -v "$need" >/dev/null || { echo "test/tools/doctor.sh: no $need" >&2; exit 77; }
	done
	[ "$(id -u)" -eq 0 ] || { echo "test/tools/doctor.sh: needs root" >&2; exit 77; }
	exec timeout 300 unshare -n "$0" --inside
fi

. test/tap
. test/tools/says
. test/tools/listen
cth=$BUILD/cth
ip link set lo up

# What it says, and how it ends, into out and code.
look() {
	"$cth" doctor "$@" >"$work/said" 2>"$work/complaints"
	code=$?
	out=$(<"$work/said")
}

# Has this kernel what some of the cases need?
helpers=no glue=no
"$cth" helper list >/dev/null 2>&1 && helpers=yes
"$cth" queue -q 65000 -t 1 --quiet --verbose 2>&1 | grep -q ' conntrack' &&
	! "$cth" queue -q 65000 -t 1 --quiet --verbose 2>&1 | grep -q 'no conntrack' && glue=yes

says "queue 65536" 2 "" "65536: not a queue number" "$cth" doctor -q 65536
says "a name of 16 characters" 2 "" "15 characters at most" "$cth" doctor abcdefghijklmnop
says "two names" 2 "" "unexpected word: b" "$cth" doctor a b

# ---- nothing wrong ----

look
is "the checks come in their order" "$(sed -n 's/^[a-zA-Z-]\{2,4\} \+//p' <<<"$out" | sed 's/:.*//; s/ (.*//; s/^queue flag .*/queue flag/' |
	grep -v '^helpers$\|iptables-legacy' | uniq)" \
	"netlink socket
capability
packet queues
connection tracking
expectations
rules
queue flag
connections of queued packets
user-space helpers
the kernel's own helpers
queues
rules that attach a helper
other queue rules
NAT
table of expectations
priorities of rules that attach a helper"
is "every line is of one of four kinds, or indented below one" \
	"$(grep -vE '^(ok    |--    |warn  |FAIL  |      )[^ ]' <<<"$out")" ""
is "it says nothing on stderr" "$(<"$work/complaints")" ""
is "it leaves no queue behind" "$(<"$queues")" ""
for part in 'packet queues' 'connection tracking' 'expectations' 'rules' 'queue flag fail-open' 'queue flag GSO' \
	'capability: CAP_NET_ADMIN' 'other queue rules: none'; do
	like "$part" "$out" "^ok    $part"
done
if [ $helpers = yes ]; then
	is "all is well: exit code" $code 0
	like "helpers" "$out" '^ok    user-space helpers .*: [0-9]+ registered'
else
	is "no helpers in this kernel: exit code" $code 3
	like "no helpers: the symbol" "$(grep -A 2 '^FAIL  user-space helpers' <<<"$out")" CONFIG_NF_CT_NETLINK_HELPER
	like "no helpers: the package" "$(grep -A 2 '^FAIL  user-space helpers' <<<"$out")" 'Debian: .*OpenWrt: kmod-nfnetlink-cthelper'
fi
if [ $glue = yes ]; then
	like "connections of queued packets" "$out" '^ok    connections of queued packets'
else
	like "no connections: the symbol" "$(grep -A 2 '^FAIL  connections of queued' <<<"$out")" \
		CONFIG_NETFILTER_NETLINK_GLUE_CT
fi
json=$("$cth" doctor -j)
is "JSON is one line" "$(wc -l <<<"$json")" 1
like "JSON names the checks" "$json" '^\{"checks":\[\{"check":"netlink socket","state":"ok"'
like "JSON has the exit code" "$json" "\],\"exit\":$code\}\$"

# ---- who owns a queue ----

listen 3 "$cth" queue -q 3 --quiet -d 500 --queue-len 1 --no-fail-open
pid=$listener
look -q 3
like "the owner's pid and command" "$out" "^ok    queue 3: pid $pid \(cth\); 0 waiting"
look -q 4
like "a queue that nobody has bound" "$out" '^--    queue 4: nobody'
look
like "without -q, every queue" "$out" "^ok    queue 3: pid $pid"
iptables -A OUTPUT -p udp --dport 1003 -j NFQUEUE --queue-num 3
for _ in 1 2 3 4 5; do
	echo hello >/dev/udp/127.0.0.1/1003
done
look -q 3
like "its losses" "$out" "^warn  queue 3: pid $pid \(cth\); dropped: [1-4] as it was full, 0 as"
kill "$pid"
left "the owner was not disturbed"
iptables -F OUTPUT

# ---- rules that queue ----

iptables -A OUTPUT -p udp --dport 1 -j NFQUEUE --queue-balance 3:6 --queue-bypass
iptables -N deep
iptables -N deeper
iptables -A FORWARD -j deep
iptables -A deep -p udp -j deeper
iptables -A deeper -p udp --dport 2 -j NFQUEUE --queue-num 9
iptables -N nowhere
iptables -A nowhere -p udp --dport 3 -j NFQUEUE
ip6tables -t mangle -A PREROUTING -p udp -j NFQUEUE --queue-num 65534
look
like "a range of queues, with bypass" "$out" \
	'rule ip filter OUTPUT handle [0-9]+ \(output, priority 0\): sends packets to queues 3 to 6, with bypass'
like "a rule behind two jumps" "$out" 'rule ip filter deeper handle [0-9]+ \(forward, priority 0\): sends packets to queue 9$'
like "a rule that no hook leads to" "$out" 'rule ip filter nowhere handle [0-9]+: sends packets to queue 0$'
like "a rule of IPv6" "$out" 'rule ip6 mangle PREROUTING handle [0-9]+ \(prerouting, priority -150\): sends packets to queue 65534$'
unlike "no rules is not what it says" "$out" 'other queue rules: none'
unlike "without helpers this is no warning" "$out" '^(warn|FAIL) .*sends packets'
look anyname
like "with a helper in mind it is" "$out" '^warn  rule ip filter OUTPUT .*confirmed there, too early'
like "and what to do is told" "$(grep -A 1 '^warn  rule ip filter OUTPUT' <<<"$out")" 'match ct helper'
iptables -F
iptables -X
ip6tables -t mangle -F

# ---- rules that attach ----

# On a kernel that has its own helper for FTP that one will do; else one of user space.
name=ftp
if [ $helpers = yes ]; then
	name=cthtest
	"$cth" helper add $name inet tcp -q 33 >/dev/null
fi
nft -f - <<END
table inet early {
	ct helper first {
		type "$name" protocol tcp
		l3proto ip
	}
	chain before {
		type filter hook prerouting priority -200
		tcp dport 21 ct helper set "first"
	}
	chain behind {
		type filter hook prerouting priority -199
		tcp dport 21 ct helper set "first"
	}
	chain confirmed {
		type filter hook input priority 2147483647
		tcp dport 21 ct helper set "first"
	}
	chain unhooked {
		tcp dport 21 ct helper set "first"
	}
	ct helper second {
		type "$name" protocol tcp
		l3proto ip
	}
	map counting {
		type inet_service : counter
	}
	chain mapped {
		type filter hook output priority -150
		ct helper set tcp dport map { 21 : "first", 2121 : "first", 2122 : "second" }
		ct helper set tcp dport map { 23 : "second" }
		counter name tcp dport map @counting
	}
	chain mapped_early {
		type filter hook output priority -200
		ct helper set tcp dport map { 23 : "second" }
	}
}
END
iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper $name
iptables -t raw -A PREROUTING -p udp -j CT --notrack
iptables -t raw -A PREROUTING -p icmp -j CT --zone 3
look
like "a rule before conntrack never attaches" "$out" \
	"^FAIL  rule inet early before .*prerouting, priority -200\): attaches $name where it never does: before conntrack"
like "nor does one behind the end" "$out" "^FAIL  rule inet early confirmed .*: attaches $name where it never does: confirmed"
like "the remedy is told" "$(grep -A 1 '^FAIL  rule inet early before' <<<"$out")" 'from -199 to -101'
unlike "one between them does" "$out" '^FAIL  rule inet early behind'
unlike "nothing is claimed of a chain without hook" "$out" '^FAIL  rule inet early unhooked'
unlike "nor of iptables' raw table" "$out" '^FAIL  rule ip raw'
like "iptables' target is found" "$out" "rule ip raw PREROUTING handle [0-9]+ \(prerouting, priority -300\): attaches $name"
is "and one that attaches nothing is not" "$(grep -c 'rule ip raw PREROUTING' <<<"$out")" 1
is "a map's rule is there for each of its objects, and for no other" \
	"$(grep -c "rule inet early mapped handle [0-9]* (output, priority -150): by a map attaches $name" <<<"$out")" 3
is "a map to something else is none" "$(grep -c 'rule inet early mapped ' <<<"$out")" 3
like "a map before conntrack never attaches" "$out" \
	"^FAIL  rule inet early mapped_early .*: by a map attaches $name where it never does: before conntrack"
ok "it fails" [ $code -ne 0 ]
look othername
unlike "rules of other helpers are not shown for one" "$out" "attaches $name"
like "that none attaches it is" "$out" '^warn  rules that attach a helper: none'
nft delete table inet early
iptables -t raw -F
[ $helpers = no ] || "$cth" helper del $name >/dev/null

# ---- the kernel's own helpers ----

if [ -d /sys/module/nf_conntrack_tftp ]; then
	look tftp
	like "the kernel's own helper is in the way" "$out" "^FAIL  the kernel's own helpers: nf_conntrack_tftp .*EBUSY"
	ok "and that is a failure" [ $code -ne 0 ]
	look tftpx
	like "of another name it is not" "$out" "^ok    the kernel's own helpers"
fi

# ---- expectations ----

if [ -d /sys/module/nf_conntrack_ftp ]; then
	expect_one
	look
	like "expectations are counted" "$out" '^ok    table of expectations: 1 of [0-9]+$'
	expect_none
fi

# ---- rights ----

cp "$cth" "$work/cth"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
says "without any right" 4 '^FAIL  capability: .*CAP_NET_ADMIN' "" "${nobody[@]}" "$work/cth" doctor
like "what could not be looked at is not judged" "$(<"$work/out")" '^--    packet queues .*: not looked at: no permission'
unlike "in particular not as well" "$(<"$work/out")" '^ok    (other queue rules|packet queues|queue )'
is "there is one failure" "$(grep -c ^FAIL "$work/out")" 1
if unshare -Urn true 2>/dev/null; then
	unshare -Urn "$cth" doctor >"$work/out" 2>&1
	code=$?
	like "root of a user namespace: queues work" "$(<"$work/out")" '^ok    packet queues'
	like "root of a user namespace: helpers do not" "$(<"$work/out")" '^warn  capability: .*not the first one'
	if [ $helpers = yes ]; then
		is "which is a matter of permission" $code 4
	fi
fi

tap_end
