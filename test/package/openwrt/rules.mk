# SPDX-License-Identifier: MIT
#
# rules.mk - what OpenWrt's file of this name has, as far as tools/package/openwrt uses it. The target is
# Debian's big-endian MIPS. $(TREE) is the folder for all that is made, $(DL) has the release.

SHELL := /bin/bash
INCLUDE_DIR := $(TOPDIR)/include
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
CP := cp -fpR
TARGET := mips-linux-gnu-
