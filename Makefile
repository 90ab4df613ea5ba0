# SPDX-License-Identifier: Apache-2.0
# A thin front for meson.
BUILD = build

.PHONY: all
all: $(BUILD)/build.ninja
	@meson compile -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)
