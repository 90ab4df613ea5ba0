# SPDX-License-Identifier: Apache-2.0
RULE="Terminal shell in container"
WANT='f["proc.name"] == "sh" and f["proc.tty"] != 0 and f["container.id"] == C'
NEEDS="container script"
trigger() { script -qec "runc exec -t $CONTAINER_NAME /bin/sh -c true" /dev/null >/dev/null; }
benign() {
    inside /bin/sh -c true &&
        script -qec "runc exec -t $CONTAINER_NAME /bin/true" /dev/null >/dev/null
}
