# SPDX-License-Identifier: Apache-2.0
RULE="Contact K8S API Server From Container"
WANT='f["fd.name"].endswith("->127.0.0.7:443") and f["container.id"] == C and f["fd.l4proto"] == "tcp"'
NEEDS="container nsenter"
cluster() {
    nsenter --net="/proc/$CONTAINER_PID/ns/net" python3 "$RULES/names.py" "$1" 127.0.0.7 &
    inside /bin/sh -c "sleep 0.5; nslookup $1 127.0.0.1; app connect 127.0.0.7 443; true"
    wait
}
trigger() { cluster kubernetes.default.svc.cluster.local; }
benign() { cluster kubernetes.example.net; }
