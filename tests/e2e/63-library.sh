#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# libskepvm as somebody else finds it: installed, found by pkg-config, linked both ways, with the symbols of its header
# and no others.
. "${0%/*}/lib.sh"
need_command pkg-config
need_command cc
TOP=$(cd "$HERE/../.." && pwd)

ninja -C "$BUILD" --quiet >build.log 2>&1 || { cat build.log; echo "not ok - it builds"; exit 1; }
t_check "it installs" env DESTDIR="$SCRATCH/root" meson install -C "$BUILD" --no-rebuild --quiet
pc=$(find root -name skepvm.pc)
t_check "pkg-config has a file for it" test -n "$pc"
export PKG_CONFIG_PATH=$SCRATCH/${pc%/*} PKG_CONFIG_SYSROOT_DIR=$SCRATCH/root
libdir=$SCRATCH/$(dirname "$(find root -name libskepvm.a)")

declared=$(grep -oE '\bskep_vm_[a-z0-9_]+\(' "$TOP/include/skep/vm.h" | tr -d '(' | sort -u)
exported() {
    nm "$@" --defined-only | awk '$2 == "T" || $2 == "D" || $2 == "B" || $2 == "R" { sub(/@.*/, "", $3); print $3 }' | sort -u
}
t_check "the shared library exports what the header declares, nothing else" \
    test "$(exported -D "$libdir"/libskepvm.so)" = "$declared"
t_check "so does the static one" test "$(exported -g "$libdir"/libskepvm.a)" = "$declared"
t_check "the shared library needs nothing but the C library and libelf" \
    test -z "$(readelf -d "$libdir/libskepvm.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -Ev '^(libc|libelf|ld-linux.*)\.so')"

# shellcheck disable=SC2046 # words on purpose
example() {
    cc -Wall -Wextra -Werror "$TOP/examples/vm.c" $(pkg-config --cflags "$1" skepvm) "${@:3}" -o "$2"
}
# shellcheck disable=SC2046
t_check "the example builds with the shared library" example --cflags shared $(pkg-config --libs skepvm)
# shellcheck disable=SC2046
t_check "and with the static one" example --cflags static "$libdir/libskepvm.a" $(pkg-config --libs-only-other --static skepvm) -lpthread
expected='result: 10
ended: instruction 1: writes 8 bytes at 0x60'
t_check "it runs" grep -q . <(LD_LIBRARY_PATH=$libdir ./shared)
LD_LIBRARY_PATH=$libdir ./shared >shared.txt
./static >static.txt
t_check "it tells the sum, and where the bad program went" test "$(cut -d, -f1 shared.txt)" = "$expected"
t_check "both ways the same" cmp shared.txt static.txt
t_check "the header is fine for C++ too" sh -c "command -v c++ >/dev/null || exit 0; echo '#include <skep/vm.h>' | c++ -Wall -Wextra -Werror -x c++ -I '$TOP/include' -fsyntax-only -"

# ---- what else is installed, and that it goes again ----

prefix=$(cd root && find . -name skep.8)
prefix=${prefix#.} prefix=${prefix%/share/man/man8/skep.8}
t_check "the manual is installed as it is printed" cmp <("$SKEP" docs manual) "root$prefix/share/man/man8/skep.8"
t_check "so is the completion" cmp <("$SKEP" docs completion) "root$prefix/share/bash-completion/completions/skep"
t_check "the service starts the program that is installed" \
    grep -q "^ExecStart=$prefix/bin/skep run" "root$prefix/lib/systemd/system/skep.service"
if command -v make >/dev/null; then
    make -s -C "$TOP" uninstall BUILD="$BUILD" DESTDIR="$SCRATCH/root" PREFIX="$prefix" >/dev/null
    t_check "uninstalling leaves nothing" test -z "$(find root ! -type d)"
fi
