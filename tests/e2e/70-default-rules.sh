#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each of the default rules: something that really does what it looks for, with the alert that says so, and a twin
# that does the next thing to it and is left alone by all of them. See rules.sh and rules/default.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
. "${0%/*}/rules.sh"
rules_prepare
file=$HERE/../../rules/default.yaml
cases=("$RULES"/default/${1:-*}.sh)

untested=$(python3 - "$file" "$RULES"/default/*.sh <<'PY'
import re, sys, yaml
rules = {item["rule"] for item in yaml.safe_load(open(sys.argv[1])) if "rule" in item}
print("\n".join(rules ^ {re.search('^RULE="(.*)"$', open(case).read(), re.M).group(1) for case in sys.argv[2:]}))
PY
)
t_check "every rule has a case, and every case a rule" test -z "$untested"
rules_run fired trigger "$file" "${cases[@]}"
rules_run quiet benign "$file" "${cases[@]}"
