# SPDX-License-Identifier: Apache-2.0
RULE="Shell history removed or switched off"
WANT='f["fs.path.name"] == "/root/.bash_history" and f["proc.name"] == "rm"'
trigger() {
    private /root sh -c '
        echo ls >/root/.bash_history
        rm /root/.bash_history
        ln -s /dev/null /root/.bash_history'
}
benign() {
    HISTFILE=$PWD/.bash_history bash --norc -i -c 'history -s ls; history -a' 2>/dev/null
    tail .bash_history >/dev/null
    mkdir -p tree/root && echo ls >tree/root/.bash_history && rm -r tree
}
