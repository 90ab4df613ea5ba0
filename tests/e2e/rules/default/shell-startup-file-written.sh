# SPDX-License-Identifier: Apache-2.0
RULE="Shell startup file written"
WANT='f["fd.name"].endswith("/.bashrc") and f["proc.name"] == "tee"'
trigger() { echo true | tee .bashrc >/dev/null; }
benign() {
    echo true | tee bashrc >/dev/null &&
        cp "$(command -v tee)" nano &&
        echo true | ./nano .bashrc >/dev/null
}
