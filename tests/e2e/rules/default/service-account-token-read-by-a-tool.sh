# SPDX-License-Identifier: Apache-2.0
RULE="Service account token read by a tool"
WANT='f["fd.name"].startswith("/run/secrets/kubernetes.io/serviceaccount/") and f["proc.name"] == "cat" and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/cat /run/secrets/kubernetes.io/serviceaccount/token >/dev/null; }
benign() {
    inside /bin/cat /run/secrets/kubernetes.io/serviceaccount/namespace >/dev/null &&
        inside /usr/bin/app uring-open /etc/hostname
}
