# SPDX-License-Identifier: Apache-2.0
RULE="Connection through io_uring by an unexpected program"
WANT='f["proc.name"] == "act" and ("127.0.0.1:%s" % PORT) in f["fd.name"]'
NEEDS=server
trigger() { "$ACT" uring-connect 127.0.0.1 "$PORT"; }
benign() { "$ACT" connect 127.0.0.1 "$PORT" && "$ACT" uring-open /etc/hostname; }
