/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/test.h"
#include "cli/command.h"
#include "cli/rules_options.h"

#define TO(part) offsetof(struct skep_rules_test_options, part)

static const struct skep_option rules[] = {
    SKEP_RULES_SOURCE_OPTION(struct skep_rules_test_options, rules),
    SKEP_RULES_OPTIONS(struct skep_rules_test_options, rules),
    SKEP_RULES_ENGINE_OPTIONS(struct skep_rules_test_options, rules),
    {0},
};

static const struct skep_option report[] = {
    {"expect", 'x', "FILE", SKEP_OPTION_STRING, TO(expect),
     .help = "fail unless the alerts are these: lines `COUNT NAME OF THE RULE`, or + for at least one; rules "
             "that are not named must be silent"},
    {"cost", 0, NULL, SKEP_OPTION_FLAG, TO(cost), .help = "measure what each rule costs by itself"},
    {"quiet", 'q', NULL, SKEP_OPTION_FLAG, TO(quiet), .help = "only the report, not the alerts"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "the report as one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Rules", rules}, {"Report", report}, {0}};

static const struct skep_example examples[] = {
    {"skep record -o day.skep -d 24h", "a day of this host"},
    {"skep rules test --rules new.yaml day.skep", "what the new rules would have said that day"},
    {"skep rules test --cost -q day.skep", "which of the rules in force are noisy or dear"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct skep_rules_test_options *o = options;
    (void)self;
    o->recording = args->args[0];
    return skep_rules_test_run(o);
}

static const struct skep_rules_test_options defaults = {.rules = SKEP_RULES_OPTIONS_INIT};

const struct skep_command skep_command_rules_test = {
    .description =
        "Judges a recording: prints the alerts that there would have been, then for each rule how many, how many a "
        "minute, and the processes and files that cause them.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct skep_rules_test_options),
    .defaults = &defaults,
    .run = run,
};
