#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program starts at all, and says which version it is.
. "${0%/*}/lib.sh"

version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$HERE/../../meson.build")
t_check "skep --version" test "$("$SKEP" --version)" = "skep $version"
t_check "the program needs no library that is not found" ended_with 1 grep -q 'not found' <(ldd "$SKEP")
