#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# The public stable rules of Falco, as they are: each fires when what it looks for is really done, with the text and
# the fields that its output names, and is silent about a twin. See rules.sh and rules/stable.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
. "${0%/*}/rules.sh"
file=${SKEP_SHARED_DATA:-$HERE/../../../shared/data}/falco/falco_rules.yaml
[ -e "$file" ] || skip_all "$file is not there (SKEP_SHARED_DATA)"
rules_prepare
cases=("$RULES"/stable/${1:-*}.sh)

untested=$(rules_untested "$file" "$RULES"/stable/*.sh)
t_check "every rule has a case, and every case a rule" test -z "$untested"
rules_run fired trigger "$file" "${cases[@]}"
rules_run quiet benign "$file" "${cases[@]}"
