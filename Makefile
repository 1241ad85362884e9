# SPDX-License-Identifier: MIT
# libcthelper.  make, make demo, make check, make install; V=1 shows the commands.
# Everything that is built goes to $(BUILD).

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
AR      ?= ar
CFLAGS  ?= -Os -g
LDFLAGS ?=

VERSION   := 0.1.0
SOVERSION := 0

# A word of the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
# make's lists are words: a folder with a blank in its name would be two.
without_blanks = $(foreach name,$(1),$(if $(word 2,[$($(name))]),$(error \
	$(name)="$($(name))": make cannot have a blank in the name of a folder: take one without)))
$(call without_blanks,BUILD PREFIX DESTDIR)

# The library is C11 without extensions; the tools may use what libc has, and on 32 bits they
# look at files whose inode has more.
COMMON := -std=c11 -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
COMPILE = $(CC) $(COMMON) $(CPPFLAGS) $(CFLAGS) -MMD -MP
TOOL_DEFINES := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DCTH_VERSION='"$(VERSION)"'

LIB_SRC  := $(sort $(wildcard netlink/*.c queue/*.c cthelper/*.c cthelper/proto/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c))
# What runs as long as a service does is linked last, beside the library: what stands together is
# in memory together, and the rest is not.
SERVING  := channel guardian interrupts jail json keeper kept kernel line listen log manager notify \
	proc run run_counts run_limits run_list run_places run_show run_status say seccomp \
	status_counters status_serve status_snapshot trim watch worker
LINKS    := nfct-helper-add nfct-helper-del nfct-helper-get nfqnl_test

# PROTOS="ftp tftp" and TOOLS="run queue" leave out all other protocols and applets: the lists
# of those that stay are made in $(BUILD)/choice, and so is that of the symbols to be shown. Names
# come to the shell in quotes, and behind the $(error) they are known ones.
override PROTOS := $(strip $(PROTOS))
override TOOLS  := $(strip $(TOOLS))
ifneq ($(PROTOS),)
LIB_SRC := $(filter-out cthelper/proto/% cthelper/protos.c,$(LIB_SRC)) choice/protos.c \
	$(shell tools/choose files $(call quoted,$(PROTOS)))
ifneq ($(.SHELLSTATUS),0)
$(error PROTOS="$(PROTOS)" does not name protocols that there are)
endif
endif
ifneq ($(TOOLS),)
TOOL_SRC := $(filter-out tools/applets.c,$(TOOL_SRC)) choice/applets.c
LINKS    := $(shell tools/choose links $(call quoted,$(TOOLS)))
ifneq ($(.SHELLSTATUS),0)
$(error TOOLS="$(TOOLS)" does not name applets that there are)
endif
endif
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
PIC_OBJ  := $(LIB_SRC:%.c=$(BUILD)/pic/%.o)
SERVING  := $(filter $(SERVING:%=tools/%.c),$(TOOL_SRC))
TOOL_SRC := $(filter-out $(SERVING),$(TOOL_SRC)) $(SERVING)
TOOL_OBJ := $(TOOL_SRC:%.c=$(BUILD)/%.o)

# What is private to the library stays out of an installation.
PRIVATE  := netlink/uapi.h netlink/take.h cthelper/nft.h cthelper/inner.h cthelper/steps.h
HEADERS  := $(filter-out $(PRIVATE),$(wildcard netlink/*.h queue/*.h cthelper/*.h))

STATIC_LIB := $(BUILD)/libcthelper.a
SHARED_LIB := $(BUILD)/libcthelper.so.$(VERSION)
# SHARED=no: it is neither built nor installed, as where all is linked statically.
SHARED     ?= yes
SHARES     := $(filter-out no,$(SHARED))
# What the shared library shows; test/rules holds it against the headers. A linker may refuse a
# list with protocols that are not there.
SYMBOLS    := $(if $(PROTOS),$(BUILD)/choice,tools)/libcthelper.map

ifeq ($(V),)
say = @printf '  %-5s %s\n' $(1) $@;
endif

all: $(BUILD)/cth $(STATIC_LIB) $(if $(SHARES),$(SHARED_LIB)) $(LINKS:%=$(BUILD)/%)

# What things are built with. Each of these files has that in a line, and is written only when the
# line is another one: what depends on it is then built again.
compiler = $(COMPILE) $(TOOL_DEFINES)
archiver = $(AR)
linker   = $(CC) $(CFLAGS) $(LDFLAGS)
choice   = $(PROTOS); $(TOOLS)
WITH     := $(BUILD)/with
$(addprefix $(WITH)/,compiler archiver linker choice): $(WITH)/%: FORCE
	@mkdir -p $(@D)
	@echo $(call quoted,$($*)) | cmp -s - $@ || echo $(call quoted,$($*)) >$@

$(STATIC_LIB): $(LIB_OBJ) $(WITH)/archiver $(WITH)/choice
	$(call say,AR) rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(SHARED_LIB): $(PIC_OBJ) $(SYMBOLS) $(WITH)/linker $(WITH)/choice
	$(call say,LD) $(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libcthelper.so.$(SOVERSION) \
		-Wl,--version-script,$(SYMBOLS) -o $@ $(filter %.o,$^)
	@ln -sf $(@F) $(BUILD)/libcthelper.so.$(SOVERSION)
	@ln -sf $(@F) $(BUILD)/libcthelper.so

# LAYOUT: the linker's script, if LDFLAGS name one.
$(BUILD)/cth: $(TOOL_OBJ) $(STATIC_LIB) $(LAYOUT) $(WITH)/linker $(WITH)/choice
	$(call say,LD) $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--gc-sections -o $@ $(filter %.o %.a,$^)

$(LINKS:%=$(BUILD)/%): $(BUILD)/cth
	@ln -sf cth $@

$(BUILD)/tools/%.o: tools/%.c $(WITH)/compiler
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) $(TOOL_DEFINES) -c -o $@ $<

$(BUILD)/pic/%.o: %.c $(WITH)/compiler
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) -fPIC -c -o $@ $<

$(BUILD)/%.o: %.c $(WITH)/compiler
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) -c -o $@ $<

$(BUILD)/choice/protos.c: tools/choose cthelper/protos.c $(WITH)/choice
	@mkdir -p $(@D)
	@tools/choose protos $(PROTOS) >$@

$(BUILD)/choice/libcthelper.map: tools/choose tools/libcthelper.map $(WITH)/choice
	@mkdir -p $(@D)
	@tools/choose symbols $(PROTOS) >$@

$(BUILD)/choice/applets.c: tools/choose tools/applets.c $(WITH)/choice
	@mkdir -p $(@D)
	@tools/choose applets $(TOOLS) >$@

$(BUILD)/choice/protos.o: $(BUILD)/choice/protos.c $(WITH)/compiler
	$(call say,CC) $(COMPILE) -iquote cthelper -c -o $@ $<

$(BUILD)/pic/choice/protos.o: $(BUILD)/choice/protos.c $(WITH)/compiler
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) -iquote cthelper -fPIC -c -o $@ $<

$(BUILD)/choice/applets.o: $(BUILD)/choice/applets.c $(WITH)/compiler
	$(call say,CC) $(COMPILE) $(TOOL_DEFINES) -iquote tools -c -o $@ $<

# cth without glibc, in $(BUILD)/static. musl has no kernel headers of its own: those of
# the system, below UAPI_DIR, where Debian has a part of them in a folder for each machine, are looked
# for last, so that none of glibc's comes before musl's. A program that is never relocated needs
# nothing that is read-only only later, and one that is to be small no segment for each kind of what
# is read only.
MUSL_CC  ?= musl-gcc
STRIP    ?= -s
UAPI_DIR ?= /usr/include
MUSL_UAPI = -idirafter $(UAPI_DIR) $(addprefix -idirafter $(UAPI_DIR)/,$(shell $(MUSL_CC) -print-multiarch 2>/dev/null))
static:
	@command -v $(firstword $(MUSL_CC)) >/dev/null || { echo "make static: there is no $(firstword $(MUSL_CC)):" \
		"install a compiler for musl (Debian: musl-tools), or name yours: MUSL_CC=" >&2; exit 1; }
	@echo '#include <linux/netlink.h>' | $(MUSL_CC) $(MUSL_UAPI) -fsyntax-only -x c - || { echo "make static: the" \
		"kernel's headers are not in $(UAPI_DIR): install them (Debian: linux-libc-dev), or say UAPI_DIR=" >&2; exit 1; }
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/static CC=$(MUSL_CC) LAYOUT=tools/serving.ld \
		CFLAGS="$(CFLAGS) -fno-pie" \
		LDFLAGS="-static -no-pie $(STRIP) -Wl,-T,tools/serving.ld -Wl,--build-id=none \
			-Wl,-z,noseparate-code,-z,norelro,-z,common-page-size=64" \
		CPPFLAGS="$(MUSL_UAPI)" \
		$(BUILD)/static/cth

# The library as two files, $(BUILD)/amalgam/cth.c and cth.h; with PROTOS, of these protocols.
amalgam:
	@tools/amalgam $(BUILD)/amalgam $(VERSION) $(PROTOS)

demo: all
	@BUILD=$(BUILD) test/demo

check: all
	@BUILD=$(BUILD) CC="$(CC)" test/check $(STAGES)

# The full tables, with 1,000 sessions each and 50 at once, and 560 kills: an hour or so.
check-vm: all
	@BUILD=$(BUILD) CC="$(CC)" CTH_SESSIONS=1000 CTH_PARALLEL=50 CTH_SERVE_SECONDS=7200 \
		CTH_KILLS_WORKER=500 CTH_KILLS_KEEPER=50 CTH_KILLS_ALL=10 \
		test/check serve-6.1 serve-6.12 more-6.1 rules-6.12

# Each protocol but FTP and TFTP with the programs that speak it, on two kernels.
check-protocols: all
	@BUILD=$(BUILD) CC="$(CC)" test/check protocols-6.1 protocols-6.12

# The unit tests on fourteen machines, most of them under qemu-user, or on those in MACHINES: a quarter
# of an hour. The check has nine of them, and the host's own.
check-arch:
	@BUILD=$(BUILD) test/arch $(MACHINES)

# The same cases with conntrack-tools' helpers and the kernel's own, in one table.
compare: all
	@BUILD=$(BUILD) test/vm/compare $(WHO)

# Against other programs and libraries, with the goals: tables, CSV and SVG in $(BUILD)/bench.
bench: all
	@BUILD=$(BUILD) CC="$(CC)" test/bench/run $(PARTS)

# Full load in the VM for SECONDS, with kills: memory and descriptors have to stay flat.
soak: all
	@BUILD=$(BUILD) test/vm/soak $(or $(SECONDS),600)

fuzz:
	@BUILD=$(BUILD) test/fuzz/run $(or $(SECONDS),30) $(TARGETS)

# Sizes of what goes into other people's firmware, per object and in all; where musl can
# be had, the static cth too.
size: all
	@$(MAKE) -s --no-print-directory static >/dev/null || true
	@BUILD=$(BUILD) test/size

# The reference of the interface, from the headers: what is declared, with its contract.
api:
	@mkdir -p $(BUILD)
	$(call say,API) awk -f tools/api.awk $(foreach d,netlink queue cthelper,$(sort $(filter $d/%,$(HEADERS)))) \
		>$(BUILD)/api

# Where things go on the system that they are for. Headers keep their folders, so that they find
# each other: #include <cth/queue/queue.h>
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
MANUAL     := $(wildcard tools/man/*)
$(call without_blanks,BINDIR LIBDIR INCLUDEDIR MANDIR BASHDIR ZSHDIR FISHDIR)
# As pkg-config wants a folder, so that all follow a prefix that moves.
below_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

install: all
	@install -d $(sort $(dir $(INSTALLED:%=$(DESTDIR)%)))
	install -m 755 $(BUILD)/cth $(DESTDIR)$(BINDIR)/cth
	install -m 644 $(STATIC_LIB) $(DESTDIR)$(LIBDIR)/
ifneq ($(SHARES),)
	install -m 755 $(SHARED_LIB) $(DESTDIR)$(LIBDIR)/
	ln -sf $(notdir $(SHARED_LIB)) $(DESTDIR)$(LIBDIR)/libcthelper.so.$(SOVERSION)
	ln -sf $(notdir $(SHARED_LIB)) $(DESTDIR)$(LIBDIR)/libcthelper.so
endif
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@INCLUDEDIR@|$(call below_prefix,$(INCLUDEDIR))|' \
		-e 's|@LIBDIR@|$(call below_prefix,$(LIBDIR))|' -e 's|@VERSION@|$(VERSION)|' \
		tools/libcthelper.pc >$(DESTDIR)$(LIBDIR)/pkgconfig/libcthelper.pc
	@chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/libcthelper.pc
	@for h in $(HEADERS); do install -m 644 $$h $(DESTDIR)$(INCLUDEDIR)/cth/$$h || exit; done
	@for m in $(MANUAL); do install -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/ || exit; done
	install -m 644 tools/completions/cth.bash $(DESTDIR)$(BASHDIR)/cth
	install -m 644 tools/completions/_cth $(DESTDIR)$(ZSHDIR)/_cth
	install -m 644 tools/completions/cth.fish $(DESTDIR)$(FISHDIR)/cth.fish
	@for l in $(LINKS); do \
		ln -sf cth $(DESTDIR)$(BINDIR)/$$l && ln -sf cth $(DESTDIR)$(BASHDIR)/$$l && \
		ln -sf cth.fish $(DESTDIR)$(FISHDIR)/$$l.fish || exit; done

# Takes away what install made, and folders of ours; those that all share stay.
INSTALLED = $(BINDIR)/cth $(LINKS:%=$(BINDIR)/%) \
	$(addprefix $(LIBDIR)/,libcthelper.a $(notdir $(SHARED_LIB)) libcthelper.so.$(SOVERSION) \
		libcthelper.so pkgconfig/libcthelper.pc) \
	$(HEADERS:%=$(INCLUDEDIR)/cth/%) \
	$(foreach m,$(MANUAL),$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(BASHDIR)/cth $(LINKS:%=$(BASHDIR)/%) $(ZSHDIR)/_cth \
	$(FISHDIR)/cth.fish $(LINKS:%=$(FISHDIR)/%.fish)
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	@for d in netlink queue cthelper .; do \
		d=$(DESTDIR)$(INCLUDEDIR)/cth/$$d; \
		test ! -d $$d || rmdir --ignore-fail-on-non-empty $${d%/.} || exit; done

# What starts the service: INIT=systemd, openrc, procd (OpenWrt) or sysv (BusyBox). An /etc/config/cth
# or a conf.d/cth that is there already stays.
INIT        ?= systemd
SYSCONFDIR  ?= /etc
UNITDIR     ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
EXAMPLEDIR  ?= $(PREFIX)/share/doc/cth
INITDIR     ?= $(SYSCONFDIR)/init.d
INITS       := systemd openrc procd sysv
$(call without_blanks,SYSCONFDIR UNITDIR SYSUSERSDIR EXAMPLEDIR INITDIR)
# One of them, or nothing.
init        := $(if $(word 2,$(INIT)),,$(filter $(INITS),$(INIT)))
unit_paths = sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' tools/units/$(1) >$(DESTDIR)$(2) && \
	chmod $(3) $(DESTDIR)$(2)
unit_keep = test -e $(DESTDIR)$(2) || { $(call unit_paths,$(1),$(2),644); }

install-units: install-units-$(init)
	install -d $(DESTDIR)$(EXAMPLEDIR)
	install -m 644 tools/cth.conf.example $(DESTDIR)$(EXAMPLEDIR)/cth.conf.example

install-units- uninstall-units-:
	$(error INIT="$(INIT)": it can be one of $(INITS))

install-units-systemd:
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	$(call unit_paths,cth.service,$(UNITDIR)/cth.service,644)
	$(call unit_paths,cth.sysusers,$(SYSUSERSDIR)/cth.conf,644)

install-units-openrc:
	install -d $(DESTDIR)$(INITDIR) $(DESTDIR)$(SYSCONFDIR)/conf.d
	$(call unit_paths,cth.openrc,$(INITDIR)/cth,755)
	$(call unit_keep,cth.confd,$(SYSCONFDIR)/conf.d/cth)

install-units-procd:
	install -d $(DESTDIR)$(INITDIR) $(DESTDIR)$(SYSCONFDIR)/config
	$(call unit_paths,cth.procd,$(INITDIR)/cth,755)
	$(call unit_keep,cth.uci,$(SYSCONFDIR)/config/cth)

install-units-sysv:
	install -d $(DESTDIR)$(INITDIR)
	$(call unit_paths,cth.sysv,$(INITDIR)/S34cth,755)

# What somebody has changed in /etc stays.
unit_forget = { $(call unit_paths,$(1),$(2).shipped,644); } && \
	if cmp -s $(DESTDIR)$(2).shipped $(DESTDIR)$(2); then rm $(DESTDIR)$(2); fi; \
	rm -f $(DESTDIR)$(2).shipped

uninstall-units: uninstall-units-$(init)
	rm -f $(DESTDIR)$(EXAMPLEDIR)/cth.conf.example
	@test ! -d $(DESTDIR)$(EXAMPLEDIR) || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(EXAMPLEDIR)

uninstall-units-systemd:
	rm -f $(DESTDIR)$(UNITDIR)/cth.service $(DESTDIR)$(SYSUSERSDIR)/cth.conf

uninstall-units-openrc:
	rm -f $(DESTDIR)$(INITDIR)/cth
	@$(call unit_forget,cth.confd,$(SYSCONFDIR)/conf.d/cth)

uninstall-units-procd:
	rm -f $(DESTDIR)$(INITDIR)/cth
	@$(call unit_forget,cth.uci,$(SYSCONFDIR)/config/cth)

uninstall-units-sysv:
	rm -f $(DESTDIR)$(INITDIR)/S34cth

# $(BUILD)/libcthelper-$(VERSION).tar.gz, the same bytes wherever it is made.
dist:
	@BUILD=$(BUILD) tools/package/dist

# What packagers of Debian, OpenWrt, Buildroot and Alpine would do with it.
check-packages: all
	@BUILD=$(BUILD) test/packages $(PARTS)
.PHONY: dist check-packages

clean:
	rm -rf $(BUILD)

.PHONY: all static amalgam demo check check-vm check-protocols check-arch compare soak bench fuzz size api install install-units \
	install-units- uninstall-units- install-units-systemd install-units-openrc install-units-procd install-units-sysv uninstall uninstall-units \
	uninstall-units-systemd uninstall-units-openrc uninstall-units-procd uninstall-units-sysv clean FORCE
-include $(LIB_OBJ:.o=.d) $(PIC_OBJ:.o=.d) $(TOOL_OBJ:.o=.d)
