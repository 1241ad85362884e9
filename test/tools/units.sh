#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/units.sh -- tools/units: what systemd thinks of the unit; the scripts for OpenRC and for
# OpenWrt's procd, read by the shells that they are for and run with these programs' functions mocked
# (test/tools/units). Prints TAP. test/vm/systemd has the unit with a real systemd.

# shellcheck disable=SC2154 # work is of test/tools/says
set -u
cd "$(dirname "$0")/../.." || exit 1
. test/tap
. test/tools/says
BUILD=$(cd "${BUILD:-build}" && pwd)
cth=$BUILD/cth

root=$work/root
mkdir -p "$root/bin"
cp "$cth" "$root/bin/cth"
for init in systemd openrc procd sysv; do
	ok "make install-units INIT=$init" make -s install-units INIT=$init DESTDIR= BINDIR="$root/bin" \
		UNITDIR="$root/$init" SYSUSERSDIR="$root/$init" EXAMPLEDIR="$root/doc" SYSCONFDIR="$root/$init"
done
unit=$root/systemd/cth.service
is "no path is left open" "$(grep -rl '@[A-Z]*@' "$root/systemd" "$root/openrc" "$root/procd" "$root/sysv")" ""
for f in openrc/init.d/cth procd/init.d/cth sysv/init.d/S34cth; do
	ok "$f can be executed" test -x "$root/$f"
done
echo mine >"$root/procd/config/cth"
ok "installed again" make -s install-units INIT=procd BINDIR="$root/bin" EXAMPLEDIR="$root/doc" SYSCONFDIR="$root/procd"
is "a configuration that was there stays" "$(<"$root/procd/config/cth")" mine

# ---- systemd ----

if command -v systemd-analyze >/dev/null; then
	output=$(systemd-analyze verify --man=no "$unit" 2>&1)
	is "systemd has nothing to say against the unit" "$?: $output" "0: "
	security=$(systemd-analyze security --offline=true --no-pager "$unit" 2>&1)
	score=$(sed -n 's/.*exposure level for cth.service: \([0-9.]*\).*/\1/p' <<<"$security")
	ok "it is less exposed than 3 of 10" awk -v s="$score" 'BEGIN { exit !(s != "" && s < 3) }'
	echo "# systemd-analyze security: $score"
	mkdir -p "$root/etc"
	ok "its users can be made" systemd-sysusers --root="$root" "$root/systemd/cth.conf"
	like "both" "$(cut -d: -f1 "$root/etc/passwd" | tr '\n' ' ')" '^cth-keeper cth-worker '
else
	skip "what systemd says of the unit" "no systemd-analyze"
fi
caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr ' ' '\n' | sort | tr '\n' ' ')
guardian=$(sed -n '/define JAIL_GUARDIAN_CAPS/,/^$/p' tools/jail.h | grep -o 'JAIL_CAP_[A-Z_]*' |
	sed 's/JAIL_//' | sort | tr '\n' ' ')
is "it has the guardian's capabilities, no others" "$caps" "$guardian"

# ---- shells ----

for f in tools/units/cth.openrc tools/units/cth.procd tools/units/cth.sysv; do
	for shell in "busybox ash" dash "bash --posix"; do
		command -v "${shell%% *}" >/dev/null || continue
		ok "$f is read by $shell" $shell -n $f
	done
	if command -v shellcheck >/dev/null; then
		ok "$f: shellcheck" shellcheck -s sh -e SC2034,SC2154,SC3043 $f
	else
		skip "$f: shellcheck" "not installed"
	fi
done
ash=(busybox ash)
command -v busybox >/dev/null || ash=(sh)

# ---- OpenWrt ----

export UCI=$work/uci PROCD=$work/procd LOGGED=$work/logged
procd=$work/cth.procd
# /var is the machine's; here it is ours.
sed "s|/var/|$work/var/|g" "$root/procd/init.d/cth" >"$procd"
conf=$work/var/run/cth/cth.conf

service() { # COMMAND
	: >"$PROCD"
	: >"$LOGGED"
	"${ash[@]}" test/tools/units/rc.common "$procd" "$1"
}

cat >"$UCI" <<'END'
section cth main
option main enabled 1
section helper ftp
option ftp protocol ftp
option ftp queue 1
END
says "check" 0 ': right: 1 helper$' "" service check
ok "it starts" service start
is "what procd is told" "$(grep -v '^modprobe\|^sleep' "$PROCD")" "instance
command $root/bin/cth run --config $conf
file $conf
reload_signal HUP
respawn 0 1 0
stdout 1
stderr 1
term_timeout 30
end"
is "modules are loaded" "$(grep -c '^modprobe -q nf' "$PROCD")" 3
is "nobody serves here: so it has waited, and said so" "$(grep -c sleep "$PROCD") $(<"$LOGGED")" "10 it does not serve yet"
is "the configuration" "$(sed 1d "$conf" | grep -v '^\(keeper 64901\|worker 64902\)$')" "status \"$work/var/run/cth/status\"
log to \"syslog\"

helper \"ftp\"
	queue \"1\""
like "where there are no such users, numbers" "$(<"$conf")" '^keeper 64901$'

# All that there is, and values that try to be more than one.
cat >"$UCI" <<'END'
section cth main
option main keeper 1001
option main worker 1002
option main status off
option main packets /var/lib/"x\y"
option main restarts 7/30
option main deadline 250
option main log stderr
section helper ftp
option ftp protocol ftp
option ftp name ftp-dmz
option ftp netns dmz
option ftp queue 7
option ftp length 1000
option ftp attach 1
list ftp ports 21
list ftp ports 2121,8000-8010
list ftp families ipv4
list ftp families ipv6
list ftp allow foreign
list ftp allow low-ports
option ftp expectations 1000
option ftp decisions 20000
option ftp fail closed
option ftp full open
list ftp class ftp max 4 timeout 60
section helper tftp
option tftp protocol tftp
option tftp enabled 0
END
service check >/dev/null 2>&1
is "every option has its word" "$(sed 1d "$work/var/run/cth/cth.conf.check")" 'keeper "1001"
worker "1002"
status off
packets "/var/lib/\"x\\y\""
restarts "7" in "30" seconds
deadline "250" ms
log to "stderr"

helper "ftp"
	as "ftp-dmz"
	netns "dmz"
	queue "7"
	length "1000"
	attach
	families "ipv4,ipv6"
	ports "21,2121,8000-8010"
	allow "foreign,low-ports"
	expectations "1000" per second
	decisions "20000" per second
	fail "closed"
	full "open"
	class ftp max 4 timeout 60'
sed -i '/netns/d; /packets/d' "$UCI"
says "and all of them are understood" 0 ': right: 1 helper$' "" service check
sed -i 's/^option ftp name .*/option ftp name x" queue 9\\nhelper "tftp/' "$UCI"
says "a value with a line's end stays one value" 2 "" "name 'x\" queue 9 helper \"tftp': 1 to 15 letters" service check

# A reload.
cat >"$UCI" <<'END'
section helper ftp
option ftp protocol ftp
option ftp queue 1
END
service start
cp "$conf" "$work/before"
sed -i 's/queue 1/queue x/' "$UCI"
says "a reload with an error is refused" 1 "" "cth.conf.new:[0-9]+: .*'x'.* a number from 0 to 65535" service reload
is "procd is told nothing, and stops nothing" "$(<"$PROCD")" ""
like "the log is" "$(<"$LOGGED")" "a number from 0 to 65535"
ok "the old configuration stays" cmp "$conf" "$work/before"
sed -i 's/queue x/queue 2/' "$UCI"
ok "a reload without one" service reload
like "the new one is there" "$(<"$conf")" 'queue "2"'
like "and procd is told to look at it" "$(<"$PROCD")" '^file '
ok "triggers" service service_triggers
is "a change of /etc/config/cth reloads it" "$(<"$PROCD")" "trigger cth"
sed -i '$a option ftp enabled 0' "$UCI"
says "without any helper it does not start" 1 "" "" service start
like "the log says why" "$(<"$LOGGED")" "no helper is enabled in /etc/config/cth"
printf 'section cth main\noption main enabled 0\n' >"$UCI"
ok "disabled, it starts nothing" service start
is "and procd has nothing to run" "$(<"$PROCD")" ""

# ---- OpenRC ----

export DONE=$work/done cth_config=$work/rc.conf
rc() { # FUNCTION
	: >"$DONE"
	"${ash[@]}" test/tools/units/openrc-run "$root/openrc/init.d/cth" "$1"
}
printf 'keeper 64901\nworker 64902\nhelper ftp queue 1\n' >"$cth_config"
ok "depend" rc depend
like "it comes before rulesets are loaded" "$(<"$DONE")" '^before .*nftables'
ok "checkconfig" rc checkconfig
ok "before the start" rc start_pre
is "modules that do not load are no reason not to start" "$(grep -c '^modprobe' "$DONE")" 3
like "its folder is made" "$(<"$DONE")" '^checkpath .* /run/cth$'
cth_status=$work/nobody cth_wait=3 rc start_post
is "behind the start it waits until it serves, but not for ever" "$(<"$DONE")" "sleep 1
sleep 1
sleep 1
ewarn cth does not serve yet; the system's log may tell why"
ok "reload" rc reload
is "is a signal" "$(<"$DONE")" "supervise-daemon cth --signal HUP"
echo 'helper ftp queue x' >>"$cth_config"
says "a reload with an error is refused" 2 "" "rc.conf:4: .*'x'" rc reload
is "and sends none" "$(<"$DONE")" ""
says "nor does it start" 1 "" "rc.conf:4: " rc start_pre

# ---- BusyBox ----

# What the script calls writes down what it was called with; a process is there as long as its file is.
mkdir "$work/sysv"
for program in modprobe sleep chmod start-stop-daemon; do
	cat >"$work/sysv/$program" <<-END
		#!/bin/sh
		[ "\$1" = -q ] || echo "$program \$*" >>"$DONE"
		case "$program \$1" in
		"start-stop-daemon -S") touch "$work/running" ;;
		"start-stop-daemon -K") [ -e "$work/running" ] || exit 1 ;;
		"sleep 1") [ ! -e "$work/stopping" ] || rm -f "$work/running" ;;
		esac
	END
	chmod +x "$work/sysv/$program"
done
sed -E "s,(/run|/var/lib)/?cth,$work&,g; s/^WAIT=.*/WAIT=2/" "$root/sysv/init.d/S34cth" >"$work/S34cth"
sysv() { # COMMAND
	: >"$DONE"
	PATH=$work/sysv:$PATH sh "$work/S34cth" "$1" # busybox would take its own
}
conf=$root/sysv/cth.conf
daemon="-q -p $work/run/cth.pid -x $root/bin/cth"
says "without cth.conf nothing is started" 0 "there is no $conf, and so nothing to serve" "" sysv start
is "nothing at all" "$(<"$DONE")" ""
printf 'keeper 64901\nworker 64902\nhelper ftp queue x\n' >"$conf"
says "nor with an error in it" 2 "" "cth.conf:3: .*'x'" sysv start
is "nothing either" "$(<"$DONE")" ""
sed -i 's/queue x/queue 1/' "$conf"
says "check" 0 ': right: 1 helper$' "" sysv check
says "it starts, and waits until it serves, but not for ever" 0 "Starting cth" "cth does not serve yet" sysv start
is "with" "$(<"$DONE")" "chmod 700 $work/var/lib/cth
start-stop-daemon -S -q -b -m -p $work/run/cth.pid -x $root/bin/cth -- run --config $conf --log syslog
sleep 1
sleep 1"
ok "reload" sysv reload
is "is a signal" "$(<"$DONE")" "start-stop-daemon -K -q -s HUP ${daemon#-q }"
touch "$work/stopping"
ok "stop" sysv stop
is "waits until it has ended" "$(<"$DONE")" "start-stop-daemon -K $daemon
start-stop-daemon -K -t $daemon
sleep 1
start-stop-daemon -K -t $daemon"
exits "stopping what does not run" 1 "" sysv stop
exits "another word" 2 "usage: .* start|stop|restart|reload|check" sysv nonsense

tap_end
