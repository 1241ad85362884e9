#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/status.sh -- `cth status` and `cth top`, which ask sockets that this script has: of runs,
# and of what is none. Prints TAP. Real runs are asked in test/vm/status.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/tap
. test/tools/says
BUILD=$(cd "${BUILD:-build}" && pwd)
cth=$BUILD/cth

# answers SOCKET FILE: to everyone who connects; FILE - says nothing, and does not close.
servers=()
answers() {
	# shellcheck disable=SC2016
	perl -MIO::Socket::UNIX -e '
		$SIG{PIPE} = "IGNORE";
		$s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die;
		while ($c = $s->accept) {
			if ($ARGV[1] eq "-") { push @kept, $c; next; }
			open(F, "<", $ARGV[1]);
			print $c <F>;
			close $c;
		}' "$1" "$2" &
	servers+=($!)
	disown
	for _ in $(seq 400); do
		[ ! -S "$1" ] || return 0
		sleep 0.05
	done
	return 1
}

end_servers() {
	[ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null
	rm -rf "$work"
}
trap end_servers EXIT

# snapshot HELPER PACKETS: what a run says
snapshot() {
	cat <<-END
		# HELP cth_info The program.
		# TYPE cth_info gauge
		cth_info{run="$1",version="0.1.0"} 1
		# HELP cth_start_time_seconds When it was started, since 1970.
		# TYPE cth_start_time_seconds gauge
		cth_start_time_seconds{run="$1"} 1700000000
		# HELP cth_workers_total Workers started.
		# TYPE cth_workers_total counter
		cth_workers_total{run="$1"} 3
		# HELP cth_packets_total Packets.
		# TYPE cth_packets_total counter
		cth_packets_total{helper="$1",queue="1",netns="lan"} $2
		# HELP cth_passed_total Packets that passed unfollowed, by cause.
		# TYPE cth_passed_total counter
		cth_passed_total{helper="$1",queue="1",netns="lan",cause="foreign"} 4
		cth_passed_total{helper="$1",queue="1",netns="lan",cause="sealed"} 5
		# HELP cth_decision_seconds How long packets waited for their decision.
		# TYPE cth_decision_seconds histogram
		cth_decision_seconds_bucket{helper="$1",queue="1",netns="lan",le="0.00025"} 9
		cth_decision_seconds_bucket{helper="$1",queue="1",netns="lan",le="+Inf"} 10
		cth_decision_seconds_sum{helper="$1",queue="1",netns="lan"} 0.015
		cth_decision_seconds_count{helper="$1",queue="1",netns="lan"} 10
		# HELP cth_queue_waiting packets that wait for their verdict
		# TYPE cth_queue_waiting gauge
		cth_queue_waiting{queue="1",netns="lan"} 2
		# EOF
	END
}

mkdir "$work/one" "$work/two" "$work/none"
snapshot ftp 10 >"$work/ftp"
snapshot abc 20 >"$work/abc"
answers "$work/one/ftp.sock" "$work/ftp"
answers "$work/two/tftp.sock" "$work/ftp"
answers "$work/two/abc.sock" "$work/abc"
ftp=$work/one/ftp.sock

# ---- cth status ----

says "status: a table" 0 '^ftp +1 lan +10 +0 +0 +0 +0 +9 +0 +0 +1\.5ms  >250us$' "" "$cth" status "$ftp"
like "and the run" "$(<"$work/out")" '^ftp: serving for [0-9]+d[0-9][0-9]h, since 2023-11-1[45] [0-9:]{8}, version 0\.1\.0, workers 3$'
like "and its queue" "$(<"$work/out")" '^queue 1 in lan: waiting 2$'
says "--prometheus" 0 . "" "$cth" status --prometheus "$ftp"
is "is what the run has said" "$(<"$work/out")" "$(<"$work/ftp")"
says "as JSON" 0 '^\{"runs":\[\{"run":"ftp","path":".*/one/ftp\.sock","version":"0\.1\.0","start_time_seconds":1700000000,"workers":3,"helpers":\[\{"helper":"ftp","queue":"1","netns":"lan","packets":10,"passed":\{"foreign":4,"sealed":5\},"decision_seconds_bucket":\{"0\.00025":9,"\+Inf":10\},"decision_nanoseconds_sum":15000000,"decision_seconds_count":10\}\],"queues":\[\{"queue":"1","netns":"lan","waiting":2\}\]\}\]\}$' \
	"" "$cth" status -j "$ftp"
says "a folder is all runs in it" 0 '^abc +1 lan +20 ' "" "$cth" status "$work/two"
like "both of them" "$(<"$work/out")" '^ftp +1 lan +10 '
is "sorted by name" "$(grep -oE '^(abc|ftp) ' "$work/out" | tr -d '\n')" "abc ftp "
like "told apart" "$(<"$work/out")" '^tftp: serving'
says "--prometheus of several" 0 '^cth_packets_total\{helper="abc",queue="1",netns="lan"\} 20$' "" \
	"$cth" status --prometheus "$work/two"
is "has each family once" "$(grep -c '^# HELP cth_packets_total ' "$work/out") $(grep -c '^# TYPE cth_packets_total ' "$work/out")" "1 1"
is "its values together" "$(grep -A 2 '^# TYPE cth_packets_total ' "$work/out" | grep -c '^cth_packets_total')" 2
is "and one end" "$(grep -c '^# EOF' "$work/out") $(tail -n 1 "$work/out")" "1 # EOF"

# ---- what is none ----

says "no such socket" 1 "" "^cth status: ask $work/nosuch: ENOENT: there is no such socket; without a path .cth status. asks every run in /run/cth$" \
	"$cth" status "$work/nosuch"
says "a file that is no socket" 1 "" "ask $work/ftp: ECONNREFUSED: that is no socket$" "$cth" status "$work/ftp"
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die' "$work/none/dead.sock"
says "a socket that is left over" 1 "" "ECONNREFUSED: its run is dead and has left it behind; start that one again$" \
	"$cth" status "$work/none/dead.sock"
says "in a folder it is nobody" 1 "" "^cth status: nobody runs that could be asked: there is no live socket in $work/none; start .cth run., or name" \
	"$cth" status "$work/none"
says "a path too long" 1 "" "ENAMETOOLONG: a socket's path has at most 107 bytes$" "$cth" status "/$(printf '%0120d' 0)"
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die; sleep 600' "$work/datagram" &
servers+=($!)
disown
for _ in $(seq 400); do [ -S "$work/datagram" ] && break; sleep 0.05; done
says "a socket of another kind" 1 "" "EPROTOTYPE: that is a socket of another kind$" "$cth" status "$work/datagram"
printf 'SSH-2.0-OpenSSH\r\n' >"$work/text"
answers "$work/ssh.sock" "$work/text"
says "another server" 1 "" "ask $work/ssh.sock: EBADMSG: line 1 of the answer is not a run's$" "$cth" status "$work/ssh.sock"
sed '9s/.*/cth_workers_total{run="ftp"} 99999999999999999999999/' "$work/ftp" >"$work/huge"
answers "$work/huge.sock" "$work/huge"
says "a number that is too large" 1 "" "EBADMSG: line 9 of" "$cth" status "$work/huge.sock"
sed '$d' "$work/ftp" >"$work/cut"
answers "$work/cut.sock" "$work/cut"
says "an answer that is cut" 1 "" "EMSGSIZE: the answer was cut; raise net.core.wmem_max$" "$cth" status "$work/cut.sock"
says "is not shown as metrics either" 1 "" EMSGSIZE "$cth" status --prometheus "$work/cut.sock"
: >"$work/empty"
answers "$work/empty.sock" "$work/empty"
if [ "$(id -u)" -eq 0 ]; then
	says "nothing at all" 1 "" "ENODATA: nothing came: a run answers root alone$" "$cth" status "$work/empty.sock"
	# The folder of the program is not everybody's.
	cp "$cth" "$work/cth"
	chmod 711 "$work" "$work/one"
	chmod 600 "$ftp"
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	says "another user" 4 "" "EACCES: root alone may ask; run it as root$" "${nobody[@]}" "$work/cth" status "$ftp"
	chmod 777 "$work/empty.sock"
	says "another user, whom a run does not answer" 4 "" "ENODATA: nothing came: a run answers root alone; run it as root$" \
		"${nobody[@]}" "$work/cth" status "$work/empty.sock"
	chmod 700 "$work/one"
	says "a folder that is not to be looked into" 4 "" "look into $work/one/?: EACCES" \
		"${nobody[@]}" "$work/cth" status "$work/one"
else
	skip "other users" "not root"
fi
perl -e 'print "a 1\n" x 300000' >"$work/endless"
answers "$work/endless.sock" "$work/endless"
says "an answer without end" 1 "" "EFBIG: the answer does not end" "$cth" status "$work/endless.sock"
answers "$work/silent.sock" -
says "one that is silent" 1 "" "ask $work/silent.sock: ETIMEDOUT: it does not answer; see whether its keeper is stopped" \
	"$cth" status "$work/silent.sock"
says "one of several that fails" 1 '^ftp +1 lan +10 ' "ask $work/cut.sock: EMSGSIZE" "$cth" status "$work/cut.sock" "$ftp"
says "two forms at once" 2 "" '^cth status: --prometheus and --json exclude each other' "$cth" status -j --prometheus
if [ ! -e /run/cth ]; then
	says "nobody runs" 1 "" "nobody runs that could be asked: there is no live socket in /run/cth" "$cth" status
else
	skip "nobody runs" "there is a /run/cth"
fi
says "help" 0 'nc -U /run/cth/ftp\.sock' "" "$cth" status --help

# ---- cth top ----

says "top: a table for each look" 0 '^helper, per s ' "" "$cth" top -n 2 "$ftp"
is "as many as were wanted" "$(grep -c '^ftp +1 lan +0\.0 ' -E "$work/out")" 2
unlike "no escapes without a terminal" "$(<"$work/out")" $'\033'
(
	for n in $(seq 20 20 4000); do
		snapshot ftp "$n" >"$work/new"
		mv "$work/new" "$work/ftp"
		sleep 0.1
	done
) &
servers+=($!)
disown
says "top shows what comes in a second" 0 '^ftp +1 lan +[1-9][0-9]*\.[0-9] ' "" "$cth" top -n 1 "$ftp"
says "top as JSON: all that was counted" 0 '^\{"runs":\[\{"run":"ftp",.*"packets":[0-9]+,' "" "$cth" top -j -n 2 "$ftp"
is "a line each" "$(wc -l <"$work/out")" 2
says "top of nobody" 1 "" "^cth top: nobody runs that could be asked: there is no live socket in $work/none;" "$cth" top "$work/none"
says "top of what is no run" 1 "" "^cth top: ask $work/ssh.sock: EBADMSG" "$cth" top "$work/ssh.sock"
says "no seconds" 2 "" '^cth top: -d 0: it is a number of seconds' "$cth" top -d 0 "$ftp"
says "no number" 2 "" '^cth top: -n x: not a number of looks' "$cth" top -n x "$ftp"
says "an end by a signal" 0 . "" timeout --preserve-status -s INT 2 "$cth" top "$ftp"

# On a terminal: another screen, and everything as it was at the end, whoever ends it. The shell there
# catches Ctrl-C too, or it might end with what it waits for.
terminal() { # COMMAND, typed once it is there: what it prints, without and with the escapes: $plain, $all
	rm -f "$work/screen"
	for _ in $(seq 600); do
		! grep -qs '1049h' "$work/screen" || break
		sleep 0.05
	done | { cat; printf '%s' "$2"; } | TERM=xterm timeout 60 script -qfec \
		"trap : INT; stty rows 30 cols 60; echo begun; $1; code=\$?; echo; echo left \$code; stty -a" "$work/screen" >/dev/null
	all=$(tr -d '\r' <"$work/screen")
	plain=$(sed $'s/\033\\[[?0-9]*[A-Za-z]//g' <<<"$all")
}
terminal "$cth top $ftp" q
like "q ends it" "$plain" '^left 0'
like "it has had a screen of its own" "$all" $'\033[[][?]1049h\033[[][?]25l'
like "and has given it back" "$all" $'\033[[][?]25h\033[[][?]1049l'
like "with what there is" "$plain" '^ftp +1 lan +- +- '
like "the terminal is as it was" "$plain" '(^| )icanon( |$)'
unlike "and echoes again" "$plain" '-icanon|-echo( |;|$)|susp = <undef>'
is "no line is longer than the terminal is wide" \
	"$(sed '1,/begun/d; /^left/,$d' <<<"$plain" | awk 'length > 60')" ""
terminal "$cth top $ftp" $'\003'
like "Ctrl-C ends it" "$plain" '^left 0'
like "with the screen given back" "$all" $'\033[[][?]25h\033[[][?]1049l'
terminal "$cth top -n 1 $ftp </dev/null" ''
like "so does the last look" "$plain" '^left 0'
like "which tells what has come since the first" "$plain" '^ftp +1 lan +[0-9]+\.[0-9] '

tap_end
