# SPDX-License-Identifier: Apache-2.0
RULE="Shell history removed or switched off"
WANT='"/.bash_history" in str(f["fs.path.name"]) + str(f["fs.path.target"]) + str(f["fd.name"])'
trigger() { echo ls >.bash_history && rm .bash_history && ln -s /dev/null .bash_history; }
benign() {
    HISTFILE=$PWD/.bash_history bash --norc -i -c 'history -s ls; history -a' 2>/dev/null; tail .bash_history >/dev/null; true
}
