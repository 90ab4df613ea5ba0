# SPDX-License-Identifier: Apache-2.0
RULE="Execution from /dev/shm"
WANT='f["proc.name"] == "skep-true" and f["proc.exepath"].startswith("/dev/shm/")'
trigger() {
    local dir
    dir=$(mktemp -d /dev/shm/skep-test.XXXXXX)
    cp /bin/true "$dir/skep-true" && "$dir/skep-true"
    rm -r "$dir"
}
benign() { cp /bin/true skep-true && ./skep-true; }
