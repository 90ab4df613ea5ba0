/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/manual.h"

/* What is the same for every command; the tables that it reads are made below. `--color=always` is three words for
 * bash, since `=` is in COMP_WORDBREAKS; kinds joined by commas are one. */
static const char function[] =
    "_skep_files()\n"
    "{\n"
    "    local IFS=$'\\n'\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    COMPREPLY=($(compgen -f -- \"$1\"))\n"
    "}\n"
    "\n"
    "# The last of the words joined by commas; the others stay.\n"
    "_skep_list()\n"
    "{\n"
    "    local before=\n"
    "    [[ $1 != *,* ]] || before=${1%,*},\n"
    "    compopt -o nospace 2>/dev/null\n"
    "    COMPREPLY=($(compgen -P \"$before\" -W \"$2\" -- \"${1##*,}\"))\n"
    "}\n"
    "\n"
    "# What an argument that is called $1 can be; $2 is what was typed of it.\n"
    "_skep_value()\n"
    "{\n"
    "    case $1 in\n"
    "    TOPIC) COMPREPLY=($(compgen -W \"$_skep_topics\" -- \"$2\")) ;;\n"
    "    =*) COMPREPLY=($(compgen -W \"${1#=}\" -- \"$2\")) ;;\n"
    "    KIND*) _skep_list \"$2\" \"$_skep_kinds\" ;;\n"
    "    *COMMAND) COMPREPLY=($(compgen -W \"$_skep_commands\" -- \"$2\")) ;;\n"
    "    USER) COMPREPLY=($(compgen -u -- \"$2\")) ;;\n"
    "    *FILE* | *DIR* | *OBJ* | *RECORDING*) _skep_files \"$2\" ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_skep()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} command= words options i word value= n=0\n"
    "    local -a arguments\n"
    "    COMPREPLY=()\n"
    "    _skep_table ''\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ -n $value && $word == = ]]; then\n"
    "            continue\n"
    "        elif [[ -n $value ]]; then\n"
    "            value=\n"
    "        elif [[ $word == -- ]]; then\n"
    "            if declare -F _command_offset >/dev/null; then\n"
    "                _command_offset $((i + 1))\n"
    "            elif ((i + 1 == COMP_CWORD)); then\n"
    "                COMPREPLY=($(compgen -c -- \"$cur\"))\n"
    "            else\n"
    "                _skep_files \"$cur\"\n"
    "            fi\n"
    "            return\n"
    "        elif [[ $word == -* ]]; then\n"
    "            _skep_argument \"$command\" \"$word\"\n"
    "        elif [[ -n $words ]]; then\n"
    "            command=${command:+$command }$word\n"
    "            _skep_table \"$command\"\n"
    "        else\n"
    "            n=$((n + 1))\n"
    "        fi\n"
    "    done\n"
    "    if [[ -n $value ]]; then\n"
    "        [[ $cur != = ]] || cur=\n"
    "        _skep_value \"$value\" \"$cur\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "    elif [[ -n $words ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "    elif ((n < ${#arguments[@]})); then\n"
    "        _skep_value \"${arguments[n]}\" \"$cur\"\n"
    "    elif ((n)) && [[ ${#arguments[@]} -gt 0 && ${arguments[-1]} == *...* ]]; then\n"
    "        _skep_value \"${arguments[-1]}\" \"$cur\"\n"
    "    fi\n"
    "}\n"
    "\n"
    "complete -F _skep skep\n";

static void put_kinds(struct skep_strbuf *sb)
{
    static const struct {
        const char *name, *group;
        bool hidden;
    } kinds[] = {
#define SHOWN false
#define QUIET false
#define HIDDEN true
#define SKEP_EVENT(number, name, ring, group, show, text, doc) {#name, #group, show},
#include "abi/events.def"
#undef SKEP_EVENT
#undef SHOWN
#undef QUIET
#undef HIDDEN
    };
    skep_strbuf_puts(sb, "_skep_kinds='all");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t first = 0;
        while (!skep_streq(kinds[first].group, kinds[i].group))
            first++;
        if (first == i)
            skep_strbuf_printf(sb, " %s", kinds[i].group);
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!kinds[i].hidden)
            skep_strbuf_printf(sb, " %s", kinds[i].name);
    skep_strbuf_puts(sb, "'\n\n");
}

static void put_names(struct skep_strbuf *sb, const struct skep_command_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *last = strrchr(entries[i].name, ' ');
        skep_strbuf_printf(sb, "%s%s", i ? " " : "", last ? last + 1 : entries[i].name);
    }
}

/* The arguments that a synopsis names, up to its options: "KIND[,KIND...]", "[RECORDING]". */
static void put_arguments(struct skep_strbuf *sb, const char *synopsis)
{
    bool option = false;
    skep_strbuf_puts(sb, " arguments=(");
    while (*synopsis) {
        size_t n = strcspn(synopsis, " ");
        if (skep_startswith(synopsis, "[OPTIONS]") || skep_startswith(synopsis, "[--"))
            break;
        if (*synopsis != '-' && !option) {
            skep_strbuf_printf(sb, "'%.*s' ", (int)n, synopsis);
        }
        /* "-o FILE" is an option that must be given */
        option = *synopsis == '-';
        synopsis += n;
        synopsis += *synopsis == ' ';
    }
    skep_strbuf_putc(sb, ')');
}

static void put_case(struct skep_strbuf *sb, const struct skep_command_entry *e)
{
    skep_strbuf_printf(sb, "    '%s') ", e->name);
    if (e->command->n_subcommands) {
        skep_strbuf_puts(sb, "words='");
        put_names(sb, e->command->subcommands, e->command->n_subcommands);
        skep_strbuf_puts(sb, "' ;;\n");
        return;
    }
    skep_strbuf_puts(sb, "options='--help");
    for (const struct skep_option_group *g = e->command->groups; g && g->title; g++)
        for (const struct skep_option *o = g->options; o->name; o++)
            skep_strbuf_printf(sb, " --%s", o->name);
    if (e->command->takes_command)
        skep_strbuf_puts(sb, " --");
    skep_strbuf_putc(sb, '\'');
    put_arguments(sb, e->synopsis);
    skep_strbuf_puts(sb, " ;;\n");
}

/* For each option with an argument: what that is. */
static void put_values(struct skep_strbuf *sb, const struct skep_command_entry *e)
{
    for (const struct skep_option_group *g = e->command->groups; g && g->title; g++) {
        for (const struct skep_option *o = g->options; o->name; o++) {
            if (!o->arg)
                continue;
            skep_strbuf_printf(sb, "    '%s --%s'", e->name, o->name);
            if (o->letter)
                skep_strbuf_printf(sb, " | '%s -%c'", e->name, o->letter);
            skep_strbuf_puts(sb, ") value='");
            if (o->choices)
                skep_strbuf_putc(sb, '=');
            for (size_t i = 0; o->choices && o->choices[i]; i++)
                skep_strbuf_printf(sb, "%s%.*s", i ? " " : "", (int)strcspn(o->choices[i], "|"),
                                   o->choices[i]);
            skep_strbuf_printf(sb, "%s' ;;\n", o->choices ? "" : o->arg);
        }
    }
}

static void for_each(struct skep_strbuf *sb,
                     void (*put)(struct skep_strbuf *, const struct skep_command_entry *))
{
    size_t n;
    const struct skep_command_entry *e = skep_commands(&n);
    for (size_t i = 0; i < n; i++) {
        put(sb, &e[i]);
        for (size_t k = 0; k < e[i].command->n_subcommands; k++)
            put(sb, &e[i].command->subcommands[k]);
    }
}

void skep_completion_put(struct skep_strbuf *sb)
{
    size_t n;
    const struct skep_command_entry *entries = skep_commands(&n);
    skep_strbuf_puts(
        sb, "# bash completion for skep, made by 'skep docs completion' from the program's own tables.\n\n");
    put_kinds(sb);
    skep_strbuf_puts(sb, "_skep_topics='"
#define SKEP_DOCS_TOPIC(name, json, doc) #name " "
#include "cli/docs.def"
#undef SKEP_DOCS_TOPIC
                         "'\n\n");
    skep_strbuf_puts(sb, "_skep_commands='");
    put_names(sb, entries, n);
    skep_strbuf_puts(sb, "'\n\n"
                         "# What can follow command $1: words, options, arguments.\n"
                         "_skep_table()\n{\n    words= options= arguments=()\n    case $1 in\n"
                         "    '') words=$_skep_commands options='--help --version --' ;;\n");
    for_each(sb, put_case);
    skep_strbuf_puts(sb, "    esac\n}\n\n"
                         "# What option $2 of command $1 takes as its value.\n"
                         "_skep_argument()\n{\n    case \"$1 $2\" in\n");
    for_each(sb, put_values);
    skep_strbuf_puts(sb, "    esac\n}\n\n");
    skep_strbuf_puts(sb, function);
}
