#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/cli.sh -- the program's command line: dispatch, help, bad input, errors and
# exit codes, dry runs, recordings. Prints TAP. Changes nothing in the kernel: what would is
# refused before it is sent, lacks the right, or is a dry run.

set -u
cd "$(dirname "$0")/../.."
. test/tap
. test/tools/says
BUILD=$(cd "${BUILD:-build}" && pwd)
cth=$BUILD/cth

# Where a user without rights may run it.
cp "$cth" "$work/cth"
nobody=()
if [ "$(id -u)" -eq 0 ]; then
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

applets="helper-add helper-get helper-list helper-set helper-enable helper-disable helper-del
	helper-flush attach detach expect-list expect-get expect-add expect-del expect-flush
	expect-watch queue queue-stats record decode run replay doctor"
links="nfct-helper-add nfct-helper-get nfct-helper-del nfqnl_test"

# ---- dispatch ----

says "cth alone lists the applets and is a usage error" 2 "" '^  cth helper add +[A-Z]' "$cth"
says "cth help lists the applets" 0 '^  cth helper add +[A-Z]' "" "$cth" help
says "cth --help does too" 0 '^  cth attach +[A-Z]' "" "$cth" --help
says "cth --version" 0 '^cth [0-9]+\.[0-9]+\.[0-9]+$' "" "$cth" --version
says "an unknown applet is named" 2 "" "^cth: there is no applet 'nosuch'; .cth help. lists" "$cth" nosuch
says "so is an unknown verb, and its noun's applets are listed" 2 "" "no applet 'helper nosuch'" \
	"$cth" helper nosuch
says "a noun alone lists its applets" 2 "" '^  cth helper flush +Deletes' "$cth" helper
says "help for a noun" 0 '^  cth helper flush +Deletes' "" "$cth" help helper
says "help for what is not there" 2 "" "no applet 'nosuch'" "$cth" help nosuch
says "help for an applet" 0 '^usage: cth helper add \[OPTION\]' "" "$cth" help helper add
says "help for an applet the other way round" 0 '^usage: cth helper add \[OPTION\]' "" "$cth" help add helper

for applet in $applets; do
	words=${applet/-/ }
	# shellcheck disable=SC2086 # words are words
	says "cth $words --help" 0 "^usage: cth $words " "" "$cth" $words --help
	like "cth $words --help has an example" "$(<"$work/out")" "^  (.*)(cth ${words% *}|nft)"
	like "cth $words --help tells the exit codes" "$(<"$work/out")" '^Exit codes: 0 .* 1 .* 2 usage'
	# shellcheck disable=SC2086
	is "cth help $words says the same" "$("$cth" help $words)" "$(<"$work/out")"
	like "cth $words is listed" "$("$cth" help)" "^  cth $words +[A-Z]"
	# shellcheck disable=SC2086
	says "cth $words --nonsense is a usage error" 2 "" \
		"^cth $words: (unrecognized|unknown|invalid) option" "$cth" $words --nonsense
	like "cth $words --nonsense shows the usage" "$(<"$work/err")" "^usage: cth $words "
done

for link in $links; do
	says "$link --help" 0 "^usage: $link " "" "$BUILD/$link" --help
	like "$link --help has an example" "$(<"$work/out")" "^  $link"
	says "$link --nonsense is a usage error" 2 "" "^$link: .*nonsense" "$BUILD/$link" --nonsense
	says "cth $link does without the link" 0 "^usage: cth $link " "" "$cth" "$link" --help
	like "$link is listed" "$("$cth" help)" "^  $link +[A-Z]"
done

for words in "add helper" "get helper" "list helper" "set helper" "enable helper" "disable helper" \
	"del helper" "delete helper" "flush helper" "helper delete" "helper update"; do
	# shellcheck disable=SC2086
	says "cth $words: nfct's order and words" 0 "^usage: cth helper (add|get|list|set|enable|disable|del|flush) " \
		"" "$cth" $words --help
done

for words in "list expect" "get expect" "add expect" "delete expect" "flush expect" "watch expect" \
	"expect delete" "expect show"; do
	# shellcheck disable=SC2086
	says "cth $words: the other order and words" 0 "^usage: cth expect (list|get|add|del|flush|watch) " \
		"" "$cth" $words --help
done

# ---- bad input: cause, remedy, exit 2, nothing sent ----

bad() { # NAME ERR ARGS...
	local name=$1 err=$2
	shift 2
	says "$name" 2 "" "$err" "$cth" "$@"
}

bad "add without a name" "the helper's name is missing" helper add
bad "an empty name" "the name is empty" helper add ""
bad "a name of 16 characters" "'abcdefghijklmnop' has 16 characters, the kernel takes 15 at most" \
	helper add abcdefghijklmnop
bad "the same in the two-argument form" "has 16 characters" nfct-helper-add abcdefghijklmnop 0
bad "the same where it is looked for" "has 16 characters" helper get abcdefghijklmnop
bad "the same where it is deleted" "has 16 characters" helper del abcdefghijklmnop inet tcp
bad "the same where it is attached" "has 16 characters" attach abcdefghijklmnop
bad "queue 65536" "queue '65536': it is a number from 0 to 65535" helper add test 65536
bad "queue 65536 by option" "queue '65536'" helper add test -q 65536
bad "queue -1" "(queue '-1'|invalid option|unrecognized option)" helper add test -q -1
bad "a queue that is no number" "'1x' is neither a queue, 0 to 65535, nor inet or inet6" helper add test 1x
bad "two queues" "queue 1 or queue 2" helper add test 2 -q 1
bad "l3 without l4" "'inet' without a transport protocol: say test inet tcp" add helper test inet
bad "an unknown l3" "unknown network protocol 'ipx': it is inet or inet6" helper add test ipx tcp
bad "an unknown l3 by option" "unknown network protocol 'ipx'" helper add test -3 ipx
bad "an unknown l4" "unknown transport protocol 'foo': it is tcp, udp" helper add test inet foo
bad "l4 256" "unknown transport protocol '256'" helper add test inet 256
bad "l4 0" "transport protocol" helper add test inet 0
bad "l3 told twice" "the network protocol is told twice" helper add test inet tcp -3 inet6
bad "a queue and a word more" "QUEUE and L3 L4 exclude each other as words: say test inet tcp -q 0" \
	nfct-helper-add test 0 extra
bad "a queue before the protocols" "exclude each other .*-q 0" helper add test 0 inet6 tcp
bad "a queue behind the protocols" "exclude each other .*-q 7" helper add test inet6 tcp 7
bad "too many words" "'more' is too much" helper add test inet tcp more
bad "five classes" "class 'e:1:1' is one too many: the kernel takes 4 at most" \
	helper add test -c a:1:1 -c b:1:1 -c c:1:1 -c d:1:1 -c e:1:1
bad "a maximum of 256" "class 'a:256:1': the maximum is a number from 0 to 255" helper add test -c a:256:1
bad "a maximum that is no number" "the maximum is a number" helper add test -c a:x:1
bad "a timeout of 0" "the timeout is a number of seconds from 1 to 4294967295" helper add test -c a:1:0
bad "a timeout beyond 32 bits" "class .a:1:4294967296.: the timeout is a number of seconds from 1 to 4294967295" \
	helper add test -c a:1:4294967296
bad "half a class" "class 'a:1': it is NAME:MAX:TIMEOUT" helper add test -c a:1
bad "a class without a name" "the name of a class is empty" helper add test -c :1:1
bad "a class's name of 16 characters" "name of a class 'abcdefghijklmnop' has 16" \
	helper add test -c abcdefghijklmnop:1:1
bad "a class twice" "class 'a' is there twice" helper add test -c a:1:1 -c a:2:2
bad "33 bytes of state" "private length '33': it is a number of bytes from 0 to 32" helper add test -p 33
bad "del without a name" "which helper\? A name, or --all" helper del
bad "nfct-helper-del without a name" "which helper\? A name, or --all" nfct-helper-del
bad "del --all and a name" "--all or 'test'\?" helper del --all test
bad "flush with a name" "this deletes all helpers; for 'test' alone: cth helper del" helper flush test
bad "enable without a name" "which helper\? A name, or --all" helper enable
bad "set without a change" "nothing to change: say -q, -c or -e" helper set test
bad "an option of another applet" "-p is not an option of this applet" helper set test -p 3
bad "an option without its argument" "option (requires an argument|'q')" helper add test -q
bad "attach without a name" "the helper's name is missing" attach
bad "port 0" "port '0': it is a number from 1 to 65535" attach test -p 0
bad "port 65536" "port '65536'" attach test -p 21,65536
bad "a port that is no number" "port 'ftp'" attach test -p ftp
bad "an empty port" "port ''" attach test -p 21,
bad "a port range upside down" "ports '30-20': the range is upside down" attach test -p 30-20
bad "ports of a protocol without ports" "'icmp' has no ports" attach test inet icmp -p 3
bad "a priority before conntrack" "priority '-200': it is a number from -199 to -101" \
	attach test --priority=-200
bad "a priority behind destination NAT" "priority '-100'" attach test --priority=-100
bad "a positive priority" "priority '150'" attach test --priority 150
bad "a name that no table can have" "a table can be named for a helper only if" attach 'a{b'
bad "detach without a name" "the helper's name is missing" detach
bad "detach with a family" "'inet' is too much" detach test inet
bad "detach's waiting time" "'x' seconds" detach test -w x
good="tcp src=10.0.0.1 dst=10.0.0.2 dport=5" flow="master tcp src=10.0.0.1 dst=10.0.0.2 sport=6 dport=7"
# shellcheck disable=SC2086 # words are words
{
	bad "expect without words" "which expectation\? Such as: tcp src=" expect add
	bad "expect del without words" "which expectation" expect del
	bad "expect without a master" "whose\? Say master and the tuple" expect add $good
	bad "expect without a protocol" "no transport protocol" expect add dst=10.0.0.2 dport=5 $flow
	bad "expect without a destination" "no destination address" expect add tcp src=10.0.0.1 dport=5 $flow
	bad "expect without an address" "no source address" expect add tcp dport=5 $flow
	bad "expect without ports" "has two ports" expect add tcp dst=10.0.0.2 $flow
	bad "expect of ICMP with ports" "type, code and id" expect add icmp dst=10.0.0.2 dport=5 $flow
	bad "expect of two families" "of its source's family" expect add tcp src=::1 dst=10.0.0.2 dport=5 $flow
	bad "a master of another family" "two families" expect add $good master tcp src=::1 dst=::2 sport=6 dport=7
	bad "a master's missing port" "has two ports" expect add $good master tcp src=10.0.0.1 dst=10.0.0.2
	bad "a mask of another family" "of the tuple's family" expect add $good mask src=ffff:: $flow
	bad "NAT of another family" "NAT's address" expect add $good $flow nat dir=reply src=::1
	bad "a name for an address" "address 'localhost': it is one of IPv4 or of IPv6, no name" \
		expect add tcp src=localhost $flow
	bad "a port of 65536" "port '65536': it is a number from 0 to 65535" expect add tcp dport=65536
	bad "an unknown word" "'colour=red': there is no such word" expect add $good colour=red $flow
	bad "a word without a value" "'nonsense' is neither a transport protocol" expect add $good nonsense
	bad "a protocol in the mask" "'udp' is neither" expect add $good mask udp
	bad "a destination in the mask" "'dst=10.0.0.2' means nothing in this part" expect add $good mask dst=10.0.0.2
	bad "two masters" "'master' is there twice" expect add $good $flow $flow
	bad "a direction that there is not" "direction 'up'" expect add $good $flow nat dir=up
	bad "a direction outside of nat" "'dir=reply' means nothing" expect add $good dir=reply $flow
	bad "a flag that there is not" "flag 'nosuch': there are permanent and inactive" expect add $good $flow flags=inactive,nosuch
	bad "a class that is no number" "class 'x'" expect add $good $flow class=x
	bad "zone 65536" "zone '65536'" expect add $good $flow zone=65536
	bad "an id is the kernel's" "id=5: the kernel makes the id" expect add $good $flow id=5
	bad "a timeout is the class's" "timeout=5: that of the class counts" expect add $good $flow timeout=5
	bad "a master's helper is not made" "say helper=ftp" expect add $good $flow master-helper=ftp
	bad "a helper's name of 16 characters" "'abcdefghijklmnop' has 16 characters" \
		expect add $good $flow helper=abcdefghijklmnop
	bad "an empty function" "the function's name '' has 0" expect add $good $flow fn=
	bad "del needs the whole tuple" "has two ports" expect del tcp src=10.0.0.1 dst=10.0.0.2
	bad "list takes no words" "'tcp' is too much" expect list tcp
	bad "flush takes no words" "'ftp' is too much" expect flush ftp
	bad "watch takes no words" "'tcp' is too much" expect watch tcp
	bad "watch -n 0" "-n 0: not a number of events" expect watch -n 0
	bad "list of an unknown family" "unknown network protocol 'ipx'" expect list -3 ipx
	bad "list of a helper with a long name" "a helper's name has 1 to 15 characters" expect list -H abcdefghijklmnop
	bad "an option of another applet of expect" "-n is not an option of this applet" expect list -n 3
}
bad "record without a file" "the file's name is missing" record
bad "record without an applet" "what is to be recorded\?" record "$work/no.pcap"
bad "record with an unknown applet" "no applet 'nosuch'" record "$work/no.pcap" nosuch
says "of all that nothing was recorded" 2 "" . ls "$work/no.pcap"

# ---- dry runs: decoded on stdout, nothing sent ----

says "dry run of the first step" 0 'NFCTH_NAME "test"' '^nfct-helper-add: dry run: nothing was changed$' \
	"$BUILD/nfct-helper-add" test 7 --dry-run
out=$(<"$work/out")
like "it is one NEW that does not overwrite" "$out" 'CTHELPER_NEW .*EXCL'
like "on the queue that was given" "$out" 'NFCTH_QUEUE_NUM 7$'
like "for IPv4" "$out" 'L3PROTONUM 2'
like "and TCP" "$out" 'L4PROTONUM 6'
like "without private data" "$out" 'NFCTH_PRIV_DATA_LEN 0$'
like "disabled" "$out" 'NFCTH_STATUS 0'
like "with one class of the helper's name" "$out" 'NFCTH_POLICY_NAME "test"'
like "that allows 100" "$out" 'NFCTH_POLICY_EXPECT_MAX 100$'
like "for 100 seconds" "$out" 'NFCTH_POLICY_EXPECT_TIMEOUT 100$'
unlike "and does not claim that it was done" "$out" 'added'

says "dry run with every option" 0 'NFCTH_NAME "abcdefghijklmno"' 'dry run' "$cth" add helper \
	abcdefghijklmno ipv6 udp --queue 65535 --priv-len 32 --class a:0:1 -c b:255:4294967295 \
	--class=c:d:3:4 -c ddddddddddddddd:1:1 --enabled --dry-run
out=$(<"$work/out")
like "l3" "$out" 'L3PROTONUM 10'
like "l4" "$out" 'L4PROTONUM 17'
like "queue" "$out" 'NFCTH_QUEUE_NUM 65535$'
like "private length" "$out" 'NFCTH_PRIV_DATA_LEN 32$'
like "status" "$out" 'NFCTH_STATUS 1'
like "number of classes" "$out" 'NFCTH_POLICY_SET_NUM 4$'
like "largest maximum and timeout" "$(tr '\n' ' ' <<<"$out")" \
	'"b" +NFCTH_POLICY_EXPECT_MAX 255 +NFCTH_POLICY_EXPECT_TIMEOUT 4294967295 '
like "a class's name may hold a colon" "$(tr '\n' ' ' <<<"$out")" \
	'"c:d" +NFCTH_POLICY_EXPECT_MAX 3 +NFCTH_POLICY_EXPECT_TIMEOUT 4 '
says "dry run as JSON" 0 '^\{"message":"[A-Z_]*CTHELPER_NEW"' 'dry run' "$cth" helper add test --dry-run -j
is "and nothing but that" "$(wc -l <"$work/out")" 1

says "dry run of attach" 0 'NFTA_TABLE_NAME "cth-test"' '^cth attach: dry run: nothing was changed$' \
	"$cth" attach test inet tcp -p 21,8000-8010 --dry-run
out=$(<"$work/out")
like "it begins a batch" "$(head -n 1 "$work/out")" 'BATCH_BEGIN'
is "one: what would be tried first is not shown" "$(grep -c BATCH_BEGIN "$work/out")" 1
like "and ends it" "$out" 'BATCH_END'
is "two rules for each chain" "$(grep -c 'NFT_MSG_NEWRULE' "$work/out")" 4
like "at the priority between conntrack and NAT" "$out" 'NFTA_HOOK_PRIORITY -150$'
unlike "IPv6 was not asked for" "$out" 'family 10'
says "another priority" 0 'NFTA_HOOK_PRIORITY -110$' . \
	"$cth" attach test inet6 udp --priority=-110 --dry-run
unlike "IPv4 was not asked for" "$(<"$work/out")" 'family 2 '

# Two batches, one for each family, and each first empties the chains.
"$cth" detach test --dry-run >"$work/out" 2>"$work/err"
is "dry run of detach: exit code" $? 0
like "dry run of detach" "$(<"$work/out")" 'NFT_MSG_DELTABLE'
like "nothing was changed by it" "$(<"$work/err")" 'dry run: nothing was changed'

says "dry run of expect add" 0 'IPCTNL_MSG_EXP_NEW .*EXCL' '^cth expect add: dry run: nothing was changed$' \
	"$cth" expect add --dry-run tcp src=10.0.1.2 dst=10.0.2.2 dport=40000 class=2 flags=inactive,permanent zone=9 \
	fn=nat-follow-master helper=kid master tcp src=10.0.1.2 dst=10.0.2.2 sport=57086 dport=21 \
	nat dir=reply src=10.9.9.9 sport=20
out=$(tr -s ' \n' ' ' <"$work/out")
like "the tuple" "$out" 'EXPECT_TUPLE CTA_TUPLE_IP CTA_IP_V4_SRC 10.0.1.2 CTA_IP_V4_DST 10.0.2.2 CTA_TUPLE_PROTO CTA_PROTO_NUM 6 .* CTA_PROTO_SRC_PORT 0 CTA_PROTO_DST_PORT 40000 '
like "without a mask: all of the source's address, nothing of its port" "$out" \
	'EXPECT_MASK CTA_TUPLE_IP CTA_IP_V4_SRC 255.255.255.255 CTA_IP_V4_DST 255.255.255.255 CTA_TUPLE_PROTO CTA_PROTO_NUM 6 .tcp. CTA_PROTO_SRC_PORT 0 '
like "the master" "$out" 'EXPECT_MASTER .*CTA_PROTO_SRC_PORT 57086 CTA_PROTO_DST_PORT 21 '
like "NAT" "$out" 'EXPECT_NAT CTA_EXPECT_NAT_DIR 1 .REPLY. CTA_EXPECT_NAT_TUPLE .*10.9.9.9 .*CTA_PROTO_SRC_PORT 20 '
like "flags" "$out" 'EXPECT_FLAGS 0x3 '
like "class" "$out" 'EXPECT_CLASS 2 '
like "the child's helper" "$out" 'EXPECT_HELP_NAME "kid"'
like "what is done to it" "$out" 'EXPECT_FN "nat-follow-master"'
like "zone" "$out" 'EXPECT_ZONE 9'
says "dry run, IPv6, any source, one source port" 0 'CTA_IP_V6_SRC ::' . "$cth" expect add --dry-run \
	"udp dst=fd01::2 sport=69 dport=5 master udp src=fd01::2 dst=fd02::2 sport=7 dport=69"
like "no bit of the source counts, all of its port" "$(tr -s ' \n' ' ' <"$work/out")" \
	'EXPECT_MASK CTA_TUPLE_IP CTA_IP_V6_SRC :: CTA_IP_V6_DST ffff:.* CTA_PROTO_SRC_PORT 65535 '
says "dry run, ICMP" 0 'CTA_PROTO_ICMP_ID 77' . "$cth" expect add --dry-run icmp src=10.0.1.2 dst=10.0.2.2 \
	icmp-type=8 icmp-code=0 icmp-id=77 master icmp src=10.0.1.2 dst=10.0.2.2 icmp-type=8 icmp-code=0 icmp-id=76
says "dry run of expect flush" 0 'IPCTNL_MSG_EXP_DELETE' 'dry run: nothing was changed' \
	unshare -n "$cth" expect flush --dry-run
says "of one helper's" 0 'EXPECT_HELP_NAME "ftp"' 'dry run: nothing was changed' \
	unshare -n "$cth" expect flush --helper ftp --dry-run

# ---- nft's language ----

says "attach --print needs no kernel and no right" 0 '^table ip cth-test \{$' "" \
	"${nobody[@]}" "$work/cth" attach test inet tcp -p 21,8000-8010 --print
like "with all its ports" "$(<"$work/out")" 'tcp dport \{ 21, 8000-8010 \} ct helper set "test-tcp"'
says "attach --print without ports" 0 'meta l4proto udp ct helper set "test-udp"' "" \
	"$cth" attach test inet6 udp --print
says "attach --print of what nft's language lacks" 2 "" 'has helpers of tcp and udp only' \
	"$cth" attach test inet sctp --print

# ---- the kernel's refusals ----

says "without the right: helper list" 4 "" \
	'^cth helper list: look up the helpers: EPERM: this needs CAP_NET_ADMIN.*; run it' \
	"${nobody[@]}" "$work/cth" helper list
says "without the right: helper add" 4 "" '^cth helper add: register test \(inet tcp\): EPERM: this needs' \
	"${nobody[@]}" "$work/cth" helper add test 0
says "without the right: helper del" 4 "" 'EPERM: this needs CAP_NET_ADMIN' \
	"${nobody[@]}" "$work/cth" helper del test inet tcp
says "without the right: helper del --all" 4 "" 'EPERM: this needs CAP_NET_ADMIN' \
	"${nobody[@]}" "$work/cth" helper del --all
says "without the right: helper enable" 4 "" 'EPERM' "${nobody[@]}" "$work/cth" helper enable test
says "without the right: helper set" 4 "" 'EPERM' "${nobody[@]}" "$work/cth" helper set test -q 1
for words in list flush watch "get $good sport=1" "del $good sport=1" "add $good $flow"; do
	# shellcheck disable=SC2086
	says "without the right: expect ${words%% *}" 4 "" \
		'^cth expect [a-z]*: .*: EPERM: this needs CAP_NET_ADMIN; run it as root' \
		"${nobody[@]}" "$work/cth" expect $words
done
says "without the right: helper flush" 4 "" 'EPERM' "${nobody[@]}" "$work/cth" helper flush
says "without the right: attach" 4 "" 'EPERM' "${nobody[@]}" "$work/cth" attach test
says "without the right: detach" 4 "" '^cth detach: detach test: EPERM: this needs CAP_NET_ADMIN; run it' \
	"${nobody[@]}" "$work/cth" detach test
# What the running kernel says to this user depends on both; each has its answer.
"$cth" helper list >"$work/out" 2>"$work/err"
case $? in
0)
	says "this kernel has helpers: those without a name are none" 1 "" \
		'ENOENT: no such helper is registered; .cth helper list. shows those that are' \
		"$cth" helper get no-such-helper
	;;
3)
	absent='EPROTONOSUPPORT: this kernel has no user-space helpers: nfnetlink_cthelper .*CONFIG_NF_CT_NETLINK_HELPER.*; modprobe nfnetlink_cthelper; .*linux-image-.*kmod-nfnetlink-cthelper'
	says "this kernel has no helpers: list" 3 "" "$absent" "$cth" helper list
	says "this kernel has no helpers: get" 3 "" "$absent" "$BUILD/nfct-helper-get"
	says "this kernel has no helpers: add" 3 "" "$absent" "$BUILD/nfct-helper-add" test 0
	says "this kernel has no helpers: del" 3 "" "$absent" "$BUILD/nfct-helper-del" test
	says "this kernel has no helpers: del by its key" 3 "" "$absent" "$cth" helper del test inet tcp
	says "this kernel has no helpers: flush" 3 "" "$absent" "$cth" helper flush
	says "this kernel has no helpers: enable" 3 "" "$absent" "$cth" helper enable test
	says "this kernel has no helpers: set" 3 "" "$absent" "$cth" helper set test -q 1
	says "this kernel has no helpers: attach" 3 "" "$absent" "$cth" attach test
	says "this kernel has no helpers: attach by the key" 3 "" "$absent" "$cth" attach test inet tcp
	;;
*)
	like "this user may not see the helpers" "$(<"$work/err")" 'EPERM: .*CAP_NET_ADMIN'
	;;
esac

# ---- expectations, for which a kernel needs no helpers ----

if unshare -n "$cth" expect list >"$work/out" 2>"$work/err" || [ $? -ne 3 ]; then
	says "no expectation is a note, and no output" 0 "" \
		'^cth expect list: there is no expectation in this network namespace$' unshare -n "$cth" expect list
	says "as JSON an empty list" 0 '^\{"expectations":\[\]\}$' "" unshare -n "$cth" expect list -j
	says "flush tells that there was none" 0 '^0 expectations deleted$' "" unshare -n "$cth" expect flush
	# shellcheck disable=SC2086
	says "get of what is not there" 1 "" 'look up tcp src=10.0.0.1 .*: ENOENT: there is none with this tuple' \
		unshare -n "$cth" expect get $good sport=1
	# shellcheck disable=SC2086
	says "del of what is not there" 1 "" 'delete tcp src=10.0.0.1 .*: ENOENT: there is none with this tuple' \
		unshare -n "$cth" expect del $good sport=1
	# shellcheck disable=SC2086
	says "add for a flow that is not there" 1 "" \
		'^cth expect add: expect tcp .*: ENOENT: no flow is confirmed that has the tuple tcp src=10.0.0.1 dst=10.0.0.2 sport=6 dport=7 in either direction' \
		unshare -n "$cth" expect add $good $flow
	timeout -s INT 2 unshare -n "$cth" expect watch >"$work/out" 2>"$work/err"
	is "watch waits, and says so" "$(<"$work/err")" "cth expect watch: watching; Ctrl-C ends it"
	unshare -n timeout -s INT --preserve-status 2 "$cth" expect watch >"$work/out" 2>&1
	is "and a signal is a good end" $? 0
else
	says "this kernel has no conntrack by netlink" 3 "" 'EPROTONOSUPPORT: .*nf_conntrack_netlink' "$cth" expect list
fi

# ---- recordings ----

"$cth" record "$work/list.pcap" helper list >/dev/null 2>"$work/err"
recorded=$?
"$cth" helper list >/dev/null 2>"$work/err2"
is "record passes the exit code on" $? "$recorded"
is "and what the applet says" "$(<"$work/err")" "$(<"$work/err2")"
says "the recording can be decoded: the question" 0 '^> .*CTHELPER_GET .*DUMP' "" "$cth" decode "$work/list.pcap"
like "and the answer" "$(<"$work/out")" '^< '
"$cth" helper list --record "$work/list2.pcap" >/dev/null 2>&1
is "--record is the same" "$(wc -c <"$work/list2.pcap")" "$(wc -c <"$work/list.pcap")"
"$cth" helper list --record="$work/list3.pcap" --json >/dev/null 2>&1
says "it stands anywhere among the options" 0 'CTHELPER_GET' "" "$cth" decode "$work/list3.pcap"
says "a recording that cannot be made: said before anything is sent" 1 "" \
	'^cth helper add: create the recording /[^ ]*/no/x: ENOENT: .*; its folder is not there: make it first' \
	"$cth" record "$work/no/x" helper add test 0
says "a recording on a full disk" 1 "" 'write the recording /dev/full: ENOSPC: .*; make room' \
	"$cth" record /dev/full helper list
is "is said once" "$(wc -l <"$work/err")" 1
says "a recording that is a folder" 1 "" 'create the recording /[^ ]*: EISDIR: .*; name a file' \
	"$cth" helper list --record "$work"
for file in "$work/no/x" /dev/full; do
	says "nfqnl_test with the recording $file has not said that it binds" 1 "" 'the recording' \
		"$BUILD/nfqnl_test" --record "$file"
done
printf '\xa1\xb2\x3c\x4d\0\2' >"$work/cut.pcap"
says "a recording cut within its header" 1 "" \
	'EBADMSG: the recording is cut short: its header has 24 bytes, and here are 6' \
	"$cth" decode "$work/cut.pcap"
printf '\xa1\xb2\x3c' >"$work/cut.pcap"
says "too short to be known for one" 1 "" 'this is not a pcap file' "$cth" replay "$work/cut.pcap"
says "a dry run records nothing that was not sent" 0 . 'dry run' \
	"$cth" helper add test --dry-run --record "$work/dry.pcap"
is "but the file is a good one" "$(wc -c <"$work/dry.pcap")" 24

# ---- the streams ----

"$cth" help >/dev/full 2>"$work/err"
is "a full standard output is a failure" $? 1
like "and is said" "$(<"$work/err")" 'write to standard output: ENOSPC'

echo "1..$tap_n"
