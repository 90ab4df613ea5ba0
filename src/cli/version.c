/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    (void)self;
    (void)args;
    (void)options;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, 256);
    skep_strbuf_puts(&text, "skep " SKEP_VERSION "\n");
    return skep_print(&text);
}

const struct skep_command skep_command_version = {
    .description = "Prints the version of skep.",
    .run = run,
};
