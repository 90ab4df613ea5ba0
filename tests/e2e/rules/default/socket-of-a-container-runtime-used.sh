# SPDX-License-Identifier: Apache-2.0
RULE="Socket of a container runtime used"
WANT='f["container.id"] == C and "docker.sock" in f["fd.name"]'
NEEDS=container
trigger() {
    inside /bin/sh -c '
        /usr/bin/app listen-unix /tmp/docker.sock 1 & sleep 0.3
        /usr/bin/app connect-unix /tmp/docker.sock
        wait'
}
benign() {
    inside /bin/sh -c '
        /usr/bin/app listen-unix /tmp/app.sock 1 & sleep 0.3
        /usr/bin/app connect-unix /tmp/app.sock
        wait'
}
