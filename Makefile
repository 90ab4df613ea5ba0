# SPDX-License-Identifier: Apache-2.0
# A thin front for meson, for whoever has just cloned this.

BUILD ?= build
PREFIX ?= /usr/local
# what `make run` hands to skep: make run ARGS='--json'
ARGS ?=
# Debian's linker and pkg-config look for libraries in a directory named after the machine, which meson knows only where
# dpkg-dev is installed; cc is asked when it has been
MULTIARCH = $(shell cc -print-multiarch 2>/dev/null)
MESON_DIRS = --prefix $(PREFIX) $(if $(MULTIARCH),--libdir lib/$(MULTIARCH))
LDCONFIG = [ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig 2>/dev/null || :
MESON_COMPILE = meson compile -C $(BUILD)
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

.PHONY: all help setup build run check bench fuzz format install uninstall clean
all: build

help:
	@echo 'make            install what is missing (as root), then build'
	@echo 'make run        the same, then start "skep run" (as root; ARGS=... are its arguments)'
	@echo 'make check      install what the tests need too, then run every test'
	@echo 'make bench      measure what skep costs on this machine'
	@echo 'make fuzz       run each fuzzer for FUZZ_SECONDS (60)'
	@echo 'make format     bring every C file into the project'"'"'s format'
	@echo 'make install    install under PREFIX ($(PREFIX)); make uninstall takes it away again'
	@echo 'make clean      delete what was built'

setup:
	@tools/setup build

# Only the program: the tests are built by those who run them.
build: setup $(BUILD)/build.ninja
	@[ -e $(BUILD)/skep ] || echo 'skep: building, which takes some minutes' >&2
	@ninja -C $(BUILD) --quiet skep >&2

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) $(MESON_DIRS) >$(BUILD)-setup.log 2>&1 || { cat $(BUILD)-setup.log; exit 1; }
	@mv $(BUILD)-setup.log $(BUILD)/setup.log

run: build
	@exec $(BUILD)/skep run $(ARGS)

check:
	@tools/setup build check
	@$(MAKE) --no-print-directory build
	@tools/check --build $(BUILD)

bench:
	@tools/setup build bench
	@$(MAKE) --no-print-directory build
	@$(MESON_COMPILE) bench

fuzz:
	@tools/setup build ci
	@tools/fuzz

format:
	@git ls-files -- '*.c' '*.h' | xargs clang-format -i

install: build
	@meson setup --reconfigure $(BUILD) $(MESON_DIRS) >/dev/null
	@ninja -C $(BUILD) --quiet >&2
	@meson install -C $(BUILD) --no-rebuild --quiet
	@$(LDCONFIG)
	@echo 'installed under $(PREFIX)'

# The log of meson names files and the directories that it made for them.
uninstall:
	@[ -e $(BUILD)/meson-logs/install-log.txt ] || { echo 'nothing was installed from $(BUILD)' >&2; exit 1; }
	@sed -n "s|^$(PREFIX)/|$(DESTDIR)$(PREFIX)/|p" $(BUILD)/meson-logs/install-log.txt | while read -r path; do \
		if [ -d "$$path" ] && [ ! -L "$$path" ]; then rmdir --ignore-fail-on-non-empty "$$path"; else rm -f "$$path"; fi; \
	done
	@$(LDCONFIG)
	@echo 'removed what was installed under $(DESTDIR)$(PREFIX)'

clean:
	@rm -rf $(BUILD) $(BUILD)-setup.log
