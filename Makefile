# SPDX-License-Identifier: MIT
# libcthelper: make, make demo, make check, make install. Everything goes to $(BUILD).

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
AR      ?= ar
CFLAGS  ?= -Os -g
LDFLAGS ?=
VERSION := 0.1.0
SOVERSION := 0

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
STD  := -std=c11 -ffunction-sections -fdata-sections -fvisibility=default
TOOLS_STD := -std=c11 -D_GNU_SOURCE
DEPFLAGS = -MMD -MP

LIB_SRC  := $(sort $(wildcard netlink/*.c queue/*.c cthelper/*.c cthelper/proto/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
PIC_OBJ  := $(LIB_SRC:%.c=$(BUILD)/pic/%.o)
TOOL_OBJ := $(TOOL_SRC:%.c=$(BUILD)/%.o)
D         = $(DESTDIR)$(PREFIX)
LINKS    := nfct-helper-add nfct-helper-del nfct-helper-get nfqnl_test
HEADERS  := $(filter-out netlink/uapi.h,$(wildcard netlink/*.h queue/*.h cthelper/*.h))

all: $(BUILD)/cth $(BUILD)/libcthelper.a $(BUILD)/libcthelper.so.$(VERSION) $(LINKS:%=$(BUILD)/%)

$(BUILD)/libcthelper.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/libcthelper.so.$(VERSION): $(PIC_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libcthelper.so.$(SOVERSION) -o $@ $^
	@ln -sf $(@F) $(BUILD)/libcthelper.so.$(SOVERSION)
	@ln -sf $(@F) $(BUILD)/libcthelper.so

$(BUILD)/cth: $(TOOL_OBJ) $(BUILD)/libcthelper.a
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--gc-sections -o $@ $^

$(LINKS:%=$(BUILD)/%): $(BUILD)/cth
	@ln -sf cth $@

$(BUILD)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(TOOLS_STD) $(WARN) $(DEPFLAGS) $(CPPFLAGS) $(CFLAGS) -DCTH_VERSION='"$(VERSION)"' -c -o $@ $<

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) -fPIC $(WARN) $(DEPFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(DEPFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# A static cth without glibc; the UAPI headers are the system's, beside musl's own.
static: ; +@CC=$(CC) test/deps musl-tools linux-libc-dev && $(MAKE) BUILD=$(BUILD)/static CC=musl-gcc \
	CPPFLAGS="-idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)" \
	LDFLAGS="-static -s" $(BUILD)/static/cth

demo: all
	@BUILD=$(BUILD) test/demo

check: all
	@BUILD=$(BUILD) CC="$(CC)" test/check

fuzz:
	@BUILD=$(BUILD) test/fuzz/run 30

# Headers keep their folders, so that they find each other: #include <cth/queue/queue.h>
install: all
	install -d $(D)/bin $(D)/lib $(sort $(dir $(HEADERS:%=$(D)/include/cth/%)))
	install -m 755 $(BUILD)/cth $(D)/bin/cth
	install -m 644 $(BUILD)/libcthelper.a $(D)/lib/
	install -m 755 $(BUILD)/libcthelper.so.$(VERSION) $(D)/lib/
	ln -sf libcthelper.so.$(VERSION) $(D)/lib/libcthelper.so.$(SOVERSION)
	ln -sf libcthelper.so.$(VERSION) $(D)/lib/libcthelper.so
	for h in $(HEADERS); do install -m 644 $$h $(D)/include/cth/$$h || exit; done
	for l in $(LINKS); do ln -sf cth $(D)/bin/$$l || exit; done

clean:
	rm -rf $(BUILD)

.PHONY: all static demo check fuzz install clean
-include $(LIB_OBJ:.o=.d) $(PIC_OBJ:.o=.d) $(TOOL_OBJ:.o=.d)
