# SPDX-License-Identifier: Apache-2.0
RULE="Program executed from shared memory or a device directory"
WANT='f["proc.exepath"].startswith("/dev/shm/") and f["proc.name"] == "skep-true"'
trigger() {
    local dir
    dir=$(mktemp -d /dev/shm/skep-test.XXXXXX)
    cp /bin/true "$dir/skep-true" && "$dir/skep-true"
    rm -r "$dir"
}
benign() {
    local dir
    dir=$(mktemp -d /dev/shm/skep-test.XXXXXX)
    echo 'echo data' >"$dir/data" && cat "$dir/data" >/dev/null
    rm -r "$dir"
}
