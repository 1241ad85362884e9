# SPDX-License-Identifier: MIT
#
# buildroot.mk - what Buildroot's generic-package does with the commands of tools/package/buildroot, for
# Debian's big-endian MIPS: the release is unpacked, built, and installed to $(TREE)/staging and $(TREE)/target,
# with what each init system wants.

TARGET_DIR := $(TREE)/target
STAGING_DIR := $(TREE)/staging
TARGET_MAKE_ENV := PATH="$(PATH)"
TARGET_CONFIGURE_OPTS := CC="mips-linux-gnu-gcc" AR="mips-linux-gnu-ar" CFLAGS="-Os -D_FILE_OFFSET_BITS=64" \
	CPPFLAGS="-D_LARGEFILE_SOURCE" LDFLAGS=""
BR2_PACKAGE_LIBCTHELPER_SITE := "file://$(DL)"
qstrip = $(strip $(subst ",,$(1)))
KCONFIG_ENABLE_OPT = echo $(1) >>$(TREE)/kconfig

define generic-package
# What a system without shared libraries would do.
commands:
	@echo $$(LIBCTHELPER_BUILD_CMDS)
	@echo $$(LIBCTHELPER_INSTALL_STAGING_CMDS)
	@echo $$(LIBCTHELPER_INSTALL_TARGET_CMDS)
all: $(TREE)/built
$(TREE)/built: @D = $(TREE)/build
$(TREE)/built:
	mkdir -p $(TREE)/build
	tar -xzf $$(LIBCTHELPER_SITE:file://%=%)/$$(LIBCTHELPER_SOURCE) -C $(TREE)/build --strip-components=1
	$$(LIBCTHELPER_BUILD_CMDS)
	$$(LIBCTHELPER_INSTALL_STAGING_CMDS)
	$$(LIBCTHELPER_INSTALL_TARGET_CMDS)
	$$(LIBCTHELPER_INSTALL_INIT_SYSTEMD)
	$$(LIBCTHELPER_INSTALL_INIT_OPENRC)
	$$(LIBCTHELPER_INSTALL_INIT_SYSV)
	$$(LIBCTHELPER_LINUX_CONFIG_FIXUPS)
	$$(file >$(TREE)/users.all,$$(LIBCTHELPER_USERS))
	sed 's/^[[:space:]]*//' $(TREE)/users.all >$(TREE)/users
	test -r $(TREE)/build/$$(LIBCTHELPER_LICENSE_FILES)
	touch $$@
endef

include $(MK)
