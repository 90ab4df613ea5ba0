/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_TEST_H
#define SKEP_AGENT_RULES_TEST_H
/*
 * What rules would have said of a recording: alerts by rule, where the noise comes from, and what each rule costs.
 *
 * Noise: the rules by their alerts, with those a minute of recorded time where that is a minute at least, and for each
 * the process and file (or address) of its alerts, the commonest first.
 *
 * Cost: each rule compiled by itself and run over every event of its kinds: nanoseconds an event, and how many events.
 * Rules share their parts when they are compiled together, so the sum of the parts is more than the whole, which is
 * told, too.
 *
 * Expectations are a file of lines `COUNT NAME OF THE RULE`: a number, or `+` for at least one; rules that are not named
 * must not fire. Blank lines and lines that begin with # mean nothing.
 */
#include "agent/options.h"

struct skep_rules_test_options {
    struct skep_rules_options rules;
    const char *recording;
    const char *expect; /* NULL: none */
    bool cost;          /* tell what each rule costs */
    bool json;
    bool quiet; /* no alerts, only the report */
};

/* An exit status: SKEP_EXIT_FAILED when an expectation does not hold. */
int skep_rules_test_run(const struct skep_rules_test_options *o);
#endif
