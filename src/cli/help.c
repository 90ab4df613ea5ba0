/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#define HELP_MAX (64U << 10)

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    (void)self;
    (void)options;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, HELP_MAX);
    if (args->n == 0) {
        skep_commands_explain(&text);
        return skep_print(&text);
    }
    const struct skep_command_entry *about = skep_command_find(args->args[0]);
    if (!about)
        return skep_unknown_command(NULL, args->args[0]);
    if (args->n == 2) {
        const struct skep_command_entry *below = skep_command_find_below(about, args->args[1]);
        if (!below)
            return skep_unknown_command(about, args->args[1]);
        about = below;
    }
    skep_command_explain(about, &text);
    return skep_print(&text);
}

const struct skep_command skep_command_help = {
    .description = "Explains skep, or one of its commands.",
    .max_args = 2,
    .run = run,
};
