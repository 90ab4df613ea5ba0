# SPDX-License-Identifier: Apache-2.0
RULE="Page faults handled by an ordinary user"
WANT='f["proc.name"] == "act" and f["user.uid"] == 65534'
trigger() { chmod a+rx . && cp "$ACT" act && as_user 65534 ./act userfaultfd; }
benign() { "$ACT" userfaultfd; }
