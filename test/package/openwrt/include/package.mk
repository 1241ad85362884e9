# SPDX-License-Identifier: MIT
#
# package.mk - what OpenWrt's file of this name has, as far as tools/package/openwrt uses it: flags come
# through the environment, tools as words of the command line, and each Package/NAME is installed
# to a folder of its own.

PKG_BUILD_DIR := $(TREE)/build/$(PKG_NAME)-$(PKG_VERSION)
PKG_INSTALL_DIR := $(PKG_BUILD_DIR)/ipkg-install

MAKE_VARS = CFLAGS="-Os -pipe -fno-caller-saves" LDFLAGS="-Wl,-z,now -Wl,-z,relro"
MAKE_FLAGS = CC=$(TARGET)gcc AR=$(TARGET)ar CROSS=$(TARGET) ARCH=mips
MAKE_INSTALL_FLAGS = $(MAKE_FLAGS) DESTDIR="$(PKG_INSTALL_DIR)"

define Build/Compile
	$(MAKE_VARS) $(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_FLAGS)
endef

define Build/Install/Default
	$(MAKE_VARS) $(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_INSTALL_FLAGS) $(or $(1),install)
endef

$(TREE)/built:
	mkdir -p $(PKG_BUILD_DIR)
	tar -xzf $(DL)/$(PKG_SOURCE) -C $(TREE)/build
	$(Build/Compile)
	$(Build/Install)
	$(call Build/InstallDev,$(TREE)/staging)
	touch $@

# What a define like Package/NAME says: words with their values, one a line.
define BuildPackage
packages: $(TREE)/packages/$(1)
$(TREE)/packages/$(1): $(TREE)/built
	mkdir -p $$@
	$$(call Package/$(1)/install,$$@)
	echo '$$(call said,$(1),DEPENDS)' >$(TREE)/depends-$(1)
	echo '$$(strip $$(Package/$(1)/conffiles))' >$(TREE)/conffiles-$(1)
endef

said = $(shell sed -n '/^define Package\/$(1)$$/,/^endef/s/^  $(2):=//p' Makefile)
