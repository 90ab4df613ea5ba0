# SPDX-License-Identifier: Apache-2.0
RULE="User namespace made by an unexpected program"
WANT='f["proc.name"] == "act" and "CLONE_NEWUSER" in f["evt.arg.flags"] and f["user.name"] == "nobody"'
trigger() { chmod a+rx . && cp "$ACT" act && as_user 65534 ./act unshare user; }
benign() { as_user 65534 unshare --user /bin/true && "$ACT" unshare user; }
