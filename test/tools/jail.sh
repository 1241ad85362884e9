#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/jail.sh -- giving up privilege, on the running kernel: test/tools/jail.c, for 64
# bits, for 32, and static with musl. Prints TAP.
#
# Needs root, and a kernel with CONFIG_SECCOMP_FILTER. Exit: 77 the means are missing.

set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" -eq 0 ] || { echo "test/tools/jail.sh: needs root" >&2; exit 77; }
grep -q '^Seccomp:' /proc/self/status || { echo "test/tools/jail.sh: this kernel has no seccomp" >&2; exit 77; }
test/deps gcc libc6-dev-i386 gcc-12-multilib musl-tools linux-libc-dev util-linux || exit

. test/tap
. test/tools/says

uapi="-idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)"

build() { # NAME COMPILER...
	local name=$1
	shift
	"$@" -std=c11 -D_GNU_SOURCE -O1 -ffunction-sections -Wl,--gc-sections -o "$work/$name" \
		test/tools/jail.c tools/jail.c tools/seccomp.c tools/say.c tools/log.c tools/proc.c tools/trim.c
}

# shellcheck disable=SC2086 # $uapi is words
{
	ok "it builds" build native "${CC:-cc}"
	ok "for 32 bits" build m32 gcc -m32 $uapi
	ok "static, with musl" build musl musl-gcc -static $uapi
}

for kind in native m32 musl; do
	for case in $("$work/$kind" --list); do
		name="$kind: ${case//_/ }"
		output=$(timeout 120 "$work/$kind" "$case" 2>&1)
		status=$?
		if [ "$status" -eq 77 ]; then
			skip "$name" "this kernel cannot do what it takes"
		elif [ "$status" -eq 0 ]; then
			tap_line ok "$name"
		else
			tap_line "not ok" "$name" "$output"
		fi
	done
done

# ---- what is said when it cannot be done ----

jail=$work/native
says "who is not root" 4 "" \
	'give up privilege: change the root folder: EPERM: this needs root, with CAP_SYS_CHROOT; start it as root' \
	setpriv --reuid=65534 --regid=65534 --clear-groups "$jail" --enter worker

lacks() { # CAPABILITY KIND SENTENCE
	says "root that lacks $1" 4 "" "give up privilege: $3" \
		setpriv --bounding-set="-$1" "$jail" --enter "$2"
}
lacks sys_chroot worker 'change the root folder: EPERM: this needs root, with CAP_SYS_CHROOT; '
lacks setpcap worker 'empty the bounding set of capabilities: EPERM: this needs root, with CAP_SETPCAP; '
lacks setgid worker 'leave all groups: EPERM: this needs root, with CAP_SETGID, '
lacks setuid worker 'change the user: EPERM: this needs root, with CAP_SETUID; '
lacks net_admin keeper 'reduce the capabilities: EPERM: .*CAP_NET_ADMIN'

says "root as the user" 1 "" 'look at the settings: EINVAL: .*; name a user and a group of their own' \
	"$jail" --enter user
says "a kernel without filters" 3 "" \
	'filter system calls: ENOSYS: this kernel has no filters .*CONFIG_SECCOMP_FILTER.*; run it without them: --no-seccomp' \
	"$jail" --enter old
says "a root folder that is not there" 1 "" 'look at the empty root folder: ENOENT: .*; make it' \
	"$jail" --enter "$work/none"
says "one that is not empty" 1 "" 'look at the empty root folder: ENOTEMPTY: something is in it' \
	"$jail" --enter "$work"
mkdir "$work/open"
chmod 777 "$work/open"
says "one that all may write" 4 "" 'look at the empty root folder: EACCES: it is not root.s, or ' \
	"$jail" --enter "$work/open"
chmod 755 "$work/open"
says "one that is good" 0 "" "" "$jail" --enter "$work/open"
says "the others can go in" 0 "" "" "$jail" --enter keeper

# Nowhere to make one: a mount namespace in which all that is tried is read-only.
says "no folder can be made" 1 "" \
	'make an empty root folder: EROFS: no folder can be made in /run, /tmp, /var/tmp or /dev/shm; ' \
	unshare -m sh -c "cp $jail /root/.cth-jail-\$\$ && exec 3</root/.cth-jail-\$\$ && rm /root/.cth-jail-\$\$ &&
	for d in /run /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro none \$d 2>/dev/null; done; exec /proc/self/fd/3 --enter worker"

tap_end
