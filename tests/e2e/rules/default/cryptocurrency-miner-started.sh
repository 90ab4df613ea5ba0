# SPDX-License-Identifier: Apache-2.0
RULE="Cryptocurrency miner started"
WANT='f["proc.name"] == "xmrig"'
trigger() { cp /bin/true xmrig && ./xmrig -o stratum+tcp://pool.example.net:3333; }
benign() {
    cp /bin/true rig &&
        ./rig -o tcp://example.net:3333 &&
        grep -q stratum+tcp /etc/services; true
}
