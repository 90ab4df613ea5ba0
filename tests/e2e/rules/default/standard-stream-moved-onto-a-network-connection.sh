# SPDX-License-Identifier: Apache-2.0
RULE="Standard stream moved onto a network connection"
WANT='f["proc.name"] == "act" and f["fd.l4proto"] == "tcp" and ("127.0.0.1:%s" % PORT) in f["fd.name"] and f["evt.rawres"] == 1'
NEEDS=server
trigger() { "$ACT" dup 127.0.0.1 "$PORT" 1; }
benign() { "$ACT" dup 127.0.0.1 "$PORT" 9 && sh -c 'exec 1>/dev/null 2>&1'; }
