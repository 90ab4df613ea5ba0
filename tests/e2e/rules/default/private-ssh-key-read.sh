# SPDX-License-Identifier: Apache-2.0
RULE="Private SSH key read"
WANT='f["fd.name"].endswith("/.ssh/id_ed25519") and f["proc.name"] == "cat"'
trigger() { mkdir .ssh && echo key >.ssh/id_ed25519 && cat .ssh/id_ed25519 >/dev/null; }
benign() {
    mkdir .ssh &&
        ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 &&
        cat .ssh/id_ed25519.pub >/dev/null &&
        ssh-keygen -y -f .ssh/id_ed25519 >/dev/null
}
