# SPDX-License-Identifier: Apache-2.0
RULE="Shape of backslashes"
WANT='f["proc.args"] == "-s \\" and f["user.name"] == "daemon"'
trigger() { chmod a+rx . && cp "$ACT" shapes && as_user 1 ./shapes -s '\'; true; }
benign() { cp "$ACT" shapes && ./shapes -s '\'; chmod a+rx . && as_user 1 ./shapes -s x; true; }
