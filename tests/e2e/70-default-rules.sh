#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Each of the default rules: something that really does what it looks for, with the alert that says so, and a twin
# that does the next thing to it and is left alone by all of them. See rules.sh and rules/default.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
. "${0%/*}/rules.sh"
rules_prepare
file=$HERE/../../rules/default.yaml
cases=("$RULES"/default/${1:-*}.sh)

untested=$(rules_untested "$file" "$RULES"/default/*.sh)
t_check "docs/DETECTIONS.md is about these rules" "$HERE/../../tools/detections" --check
t_check "every rule has a case, and every case a rule" test -z "$untested"
rules_run fired trigger "$file" "${cases[@]}"
rules_run quiet benign "$file" "${cases[@]}"
