#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/run.sh -- what `cth run` says before it serves: its command line, protocols, namespaces,
# and what it cannot do here. Prints TAP. It needs no kernel with helpers; where there are some it
# starts nothing all the same, but for dry runs. What it serves is tried by test/tools/run-vm.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/tap
. test/tools/says
BUILD=$(cd "${BUILD:-build}" && pwd)
cth=$BUILD/cth
all='.*ftp \(tcp 21\), .*tftp \(udp 69\).*'

# wrong NAME ERR WORDS...: a usage error
wrong() {
	says "$1" 2 "" "^cth run: $2" "$cth" run "${@:3}"
	like "$1: the usage follows" "$(<"$work/err")" '^usage: cth run \[OPTION\]\.\.\. \[NAME=\]PROTOCOL'
}

# ---- protocols ----

wrong "nothing to serve" "which protocol\? There are: $all"
wrong "no such protocol" "there is no protocol 'nosuch'; there are: $all" nosuch
wrong "no such protocol, under another name" "there is no protocol 'nosuch'; there are: $all" ftp=nosuch
wrong "no protocol behind the equals sign" "there is no protocol ''" ftp=
wrong "protocols are as they are spelled" "there is no protocol 'FTP'" FTP
wrong "a name of ones own without its protocol" "there is no protocol 'my-ftp'; there are: $all; one of them under that name: my-ftp=PROTOCOL" my-ftp
wrong "the same one twice" "'ftp' twice: .* my-ftp=ftp" ftp tftp ftp
wrong "one name for two" "'x' twice: .* my-tftp=tftp" x=ftp x=tftp
wrong "a name that is empty" "'=ftp': NAME=ftp takes a name of 1 to 15 letters" =ftp
wrong "a name of 16 characters" "'a234567890123456=ftp': NAME=ftp takes a name of 1 to 15" a234567890123456=ftp
wrong "a name that no table can have" "'a b=ftp': NAME=ftp takes .*letters, digits and \. _ -" 'a b=ftp'
wrong "names of 32 helpers and one more" "32 protocols at most" $(seq -f x%g=ftp 33)

says "--list" 0 '^ftp tcp port 21 private-length [0-9]+ class ftp:[0-9]+:[0-9]+$' "" "$cth" run --list
like "all of them" "$(<"$work/out")" '^tftp udp port 69 private-length [0-9]+ class tftp:[0-9]+:[0-9]+$'
says "--list as JSON" 0 \
	'^\{"protocols":\[\{.*"name":"ftp","l4":\["tcp"\],"port":21,"private_length":[0-9]+,"classes":\[\{"name":"ftp","max":[0-9]+,"timeout":[0-9]+\}\]\},.*\{"name":"tftp",.*\]\}$' \
	"" "$cth" run --list -j
wrong "--list of one" "unexpected word: ftp" --list ftp

# ---- options ----

wrong "a queue beyond 65535" "--queue 65536: it is a number from 0 to 65535" -q 65536 ftp
wrong "a queue that is no number" "--queue x: " -q x ftp
wrong "a queue that is empty" "--queue : " -q '' ftp
wrong "a family that there is not" "--l3 inet7: it is inet or inet6" -3 inet7 ftp
wrong "a queue without room" "--queue-len 0: it is a number of packets from 1 to 1048576" --queue-len 0 ftp
wrong "more packets than a queue can hold" "--queue-len 1048577: " --queue-len 1048577 ftp
wrong "a deadline that nobody can meet" "--deadline 9: it is a number of milliseconds from 10 to 60000" --deadline 9 ftp
wrong "no expectation in a second" "--expectations 0: it is a number per second from 1 to 1000000" --expectations 0 ftp
wrong "no decision in a second" "--decisions x: it is a number per second from 1 to 10000000" --decisions x ftp
wrong "a queue that is half full" "--full half: it is open or closed" --full half ftp
for word in ftp ftp:1 :1:2 ftp:0:1 ftp:256:1 ftp:1:0 ftp:1:2147484 ftp:1:2:; do
	wrong "a class that is none: $word" "--class $word: it is NAME:MAX:TIMEOUT, of at most 255 and 2147483, such as" -c $word ftp
done
wrong "a class twice" "--class ftp:2:3: that class is there already: ftp:1:2" -c ftp:1:2 -c ftp:2:3 ftp
wrong "a class of another protocol" "--class tftp:1:2: no protocol here has a class of this name" -c tftp:1:2 ftp
wrong "a receive buffer of nothing" "--rcvbuf 0: it is a number of bytes" --rcvbuf 0 ftp
wrong "ports without rules" "-p goes with --attach" -p 21 ftp
wrong "ports of two protocols" "-p goes with one protocol" --attach -p 21 ftp tftp
wrong "port 0" "port '0': it is a number from 1 to 65535" --attach -p 0 ftp
wrong "ports upside down" "ports '30-20': the range is upside down" --attach -p 30-20 ftp
wrong "messages to nowhere" "--log nowhere: it is stderr or syslog" --log nowhere ftp
wrong "a status socket of one process" "--keeper, .*--status .*go with more processes" --single --status /run/x ftp
wrong "a deadline of one process" "--keeper, .*--deadline, --restarts.*go with more processes" --single --deadline 20 ftp
says "which can fail closed" 0 'NFQA_CFG_FLAGS' . "$cth" run --dry-run --single --fail-closed ftp
wrong "an option that there is not" "(unrecognized|unknown) option.*nonsense" --nonsense ftp
says "--help tells the risks" 0 'firewall opened to any of them' "" "$cth" run --help
like "and the signals" "$(<"$work/out")" 'SIGTERM or SIGINT'

if [ -e /dev/log ]; then
	skip "syslog without a daemon" "there is one"
else
	says "syslog without a daemon is told, and no reason not to serve" 1 "" \
		'^cth run: send messages to syslog at /dev/log: ENOENT: there is no such socket; start a syslog daemon, or: --log stderr; until then messages go to standard error$' \
		"$cth" run --log syslog --netns nosuch ftp
	like "and messages are heard" "$(<"$work/err")" '^cth run: enter the network namespace nosuch: ENOENT'
fi

# ---- namespaces ----

says "a namespace that there is not" 1 "" \
	"^cth run: enter the network namespace nosuch: ENOENT: there is no /run/netns/nosuch; .ip netns list. shows" \
	"$cth" run --netns nosuch ftp
says "a path that there is not" 1 "" \
	"enter the network namespace ./nosuch: ENOENT: there is no ./nosuch; name a file such as /proc/PID/ns/net" \
	"$cth" run --netns ./nosuch ftp
if [ "$(id -u)" -eq 0 ]; then
	says "a file that is no namespace" 1 "" "EINVAL: /dev/null is no network namespace" \
		"$cth" run --netns /dev/null ftp
	says "a namespace of another kind" 1 "" "EINVAL: /proc/self/ns/uts is no network namespace" \
		"$cth" run --netns /proc/self/ns/uts ftp
	cp "$cth" "$work/cth"
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	says "a namespace without rights" 4 "" "EPERM: this needs CAP_SYS_ADMIN; run it as root" \
		"${nobody[@]}" "$work/cth" run --netns /proc/self/ns/net ftp
	says "without rights" 4 "" "EPERM: this needs CAP_NET_ADMIN in the first user namespace; run it" \
		"${nobody[@]}" "$work/cth" run ftp
else
	skip "namespaces that are none" "not root"
	skip "without rights" "root has them"
fi

# ---- a dry run ----

says "a dry run shows what would be sent" 0 'NFNL_MSG_CTHELPER_NEW' 'dry run: nothing was changed$' \
	"$cth" run --dry-run -q 33 --attach ftp tftp
like "and what would be served" "$(<"$work/err")" \
	'^would serve ftp \(inet inet6 tcp\), tftp \(inet inet6 udp\) on queue 33$'
is "in order" "$(sed -n 's/^> \(NF[A-Z]*_MSG_[A-Z_]*\) .*/\1/p' "$work/out" | uniq | head -n 4 | tr '\n' ' ')" \
	"NFNL_MSG_CTHELPER_NEW NFQNL_MSG_CONFIG NFNL_MSG_CTHELPER_NEW NFNL_MSG_BATCH_BEGIN "
says "a class of each" 0 'NFCTH_POLICY_EXPECT_MAX 8$' . \
	"$cth" run --dry-run -c tftp:9:90 -c ftp:8:80 ftp tftp --queue-len 1048576 --full closed
is "all of them" "$(sed -n 's/^ *NFCTH_POLICY_EXPECT_[MT][A-Z]* //p' "$work/out" | tr '\n' ' ')" "8 80 8 80 9 90 9 90 "
like "so many may wait" "$(<"$work/out")" 'NFQA_CFG_QUEUE_MAXLEN 1048576$'
unlike "a full queue drops" "$(grep -E 'NFQA_CFG_FLAGS' "$work/out")" FAIL_OPEN
says "one that fails closed does so too" 0 'NFQA_CFG_FLAGS' . "$cth" run --dry-run --fail-closed ftp
unlike "unless told" "$(<"$work/out")" "NFQA_CFG_FLAGS .*FAIL_OPEN"
says "told" 0 'NFQA_CFG_FLAGS .*FAIL_OPEN' . "$cth" run --dry-run --fail-closed --full open ftp
says "of one family, without rules" 0 . '^would serve my-ftp=ftp \(inet6 tcp\) on queue 0$' \
	"$cth" run --dry-run -3 inet6 my-ftp=ftp
unlike "there are none, if not asked for" "$(<"$work/out")" 'NFT_MSG_NEW'

# into_nobody COMMAND...: stdout is a pipe that nobody reads any more.
into_nobody() {
	local both end status=0
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	exec {both}<>"$work/pipe" {end}>"$work/pipe"
	exec {both}>&-
	"$@" >&"$end" || status=$?
	exec {end}>&-
	return $status
}

says "who read a dry run has seen enough" 0 "" '^would serve ftp ' into_nobody "$cth" run --dry-run --attach ftp
unlike "and that is no failure" "$(<"$work/err")" 'standard output'
says "elsewhere, where SIGPIPE is ignored: what failed is a pipe" 1 "" 'write to standard output: EPIPE: Broken pipe$' \
	into_nobody env --ignore-signal=PIPE "$cth" decode test/recordings/cthelper-errors.pcap

# ---- files ----

printf 'keeper 64901 worker 64902\nhelper ftp queue 1\nhelper tftp queue 2\n' >"$work/cth.conf"
cat >"$work/conntrackd.conf" <<'END'
Helper {
	Type ftp inet tcp {
		QueueNum 3
		Policy ftp { ExpectMax 1 ExpectTimeout 300 }
	}
	Type tftp inet udp {
		QueueNum 4
		Policy tftp { ExpectMax 1 ExpectTimeout 300 }
	}
}
END
says "a file's queues" 0 . '^would serve ftp \(inet inet6 tcp\) on queue 1$' \
	"$cth" run --dry-run --config "$work/cth.conf"
like "each its own" "$(<"$work/err")" '^would serve tftp \(inet inet6 udp\) on queue 2$'
says "a conntrackd.conf's" 0 . '^would serve tftp \(inet udp\) on queue 4$' \
	"$cth" run --dry-run --conntrackd "$work/conntrackd.conf"
[ "$(id -u)" -ne 0 ] || {
	printf 'keeper 64901 worker 64902\nhelper ftp queue 1\nhelper ftp as b queue 2\n\tnetns nosuch\n' >"$work/netns.conf"
	says "--check tells the line of a namespace that there is not" 1 "" \
		'netns.conf:4: helper b: its network namespace cannot be entered, see above$' \
		"$cth" run --config "$work/netns.conf" --check
}
printf 'packets /nowhere/to/keep\nkeeper 4001\nworker 4002\nhelper ftp queue 3\n' >"$work/folder.conf"
says "--check tells the line of a folder that nobody will make" 2 "" \
	'folder.conf:1: folder /nowhere/to: ENOENT: make it, or name another one$' \
	"$cth" run --config "$work/folder.conf" --check
printf 'status /dev/null/x.sock\nkeeper 4001\nworker 4002\nhelper ftp queue 3\n' >"$work/folder.conf"
says "and of what is no folder" 2 "" 'folder.conf:1: folder /dev/null: ENOTDIR: make it, or name another one$' \
	"$cth" run --config "$work/folder.conf" --check
printf 'packets %s/kept\nstatus %s/x.sock\nkeeper 4001\nworker 4002\nhelper ftp queue 3\n' "$work" "$work" >"$work/folder.conf"
says "a folder for packets may be one that is yet to be made" 0 'right: 1 helper$' "" \
	"$cth" run --config "$work/folder.conf" --check
is "and --check does not make it" "$(find "$work/kept" 2>&1 | grep -c 'No such file')" 1
conntrackd() { # WORDS...
	"$cth" run --conntrackd "$work/conntrackd.conf" --check -v "$@" 2>&1
}
like "whose users are those of the command line" "$(conntrackd | tr '\n' ' ')" '^keeper 64901 worker 64902 '
conf=$(conntrackd --keeper 4001 --worker 4002 --status /run/x --keep /tmp/kept --deadline 77 \
	--restarts 3/4 --attach --fail-closed --full open --allow-foreign --expectations 5 --decisions 6 | tr -s '\n\t' '  ')
like "it says what that file cannot" "$conf" \
	'^keeper 4001 worker 4002 status /run/x packets /tmp/kept restarts 3 in 4 seconds deadline 77 ms '
like "of each helper too" "$conf" 'helper ftp queue 3 .* attach ports 21 allow foreign expectations 5 per second decisions 6 per second fail closed full open .*helper tftp queue 4 .* attach ports 69 allow foreign expectations 5 per second decisions 6 per second fail closed full open '
like "without it all is as usual" "$(conntrackd --status off | tr -s '\n\t' '  ')" \
	' status off packets /var/lib/cth restarts 20 in 60 seconds deadline 1000 ms '
says "no such user" 2 "" \
	'user nobody-at-all: there is none of this name; .useradd --system nobody-at-all. makes one, or --worker takes a number$' \
	"$cth" run --conntrackd "$work/conntrackd.conf" --check --worker nobody-at-all
for word in "-q 3" "--queue-len 9" "-3 inet" "-p 21" "-c ftp:1:2"; do
	# shellcheck disable=SC2086 # words
	wrong "a conntrackd.conf says it: $word" "--config and --conntrackd go without" \
		--conntrackd "$work/conntrackd.conf" $word
done
wrong "a cth.conf says all of it" "--config and --conntrackd go without" \
	--config "$work/cth.conf" --keeper 4001
for order in "--config $work/cth.conf --conntrackd $work/conntrackd.conf" \
	"--conntrackd $work/conntrackd.conf --config $work/cth.conf"; do
	# shellcheck disable=SC2086 # words
	wrong "one file, not two" "--config and --conntrackd: the one or the other" $order --check
done
wrong "one process has no keeper" "--keeper, .* than --single is" \
	--conntrackd "$work/conntrackd.conf" --single --keeper 4001

# ---- kernels without helpers ----

if "$cth" helper list >/dev/null 2>&1; then
	skip "a kernel without helpers" "this one has them"
else
	says "a kernel without helpers" 3 "" \
		'^cth run: register ftp \(inet tcp\): EPROTONOSUPPORT: this kernel has no user-space helpers: .*; modprobe nfnetlink_cthelper; ' \
		"$cth" run ftp
	is "is one sentence" "$(wc -l <"$work/err")" 1
	says "also as JSON, also with rules" 3 "" '^cth run: register my-tftp \(inet6 udp\): EPROTONOSUPPORT: ' \
		"$cth" run -j --attach -3 inet6 my-tftp=tftp
	says "it can be recorded" 3 "" EPROTONOSUPPORT "$cth" run --record "$work/run.pcap" ftp
	says "and read" 0 'NFNL_MSG_CTHELPER_GET' "" "$cth" decode "$work/run.pcap"
fi

tap_end
