#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/replay.sh -- cth replay --helper as it is called: without privilege, from standard
# input, twice the same. What it makes of each recording, test/unit/replay.c compares.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/tap
. test/tools/says
cth=${BUILD:-build}/cth
masq=test/recordings/conntrackd-ftp-masq-port.pcap

says "a protocol decides what was recorded" 0 \
	'^  expected tcp src=10\.0\.2\.2 dst=10\.0\.2\.1 sport=0 dport=53605 ' \
	'38 frames: 18 packets of the helper ftp, 9 of them bare; 1 expected' \
	"$cth" replay --helper ftp "$masq"
first=$(<"$work/out")
ok "from a terminal or not, without privilege" setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$cth" replay --helper ftp "$masq"
is "it is the same each time" "$("$cth" replay --helper ftp "$masq" 2>/dev/null)" "$first"
is "and from standard input" "$("$cth" replay --helper ftp - <"$masq" 2>/dev/null)" "$first"
is "JSON: an object for each packet with something for it" \
	"$("$cth" replay -j --helper ftp "$masq" 2>/dev/null | grep -c '^{"frame":.*"verdict":"ACCEPT"}$')" 9
says "TFTP, whose first packet announces" 0 '^  verdict ACCEPT with flow expectation$' \
	'2 packets of the helper tftp' "$cth" replay --helper tftp test/recordings/conntrackd-tftp-v4v6.pcap
says "an unknown protocol" 2 "" "'nosuch' is not a protocol; there are: .*ftp" \
	"$cth" replay --helper nosuch "$masq"
says "another protocol's recording" 1 "" 'ENOENT: no flow in it has a helper .*; its helpers are: ftp' \
	"$cth" replay --helper tftp "$masq"
says "options that need a protocol" 2 "" 'only with --helper' "$cth" replay --as ftp "$masq"
says "a result that cannot be written" 1 "" 'write to standard output: E' \
	sh -c "'$cth' replay --helper ftp '$masq' >/dev/full"
tap_end
