#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/queue.sh -- cth queue, nfqnl_test and cth queue stats: options, a made-up
# /proc, and packets over loopback in a network namespace of its own. Prints TAP.
# What they do with helpers is in test/tools/helpers.
#
# Needs root, unshare, ip, iptables and nc. Exit: 77 the means are missing.

set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd)
export BUILD

if [ "${1-}" != --inside ]; then
	for need in unshare ip iptables nc setpriv; do
		command -v "$need" >/dev/null || { echo "test/tools/queue.sh: no $need" >&2; exit 77; }
	done
	[ "$(id -u)" -eq 0 ] || { echo "test/tools/queue.sh: needs root" >&2; exit 77; }
	exec timeout 300 unshare -n "$0" --inside
fi

. test/tap
. test/tools/says
. test/tools/listen
cth=$BUILD/cth

# ---- bad options ----

bad() { # NAME ERR ARGS...
	local name=$1 err=$2
	shift 2
	says "$name" 2 "" "$err" "$cth" queue "$@"
}

bad "queue 65536" "queue 65536: it is a number from 0 to 65535, or two, as in 3:5" -q 65536
bad "queue -1" "queue -1: " -q -1
bad "a range upside down" "queue 5:3: " -q 5:3
bad "257 queues" "queues 0 to 256: 256 at most" -q 0:256
for option in "-n 1" "-t 1" --dry-run "--record /dev/null"; do
	# shellcheck disable=SC2086 # words
	bad "17 queues in one process ($option)" "queues 0 to 16: .* 16 with " -q 0:16 $option
done
bad "verdict 2, which is stolen" "verdict 2: " -v 2
bad "an unknown verdict" "verdict reject: " -v reject
bad "-v queue without -Q" "-v queue needs -Q" -v queue
bad "-Q with another verdict" "-Q goes with -v queue only" -v drop -Q 4
bad "-Q to itself" "go round for ever" -q 3:5 -Q 4
bad "repeat without a mark" "-v repeat needs --mark" -v repeat
bad "a mark beyond 32 bits" "mark 0x100000000: it is VALUE or VALUE/MASK" --mark 0x100000000
bad "a mask that is none" "mark 1/x: " --mark 1/x
bad "nothing to replace" "replace =new: it is OLD=NEW" --replace =new
bad "more to put in than an edit takes" "replace a=b" --replace "a=$(printf 'b%.0s' {1..513})"
bad "copy range 65532" "copy-range 65532: it is a number of bytes from 1 to 65531" --copy-range 65532
bad "no seconds" "timeout 0: it is a number of seconds from 1 to" -t 0
bad "both kinds of overload" "exclude each other" --fail-open --no-fail-open
bad "a word too many" "unexpected word: x" x
says "nfqnl_test 65536" 2 "" "65536: not a queue number" "$BUILD/nfqnl_test" 65536
says "nfqnl_test -c 0" 2 "" "packets 0: it is a number from 1 up" "$BUILD/nfqnl_test" -c 0
says "nfqnl_test of two queues" 2 "" "unexpected word: 2" "$BUILD/nfqnl_test" 1 2
says "nfqnl_test -c without a number" 2 "" "requires an argument" "$BUILD/nfqnl_test" -c
says "stats as JSON and for Prometheus" 2 "" "exclude each other" "$cth" queue stats -j --prometheus

# ---- stats of a made-up /proc: every column, wrapped counters, an owner by its descriptor ----

proc=$work/proc
mkdir -p "$proc/net/netfilter" "$proc/4711/fd" "$proc/815/fd"
cat >"$proc/net/netfilter/nfnetlink_queue" <<'END'
    3   4711     5 2 65531     6     7        8  1
65535 4294963200     1 1     0 4294967295     0 4294967294  1
END
cat >"$proc/net/netlink" <<'END'
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000003e531593 0   4711       00000000 0        0        0     2        0        111
00000000b0082c91 12  4711       00000000 0        0        0     2        0        222
END
ln -s 'socket:[111]' "$proc/815/fd/3"
echo wrong >"$proc/815/comm"
ln -s /dev/null "$proc/4711/fd/0"
ln -s 'socket:[222]' "$proc/4711/fd/7"
echo 'suri"cata' >"$proc/4711/comm"
made_up() { "$cth" queue stats --proc "$proc" "$@"; }

says "stats: a table" 0 '^ +3 +4711/suri"cata +4711 +5 packet +65531 +6 +7 +8$' "" made_up
like "the socket of another protocol with that portid is not taken for it" "$(<"$work/out")" 4711/
like "an owner out of sight, and the largest numbers" "$(<"$work/out")" \
	'^65535 +\? +4294963200 +1 +meta +0 +4294967295 +0 +4294967294$'
says "stats of one queue" 0 '^ +3 ' "" made_up -q 3
is "shows only that" "$(wc -l <"$work/out")" 2
says "stats of a queue that nobody has bound" 1 "" "queue 4: nobody has bound it" made_up -q 4
says "stats as JSON" 0 '"queue":3,"portid":4711,"pid":4711,"command":"suri\\"cata","processes":1,"waiting":5,"copy_mode":"packet","copy_range":65531,"queue_dropped":6,"user_dropped":7,"last_id":8\}' \
	"" made_up -j
is "is one line" "$(wc -l <"$work/out")" 1
says "stats for Prometheus" 0 '^nfqueue_info\{queue="3",peer_portid="4711",copy_mode="packet",copy_range="65531",pid="4711",command="suri\\"cata"\} 1$' \
	"" made_up --prometheus
for line in 'nfqueue_queue_length{queue="3"} 5' 'nfqueue_queue_dropped_total{queue="3"} 6' \
	'nfqueue_user_dropped_total{queue="3"} 7' 'nfqueue_packet_id_total{queue="65535"} 4294967294' \
	'# TYPE nfqueue_queue_dropped_total counter'; do
	ok "Prometheus: $line" grep -qxF -- "$line" "$work/out"
done
says "check: nothing was lost meanwhile" 0 . "" made_up --check
(
	sleep 1
	cat >"$work/later" <<-'END'
		    3   4711     5 2 65531     6     9        8  1
		65535 4294963200     1 1     0     1     0 4294967295  1
	END
	mv "$work/later" "$proc/net/netfilter/nfnetlink_queue"
) &
says "check: packets were lost" 1 . "queue 3: 2 packets dropped" made_up --check -i 3
like "a counter that wrapped has grown by 2" "$(<"$work/err")" "queue 65535: 2 packets dropped"
wait
rm "$proc/net/netfilter/nfnetlink_queue"
says "no nfnetlink_queue" 3 "" "ENOENT.*kmod-nfnetlink-queue" made_up

# ---- packets ----

ip link set lo up
ok "rules that queue" iptables-restore <<'END'
*filter
-A OUTPUT -p udp --dport 1003 -j NFQUEUE --queue-num 3
-A OUTPUT -p udp --dport 1004 -m mark ! --mark 0x1/0x1 -j NFQUEUE --queue-num 4
-A OUTPUT -p tcp --dport 1005 -j NFQUEUE --queue-num 5
-A OUTPUT -p tcp --sport 1005 -j NFQUEUE --queue-num 5
-A OUTPUT -p udp --dport 1006 -j NFQUEUE --queue-num 6
-A INPUT -p udp --dport 1003 -m mark --mark 0x50/0xf0
-A INPUT -p udp --dport 1003
-A INPUT -p udp --dport 1004
-A INPUT -p udp --dport 1006
COMMIT
END

send() { # PORT COUNT [TEXT]
	for ((i = 0; i < $2; i++)); do
		echo "${3-hello}" >"/dev/udp/127.0.0.1/$1"
	done
} 2>/dev/null

# How many packets the plain rule of a port has seen, and how many that with the mark.
arrived_plain() { iptables -nvxL INPUT | awk -v "rule=dpt:$1" '$NF == rule { print $1 }'; }
arrived_marked() { iptables -nvxL INPUT | awk '/mark match 0x50\/0xf0/ { print $1 }'; }

zero() { iptables -Z INPUT; }

zero
listen 3 "$BUILD/nfqnl_test" 3 -n 3
send 1003 3
left "nfqnl_test ends after three packets"
is "what it prints is what its namesake prints" "$(sed -n 3,5p "$work/out")" \
	"pkt received
hw_protocol=0x0800 hook=3 id=1 outdev=1 uid=0 gid=0 payload_len=34 
entering callback"
is "for each of them" "$(grep -c '^entering callback$' "$work/out")" 3
like "after it has said where it listens" "$(head -n 1 "$work/out")" "^binding this socket to queue '3'$"
like "and that it waits" "$(sed -n 2p "$work/out")" '^Waiting for packets\.\.\.$'
is "they arrive" "$(arrived_plain 1003)" 3
is "nothing was lost" "$(<"$work/err")" ""
is "the queue is given back" "$(<"$queues")" ""

listen 3 "$BUILD/nfqnl_test" 3 -j -c 1
send 1003 1
left "nfqnl_test -j -c 1"
is "prints JSON and nothing else" "$(<"$work/out")" \
	'{"queue":3,"id":1,"family":2,"hw_protocol":2048,"hook":3,"outdev":1,"uid":0,"gid":0,"payload_len":34,"verdict":"accept"}'

for signal in INT QUIT TERM HUP; do
	listen 3 "$BUILD/nfqnl_test" 3
	send 1003 1
	kill -"$signal" "$listener"
	left "SIG$signal is an orderly end"
	is "SIG$signal: the queue is given back" "$(<"$queues")" ""
done

zero
listen 3 "$cth" queue -q 3 -v drop -n 2 --quiet
send 1003 2
left "-v drop"
is "drops" "$(arrived_plain 1003)" 0
is "and --quiet prints nothing" "$(<"$work/out")" ""

listen 3 "$cth" queue -q 3:5 -n 2 --count
send 1003 1
send 1004 1
left "three queues on one socket"
like "both packets" "$(<"$work/out")" '^packets +2$'
like "and their verdicts" "$(<"$work/out")" '^verdicts +2$'

zero
listen 3 "$cth" queue -q 3 --mark 0x5f/0xf0 -n 1 --quiet
send 1003 1
left "--mark"
is "sets the mask's bits" "$(arrived_marked)" 1

zero
listen 4 "$cth" queue -q 4 -v repeat --mark 1/1 -n 2 --quiet --count
send 1004 2
left "-v repeat with a mark"
is "ends by the mark" "$(arrived_plain 1004)" 2
like "after one turn each" "$(<"$work/out")" '^packets +2$'

zero
listen 3 timeout 10 "$cth" queue -q 3 -v repeat --mark 1 --quiet --count -t 2
send 1003 2
left "-v repeat where no rule tests the mark"
is "accepts what comes back" "$(arrived_plain 1003)" 2
like "each after one turn" "$(<"$work/out")" '^packets +4$'
is "and tells why, once" "$(grep -c 'came with the mark 0x1 set already' "$work/err")" 1
listen 3 timeout 10 "$cth" queue -q 3 -v repeat --mark 1 -n 1 --quiet
send 1003 1
left "at the end too"
is "what is decided last does not go round" "$(arrived_plain 1003)" 3

zero
listen 3 "$cth" queue -q 3 -Q 7 -n 1 --quiet
send 1003 1
left "-Q to a queue without listener"
is "drops" "$(arrived_plain 1003)" 0
listen 3 "$cth" queue -q 3 -Q 7 --bypass -n 1 --quiet
send 1003 1
left "-Q --bypass"
is "lets pass" "$(arrived_plain 1003)" 1
timeout 20 "$cth" queue -q 7 -n 1 >"$work/second" 2>&1 &
second=$!
bound 7
listen 3 "$cth" queue -q 3 -Q 7 -n 1 --quiet
send 1003 1
left "-Q"
wait $second
like "hands packets on" "$(<"$work/second")" '^pkt received$'
is "and they arrive" "$(arrived_plain 1003)" 2

timeout 10 nc -u -l 127.0.0.1 1006 >"$work/got" &
receiver=$!
wait_for 'grep -q ":03EE " /proc/net/udp'
listen 6 "$cth" queue -q 6 --replace 'world=everybody out there' -n 1 --quiet
send 1006 1 'hello world'
left "--replace"
wait_for '[ -s "$work/got" ]'
kill $receiver
is "edits the packet, lengths and checksums too" "$(<"$work/got")" "hello everybody out there"

listen 3 "$cth" queue -q 3 -b -n 6 --quiet --verbose
send 1003 6
left "-b"
like "each bogus verdict is refused" "$(<"$work/err")" 'bogus verdicts: 6 sent, 6 refused'
listen 3 "$cth" queue -q 3 -b -n 3
send 1003 3
left "-b, seen"
is "an unknown id, a stolen packet, no verdict at all" "$(grep -o 'refused by the kernel: E.*' "$work/err")" \
	"refused by the kernel: ENOENT
refused by the kernel: EINVAL
refused by the kernel: EINVAL"
unlike "and are no losses" "$(<"$work/err")" lost

zero
listen 3 "$cth" queue -q 3 -O -n 40 --quiet --count
send 1003 40
left "-O"
is "out of order all of them arrive" "$(arrived_plain 1003)" 40
like "none is left held" "$(<"$work/out")" '^held +0$'
like "and none was refused" "$(<"$work/out")" '^nacks +0$'

listen 5 "$cth" queue -q 5 -O -t 2 --quiet
timeout 10 nc -l 127.0.0.1 1005 >"$work/got" &
wait_for 'grep -q ":03ED 00000000:0000 0A" /proc/net/tcp'
seq 2000 | timeout 10 nc -N 127.0.0.1 1005
left "a TCP connection out of order; -t 2 ends it"
is "arrives in order all the same" "$(<"$work/got")" "$(seq 2000)"

# ---- a process for each queue ----

ok "rules that spread flows over queues 20 to 23" iptables-restore -n <<'END'
*filter
-A OUTPUT -p udp --dport 1020 -j NFQUEUE --queue-balance 20:23
-A INPUT -p udp --dport 1020
COMMIT
END

spread() { # COUNT: to many addresses, for it is addresses that are spread
	for ((i = 0; i < $1; i++)); do
		echo hello >"/dev/udp/127.0.$((i / 250)).$((i % 250 + 1))/1020"
	done
} 2>/dev/null

fan_out() { # OPTION...: queues 20 to 23
	listen 23 "$cth" queue -q 20:23 --quiet "$@"
	wait_for '[ "$(consumers | wc -l)" = 4 ]'
}
consumers() { cat "/proc/$listener/task/$listener/children" | tr ' ' '\n' | grep .; }
counted() { awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }' "$work/out"; }

zero
fan_out -c
is "four queues are four sockets" "$(awk '{ print $2 }' $queues | sort -u | wc -l)" 4
is "of four processes" "$(consumers | wc -l)" 4
spread 400
kill -TERM "$listener"
left "SIGTERM ends all of them in good order"
is "the queues are given back" "$(<"$queues")" ""
is "each tells its counters" "$(sed -n 's/^queue  *//p' "$work/out" | sort | tr '\n' ' ')" "20 21 22 23 "
is "each has had packets" "$(awk '$1 == "packets" && $2 > 0' "$work/out" | wc -l)" 4
is "all of them together" "$(counted packets)" 400
is "and all arrive" "$(arrived_plain 1020)" 400
is "there is nothing to tell" "$(<"$work/err")" ""

zero
fan_out -c -d 1 --no-fail-open --queue-len 2 --rcvbuf 1
spread 400
kill -INT "$listener"
left "SIGINT, of queues that were full"
is "what was sent is what was decided and what is told as lost" \
	"$(($(counted packets) + $(counted queue_dropped) + $(counted user_dropped)))" 400
is "and what was decided arrives" "$(arrived_plain 1020)" "$(counted packets)"
ok "something was lost" [ "$(counted packets)" -lt 400 ]
like "and each consumer says so for its queue" "$(<"$work/err")" 'cth queue: queue 2[0-3]: lost: [0-9]+ packets'

listen 23 setsid "$cth" queue -q 20:23 --quiet -c
wait_for '[ "$(consumers | wc -l)" = 4 ]'
kill -INT -"$listener"
left "what a terminal sends to the whole group ends it"
is "each has told its counters" "$(grep -c '^packets ' "$work/out")" 4
is "the queues are given back then" "$(<"$queues")" ""

zero
fan_out
consumers | while read -r consumer; do kill -STOP "$consumer"; done
spread 100
kill -TERM "$listener"
left "consumers that stand still are ended as well"
is "what waited for them is decided first" "$(arrived_plain 1020)" 100

fan_out -c -j
kill -KILL "$(consumers | sed -n 3p)"
wait "$listener"
is "one that dies is a failure" $? 1
like "which is told" "$(<"$work/err")" 'the consumer of queue 22 was killed by signal 9 .*the others end too'
is "the others end in good order" "$(grep -o '"queue":[0-9]*,"counters"' "$work/out" | sort | tr '\n' ' ')" \
	'"queue":20,"counters" "queue":21,"counters" "queue":23,"counters" '
is "and no queue is left" "$(<"$queues")" ""

fan_out -c
kill -KILL "$listener"
wait "$listener" 2>/dev/null
wait_for '[ ! -s "$queues" ]'
is "they end where the parent is killed" "$(<"$queues")" ""
wait_for '[ "$(grep -c "^packets " "$work/out")" = 4 ]'
is "in good order" "$(grep -c '^packets ' "$work/out")" 4

listen 22 "$cth" queue -q 22 --quiet
pid=$listener
says "a queue of another program in the middle" 5 "" "queue 22: .*EPERM: the queue is owned by pid $pid" \
	"$cth" queue -q 20:23
is "leaves none bound" "$(awk '{ print $1 }' $queues)" 22
kill "$pid"
left "nor disturbs the other program"

(timeout 20 "$cth" queue -q 20:23; echo $? >"$work/code") 2>"$work/err" | head -n 1 >/dev/null &
bound 23
spread 8
sleep 0.3
spread 8
wait $!
wait_for '[ -s "$work/code" ]'
is "nobody reads any more: all end" "$(<"$work/code") $(<"$queues")" "0 "

listen 23 "$cth" queue -q 20:23 -j
spread 200
wait_for "awk '{ n += \$3 } END { exit n > 0 }' $queues" # what waits when they leave is not told of
kill -TERM "$listener"
left "four that print"
is "a line for each packet, none mixed with another" \
	"$(grep -cE '^\{"queue":2[0-3],"id":[0-9]+,.*"verdict":"accept"\}$' "$work/out")" 200

# A held packet that finds no memory at first, and one that never does.
cc -shared -fPIC -O1 -o "$work/faults.so" test/tools/faults.c -ldl
for fault in memory never; do
	timeout 10 nc -u -l 127.0.0.1 1006 >"$work/got" &
	receiver=$!
	wait_for 'grep -q ":03EE " /proc/net/udp'
	listen 6 env LD_PRELOAD="$work/faults.so" FAULT=$fault "$cth" queue -q 6 -O --replace world=all \
		-n 1 --quiet --count
	send 1006 1 'hello world'
	left "-O without memory ($fault)"
	like "none is left held ($fault)" "$(<"$work/out")" '^held +0$'
	wait_for '[ -s "$work/got" ]'
	kill $receiver
	wait $receiver 2>/dev/null
	if [ $fault = memory ]; then
		is "it is tried again until there is some" "$(<"$work/got")" "hello all"
		is "and there is nothing to tell" "$(<"$work/err")" ""
	else
		is "it is accepted as it is in the end" "$(<"$work/got")" "hello world"
		like "which is told" "$(<"$work/err")" 'no memory for the changed packet: accepted instead'
	fi
done

# What comes when the queue is empty and about to go is not decided any more.
zero
listen 3 env LD_PRELOAD="$work/faults.so" FAULT=late "$cth" queue -q 3 --quiet --count
send 1003 5
kill -TERM "$listener"
wait_for 'grep -qx late "$work/err"'
send 1003 7
left "packets while the queue is given back"
is "what was decided before arrives" "$(arrived_plain 1003)" 5
is "the others are counted as what still waited, and as no refusal" \
	"$(counted packets) $(counted waiting) $(counted nacks)" "12 7 0"
is "and told" "$(grep lost: "$work/err")" \
	"cth queue: lost: 7 packets still waiting at the end: dropped with the queue; a rule still feeds it"

listen 3 "$cth" queue -q 3 -d 300 -n 2 --quiet
started=$(date +%s%N)
send 1003 2
left "-d 300"
ok "delays each verdict" [ $(($(date +%s%N) - started)) -ge 600000000 ]

zero
listen 3 "$cth" queue -q 3 -d 500 --queue-len 2 --no-fail-open -n 2 --quiet
send 1003 10
"$cth" queue stats -q 3 >"$work/stats"
left "a full queue, closed"
like "stats shows what was dropped" "$(<"$work/stats")" '^ +3 +[0-9]+/cth +[0-9]+ +[0-9]+ packet +65531 +[1-9][0-9]* +0 '
like "and so does the listener" "$(<"$work/err")" 'lost: [1-9][0-9]* packets dropped by the kernel: the queue was full'
ok "fewer arrive" [ "$(arrived_plain 1003)" -lt 10 ]
zero
listen 3 "$cth" queue -q 3 -d 500 --queue-len 2 -n 2 --quiet
send 1003 10
left "a full queue, open"
is "all arrive" "$(arrived_plain 1003)" 10

# No room for more than a few packets in the receive buffer: each that did not come is told once.
for overload in --no-fail-open --fail-open; do
	zero
	listen 3 "$cth" queue -q 3 --quiet --count --rcvbuf 1 $overload
	kill -STOP "$listener"
	send 1003 20
	kill -CONT "$listener"
	wait_for 'grep -qE "^ *3 +[0-9]+ +0 " $queues'
	send 1003 1 # and there was a gap before it
	kill -TERM "$listener"
	left "a full receive buffer, $overload"
	lost=$((21 - $(counted packets)))
	ok "some did not come" [ $lost -gt 0 ]
	if [ $overload = --fail-open ]; then
		is "they pass" "$(arrived_plain 1003)" 21
		is "that they were not seen is told, and once" "$(grep lost: "$work/err")" \
			"cth queue: lost: $lost packets that never came: they passed unseen, or the kernel dropped them; try --rcvbuf"
	else
		is "those arrive that came" "$(arrived_plain 1003)" "$(counted packets)"
		is "that the others were dropped is told, and once" "$(grep lost: "$work/err")" \
			"cth queue: lost: $lost packets dropped by the kernel: the receive buffer was full; try --rcvbuf"
	fi
done

# What is still in the queue when the program is to end is decided, not dropped.
zero
listen 3 "$cth" queue -q 3 -d 300 -n 1 --quiet
send 1003 20
left "one packet wanted, twenty queued"
is "the others are decided before the queue goes" "$(arrived_plain 1003)" 20

# Nobody reads the output any more.
(timeout 20 "$cth" queue -q 3; echo $? >"$work/code") 2>"$work/err" | head -n 1 >/dev/null &
bound 3
send 1003 1
sleep 0.3
send 1003 1
wait $!
wait_for '[ -s "$work/code" ]'
ok "a closed pipe is an end, and no signal" [ "$(<"$work/code")" -le 1 ]
is "and the queue is given back" "$(<"$queues")" ""

listen 3 "$cth" queue -q 3 --quiet
pid=$listener
says "a queue of another program" 5 "" "binding queue 3: EPERM: the queue is owned by pid $pid \(cth\)" \
	"$cth" queue -q 3
says "a range that holds such a queue binds none" 5 "" "binding queue 3: EPERM" "$cth" queue -q 2:4
is "not even the first" "$(grep -c . "$queues")" 1
kill "$pid"
left "the other program was not disturbed"

cp "$cth" "$work/cth"
says "without the right to" 4 "" "binding queue 3: EPERM: .*CAP_NET_ADMIN.*setcap" \
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/cth" queue -q 3
says "stats without the right to" 4 "" "EACCES: only root" \
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/cth" queue stats
says "dry run" 0 'NFQNL_CFG_CMD|NFQA_CFG_CMD.*BIND' 'dry run: nothing was changed' "$cth" queue -q 3 --dry-run
is "binds nothing" "$(<"$queues")" ""
is "says so once" "$(grep -c 'nothing was changed' "$work/err")" 1
listen 3 "$cth" queue -q 3 --quiet --verbose -t 1
left "what this kernel has"
if grep -q ', no conntrack' "$work/err"; then
	says "--ct without connections" 0 "" 'cth queue: --ct: this kernel does not tell the connections' \
		"$cth" queue -q 3 --ct -t 1
	is "is told once" "$(wc -l <"$work/err")" 1
fi

tap_end
