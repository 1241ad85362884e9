#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test/tools/seccomp-arch.sh [NAME...] -- the filters of system calls for other processors, as far
# as compiling tells: do they know what the kernel calls the processor, are the worker's calls
# those of the kernel's table, can the keeper do what it has to and make no socket? Prints TAP.
#
# Where there is no compiler of Debian's for a processor (gcc-12-TRIPLET, libc6-dev-...), clang and
# the kernel's headers do (linux-libc-dev-...-cross), with no libc but the few lines below. They are
# looked for in CTH_CROSS (default /usr), where TRIPLET/include is. A processor without either is
# skipped by name.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/tap
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cross=${CTH_CROSS:-/usr}
[ -n "${CTH_CROSS-}" ] ||
	test/deps clang linux-libc-dev-{armhf,arm64,mips,mipsel,mips64el,riscv64,powerpc,ppc64el,s390x}-cross || true

# What seccomp.c wants of a libc, where there are the kernel's headers alone.
mkdir -p "$dir/libc/sys"
cat >"$dir/libc/unistd.h" <<'END'
#pragma once
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/unistd.h>
#include <linux/prctl.h>
extern int errno;
long syscall(long number, ...);
int prctl(int option, ...);
END
for header in errno.h fcntl.h sys/ioctl.h sys/mman.h sys/prctl.h sys/syscall.h; do
	echo '#include <unistd.h>' >"$dir/libc/$header"
done

# NAME, TRIPLET, the kernel's name, the first number, bits of a long, and the worker's calls as
# the kernel numbers them: read write exit exit_group rt_sigreturn restart_syscall, and
# sigreturn where it is.
table="
x86_64   x86_64-linux-gnu       X86_64   0    64 0 1 60 231 15 219
i386     i686-linux-gnu         I386     0    32 3 4 1 252 173 0 119
arm      arm-linux-gnueabihf    ARM      0    32 3 4 1 248 173 0 119
aarch64  aarch64-linux-gnu      AARCH64  0    64 63 64 93 94 139 128
mips     mips-linux-gnu         MIPS     4000 32 4003 4004 4001 4246 4193 4253 4119
mipsel   mipsel-linux-gnu       MIPSEL   4000 32 4003 4004 4001 4246 4193 4253 4119
mips64el mips64el-linux-gnuabi64 MIPSEL64 5000 64 5000 5001 5058 5205 5211 5213
riscv64  riscv64-linux-gnu      RISCV64  0    64 63 64 93 94 139 128
powerpc  powerpc-linux-gnu      PPC      0    32 3 4 1 234 172 0 119
ppc64le  powerpc64le-linux-gnu  PPC64LE  0    64 3 4 1 234 172 0 119
s390x    s390x-linux-gnu        S390X    0    64 3 4 1 248 173 7 119
"

# The compiler for a triplet, as words; nothing: there is none.
compiler() {
	local triplet=$1 host
	host=$(gcc -print-multiarch)
	case $triplet in
	"$host") echo gcc; return ;;
	i686-linux-gnu) [ ! -e /usr/include/gnu/stubs-32.h ] && [ ! -e "/usr/include/$host/gnu/stubs-32.h" ] ||
		{ echo "gcc -m32 -idirafter /usr/include/$host"; return; } ;;
	esac
	for cc in "$triplet-gcc" "$triplet-gcc-12"; do
		command -v "$cc" >/dev/null && { echo "$cc"; return; }
	done
	[ -e "$cross/$triplet/include/asm/unistd.h" ] && command -v clang >/dev/null &&
		echo "clang --target=$triplet -nostdlibinc -isystem $dir/libc -isystem $cross/$triplet/include"
}

# The numbers of a list, as the preprocessor leaves it.
numbers() { # LIST
	local text
	sed -n "/ $1\[\] *= *{/,/^};/p" "$dir/text" | sed 1d | grep -oE '\{ *[^,{}]+,' | tr -d '{,' |
		while read -r text; do echo $((text)); done
}

# The numbers of these calls: one that this processor does not have has none.
declare -A nr
ask_numbers() {
	local call number
	nr=()
	# shellcheck disable=SC2086 # the compiler is words
	while read -r call number; do
		nr[${call#call_}]=$((number))
	done < <(
		{
			echo '#include <sys/syscall.h>'
			for call in ${needed//|/ } $never; do
				printf '#ifdef __NR_%s\ncall_%s __NR_%s\n#endif\n' "$call" "$call" "$call"
			done
		} | $cc -E -P -x c - | grep '^call_'
	)
}

# The keeper's: one at least of each group that the processor has.
needed="recvmmsg|recvmmsg_time64|socketcall sendmsg|socketcall recvmsg|socketcall sendto|socketcall
	recvfrom|socketcall accept4|socketcall
	setsockopt|socketcall poll|ppoll epoll_wait|epoll_pwait epoll_ctl clock_gettime|clock_gettime64
	clock_nanosleep|clock_nanosleep_time64
	lseek|_llseek ftruncate|ftruncate64 fstat|fstat64|newfstatat|statx mmap|mmap2 futex getrandom ioctl
	writev fcntl|fcntl64 setitimer"
never="socket epoll_create1 connect bind listen socketpair open openat openat2 creat
	execve execveat clone clone3 fork vfork
	ptrace bpf mount kill tgkill prctl seccomp setuid setresuid setresuid32 capset truncate truncate64
	process_vm_readv process_vm_writev memfd_create io_uring_setup ipc unshare setns chroot pidfd_getfd
	dup dup2 dup3 unlink unlinkat rename"

allows_what_it_needs() {
	local group call
	for group in $needed; do
		for call in ${group//|/ }; do
			[ -z "${nr[$call]-}" ] || ! grep -qx "${nr[$call]}" "$dir/keeper" || continue 2
		done
		echo "none of $group"
		return 1
	done
}

allows_nothing_else() {
	local call
	for call in $never; do
		[ -z "${nr[$call]-}" ] || ! grep -qx "${nr[$call]}" "$dir/keeper" "$dir/worker" || {
			echo "$call is allowed"
			return 1
		}
	done
	[ -n "${nr[execve]-}" ] # or none was asked for
}

# What a compiler can prove.
cat >"$dir/proof.c" <<'END'
#include "tools/seccomp.c"
#include <linux/audit.h>
_Static_assert(ARCH == KERNELS, "what the kernel calls it");
_Static_assert(sizeof(long) * 8 == BITS, "bits");
_Static_assert((__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) == (LOWER_HALF == 0), "order");
#if BITS == 32
_Static_assert(__NR_clock_gettime64 == FIRST + 403, "");
_Static_assert(__NR_clock_nanosleep_time64 == FIRST + 407, "");
_Static_assert(__NR_ppoll_time64 == FIRST + 414, "");
_Static_assert(__NR_recvmmsg_time64 == FIRST + 417, "");
_Static_assert(__NR_futex_time64 == FIRST + 422, "");
#endif
END
cat >"$dir/proof-jail.c" <<'END'
#if LIBC
#include "tools/jail.c"
#else
#include <sys/syscall.h>
#endif
_Static_assert(__NR_close_range == FIRST + 436, "");
END

try() { # NAME KERNEL FIRST BITS CALLS...
	local name=$1 flags calls libc=1
	[[ $cc != *"$dir/libc"* ]] || libc=0
	flags="-std=c11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -DKERNELS=AUDIT_ARCH_$2 -DFIRST=$3 -DBITS=$4 -DLIBC=$libc"
	shift 4
	calls="$*"
	# shellcheck disable=SC2086 # words
	{
		ok "$name: its name and numbers" $cc $flags -c -o "$dir/proof.o" "$dir/proof.c"
		ok "$name: the jail compiles" $cc $flags -c -o "$dir/proof.o" "$dir/proof-jail.c"
		$cc $flags -E -P tools/seccomp.c >"$dir/text"
	}
	numbers worker_calls >"$dir/worker"
	numbers keeper_calls >"$dir/keeper"
	is "$name: the worker's calls" "$(tr '\n' ' ' <"$dir/worker")" "$calls "
	ask_numbers
	ok "$name: the keeper can work" allows_what_it_needs
	ok "$name: and do nothing else" allows_nothing_else
}

while read -r name triplet words; do
	[ -n "$name" ] || continue
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	cc=$(compiler "$triplet")
	if [ -z "$cc" ]; then
		skip "$name" "no compiler: gcc-12-${triplet//_/-}, or clang and linux-libc-dev for it"
		continue
	fi
	# shellcheck disable=SC2086 # words
	try "$name" $words
done <<<"$table"
tap_end
