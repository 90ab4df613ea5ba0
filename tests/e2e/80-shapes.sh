#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# What the public incubating and sandbox rules of Falco ask of events and the stable ones do not, in rules of this test's
# own: each fires when it is really done, with the text and fields that its output names, and is silent about a
# twin. See rules.sh and rules/shapes.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
. "${0%/*}/rules.sh"
rules_prepare
cases=("$RULES"/shapes/${1:-*}.sh)

# another_container COMMAND...: a container like that of rules.sh, in its root file system, with this as first process,
# which has a part of the host's /proc.
another_container() {
    local dir=$SCRATCH/rules-container
    python3 - "$dir/config.json" "$@" <<'PY'
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    config = json.load(f)
config["process"]["args"] = sys.argv[2:]
config["mounts"].append({"destination": "/mnt", "type": "bind", "source": "/proc/sys", "options": ["bind", "ro"]})
with open(sys.argv[1], "w", encoding="utf-8") as f:
    json.dump(config, f)
PY
    runc run --bundle "$dir" "$(echo "another $$ $SECONDS" | sha256sum | cut -d' ' -f1)" </dev/null
}

untested=$(rules_untested "$RULES/shapes.yaml" "$RULES"/shapes/*.sh)
t_check "every rule has a case, and every case a rule" test -z "$untested"
rules_run fired trigger "$RULES/shapes.yaml" "${cases[@]}"
rules_run quiet benign "$RULES/shapes.yaml" "${cases[@]}"
