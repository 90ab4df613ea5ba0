# SPDX-License-Identifier: Apache-2.0
RULE="Shape of users"
WANT='f["evt.arg.uid"] == "root" and f["user.name"] == "daemon"'
trigger() { chmod a+rx . && cp "$ACT" shape-user && as_user 1 ./shape-user set-user 0; true; }
benign() { "$ACT" set-user 1; }
