# SPDX-License-Identifier: Apache-2.0
RULE="Service explores its host"
WANT='f["proc.name"] == "id" and f["proc.pexepath"] == "/usr/bin/redis-server"'
NEEDS=container
trigger() { inside /usr/bin/redis-server spawn /bin/id >/dev/null; }
benign() { inside /bin/id >/dev/null && inside /usr/bin/redis-server spawn /bin/sleep 0; }
