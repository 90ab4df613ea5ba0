/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <pwd.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"

#define WIDTH 80
#define HELP_COLUMN 26
#define NAME_MAX_COMPARED 32
#define PID_HIGHEST 4194304 /* the kernel's PID_MAX_LIMIT */

struct parser {
    const struct skep_options_spec *spec;
    struct skep_args *args;
    void *target;
    struct skep_strbuf *error;
};

/* How an option was written, for messages. */
struct written {
    const struct skep_option *option;
    bool letter;
};

static void put_written(struct skep_strbuf *sb, struct written w)
{
    if (w.letter)
        skep_strbuf_printf(sb, "-%c", w.option->letter);
    else
        skep_strbuf_printf(sb, "--%s", w.option->name);
}

static void put_quoted(struct skep_strbuf *sb, const char *s)
{
    skep_strbuf_putc(sb, '\'');
    skep_strbuf_put_visible(sb, s, strlen(s));
    skep_strbuf_putc(sb, '\'');
}

/* ---- near misses ---- */

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > NAME_MAX_COMPARED || lb > NAME_MAX_COMPARED)
        return SIZE_MAX;
    size_t d[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];
    for (size_t i = 0; i <= la; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= lb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        for (size_t j = 1; j <= lb; j++) {
            size_t best = MIN(d[i - 1][j], d[i][j - 1]) + 1;
            best = MIN(best, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    }
    return d[la][lb];
}

const char *skep_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t len = strlen(word), best_distance = MIN((size_t)3, len / 3 + 1) + 1;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);
        /* an abbreviation is as good as one wrong letter */
        if (len >= 2 && skep_startswith(names[i], word))
            d = 1;
        if (d < best_distance && d < strlen(names[i])) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

static const char *nearest_option(const struct skep_options_spec *spec, const char *name)
{
    const char *names[128];
    size_t n = 0;
    names[n++] = "help";
    for (const struct skep_option_group *g = spec->groups; g && g->title; g++)
        for (const struct skep_option *o = g->options; o->name && n < ARRAY_SIZE(names); o++)
            names[n++] = o->name;
    return skep_nearest(name, names, n);
}

/* ---- values ---- */

static int bad_value(struct parser *p, struct written w, const char *value, const char *what)
{
    put_written(p->error, w);
    skep_strbuf_puts(p->error, ": ");
    put_quoted(p->error, value);
    skep_strbuf_printf(p->error, " %s", what);
    return -EINVAL;
}

static int parse_uid(const char *s, int64_t *ret)
{
    const char *end;
    uint64_t v;
    if (skep_number_parse(s, UINT32_MAX - 1, &v, &end) == 0 && !*end) {
        *ret = (int64_t)v;
        return 0;
    }
    const struct passwd *pw = getpwnam(s);
    if (!pw)
        return -ENOENT;
    *ret = pw->pw_uid;
    return 0;
}

/* What was made of several arguments lives as long as the arguments do; takes it over. */
static int keep(struct parser *p, void *made)
{
    void **joined = reallocarray(p->args->joined, p->args->n_joined + 1, sizeof(*joined));
    if (!joined) {
        free(made);
        return -ENOMEM;
    }
    p->args->joined = joined;
    joined[p->args->n_joined++] = made;
    return 0;
}

/* Joins value to what an earlier use of the option has left. */
static int store_joined(struct parser *p, const char **to, const char *value, const char *with)
{
    char *text;
    if (!*to) {
        *to = value;
        return 0;
    }
    if (asprintf(&text, "%s%s%s", *to, with, value) < 0)
        return -ENOMEM;
    int r = keep(p, text);
    if (r >= 0)
        *to = text;
    return r;
}

static int store_repeat(struct parser *p, struct skep_strings *to, const char *value, char letter)
{
    const char **list = calloc(to->n + 1, sizeof(*list));
    char *marked = NULL;
    int r = list ? keep(p, list) : -ENOMEM;
    if (r >= 0 && letter)
        r = asprintf(&marked, "%c%s", letter, value) < 0 ? -ENOMEM : keep(p, marked);
    if (r < 0)
        return r;
    if (to->n)
        memcpy(list, to->s, to->n * sizeof(*list));
    list[to->n] = marked ? marked : value;
    *to = (struct skep_strings){list, to->n + 1};
    return 0;
}

/* Whether value is the choice, in any case; a choice is NAME, or NAME|ANOTHER. */
static bool is_choice(const char *choice, const char *value)
{
    size_t len = strlen(value);
    for (; choice; choice = strchr(choice, '|')) {
        choice += *choice == '|';
        if (strcspn(choice, "|") == len && strncasecmp(choice, value, len) == 0)
            return true;
    }
    return false;
}

static int store_choice(struct parser *p, struct written w, int *to, const char *value)
{
    const char *const *choices = w.option->choices;
    for (int i = 0; choices[i]; i++) {
        if (is_choice(choices[i], value)) {
            *to = i;
            return 0;
        }
    }
    struct skep_strbuf what;
    skep_strbuf_init(&what, 256);
    skep_strbuf_puts(&what, "is none of ");
    for (int i = 0; choices[i]; i++)
        skep_strbuf_printf(&what, "%s%.*s", i ? ", " : "", (int)strcspn(choices[i], "|"), choices[i]);
    int r = bad_value(p, w, value, what.s);
    skep_strbuf_clear(&what);
    return r;
}

static int store(struct parser *p, struct written w, const char *value)
{
    void *to = (char *)p->target + w.option->offset;
    const char *end;
    uint64_t v;
    switch (w.option->kind) {
    case SKEP_OPTION_FLAG:
        *(bool *)to = true;
        return 0;
    case SKEP_OPTION_VALUE:
        *(int *)to = w.option->value;
        return 0;
    case SKEP_OPTION_CHOICE:
        return store_choice(p, w, to, value);
    case SKEP_OPTION_DURATION:
        if (skep_duration_parse(value, &v) < 0 || v == 0)
            return bad_value(p, w, value, "is not a duration such as 250ms, 5s or 1h30m");
        *(uint64_t *)to = v;
        return 0;
    case SKEP_OPTION_SIZE:
        if (skep_size_parse(value, &v) < 0 || v == 0)
            return bad_value(p, w, value, "is not a size such as 65536, 512K or 16M");
        *(uint64_t *)to = v;
        return 0;
    case SKEP_OPTION_NUMBER:
        if (skep_number_parse(value, UINT64_MAX, &v, &end) < 0 || *end || v == 0)
            return bad_value(p, w, value, "is not a number from 1 on");
        *(uint64_t *)to = v;
        return 0;
    case SKEP_OPTION_PID:
        if (skep_number_parse(value, PID_HIGHEST, &v, &end) < 0 || *end || v == 0)
            return bad_value(p, w, value, "is not a process id");
        *(uint32_t *)to = (uint32_t)v;
        return 0;
    case SKEP_OPTION_UID:
        return parse_uid(value, to) < 0
                   ? bad_value(p, w, value, "is neither a user id nor a user of this host")
                   : 0;
    default:
        break;
    }
    if (!*value) {
        put_written(p->error, w);
        skep_strbuf_printf(p->error, ": %s must not be empty", w.option->arg);
        return -EINVAL;
    }
    if (w.option->kind == SKEP_OPTION_LIST)
        return store_joined(p, to, value, ",");
    if (w.option->kind == SKEP_OPTION_REPEAT)
        return store_repeat(p, to, value, (char)w.option->value);
    *(const char **)to = value;
    return 0;
}

/* ---- the walk over argv ---- */

static const struct skep_option *find(const struct skep_options_spec *spec, const char *name, size_t len,
                                      char letter)
{
    for (const struct skep_option_group *g = spec->groups; g && g->title; g++)
        for (const struct skep_option *o = g->options; o->name; o++)
            if (name ? strlen(o->name) == len && strncmp(o->name, name, len) == 0 : o->letter == letter)
                return o;
    return NULL;
}

static bool has_argument(const struct skep_option *o)
{
    return o->kind != SKEP_OPTION_FLAG && o->kind != SKEP_OPTION_VALUE;
}

/* value: the text joined to the option, or NULL; then the next argument is taken. */
static int take_option(struct parser *p, struct written w, const char *value, char **next,
                       bool *ret_took_next)
{
    if (!has_argument(w.option))
        return store(p, w, NULL);
    /* "--" is never a value: somebody forgot one */
    if (!value && *next && !skep_streq(*next, "--")) {
        value = *next;
        *ret_took_next = true;
    }
    if (!value) {
        put_written(p->error, w);
        skep_strbuf_printf(p->error, " needs an argument: %s", w.option->arg);
        return -EINVAL;
    }
    return store(p, w, value);
}

static int parse_long(struct parser *p, char *arg, char **next, bool *ret_took_next)
{
    char *name = arg + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    if (len == 4 && strncmp(name, "help", 4) == 0 && !value) {
        p->args->help = true;
        return 0;
    }
    struct written w = {.option = find(p->spec, name, len, 0)};
    if (!w.option) {
        char *alone = strndup(name, len);
        if (!alone)
            return -ENOMEM;
        const char *near = nearest_option(p->spec, alone);
        skep_strbuf_puts(p->error, "unknown option --");
        skep_strbuf_put_visible(p->error, name, len);
        if (near)
            skep_strbuf_printf(p->error, " (did you mean --%s?)", near);
        free(alone);
        return -EINVAL;
    }
    if (value && !has_argument(w.option)) {
        skep_strbuf_printf(p->error, "--%s takes no argument", w.option->name);
        return -EINVAL;
    }
    return take_option(p, w, value, next, ret_took_next);
}

static int parse_letters(struct parser *p, char *arg, char **next, bool *ret_took_next)
{
    for (char *at = arg + 1; *at; at++) {
        struct written w = {.option = find(p->spec, NULL, 0, *at), .letter = true};
        if (!w.option && *at == 'h') {
            p->args->help = true;
            return 0;
        }
        if (!w.option) {
            skep_strbuf_puts(p->error, "unknown option -");
            size_t len = skep_utf8_len((uint8_t *)at, strlen(at));
            skep_strbuf_put_visible(p->error, at, MAX(len, (size_t)1));
            return -EINVAL;
        }
        if (has_argument(w.option))
            return take_option(p, w, at[1] ? at + 1 : NULL, next, ret_took_next);
        int r = take_option(p, w, NULL, next, ret_took_next);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_counts(struct parser *p)
{
    const struct skep_options_spec *spec = p->spec;
    if (p->args->n < spec->min_args) {
        int first = (int)strcspn(spec->arg_names, " ");
        skep_strbuf_printf(p->error, "missing argument: %.*s", first, spec->arg_names);
        return -EINVAL;
    }
    if (p->args->n > spec->max_args) {
        skep_strbuf_puts(p->error, "unexpected argument ");
        put_quoted(p->error, p->args->args[spec->max_args]);
        if (spec->takes_command && spec->max_args == 0)
            skep_strbuf_puts(p->error, " (a command to run follows --)");
        return -EINVAL;
    }
    if (p->args->command && !p->args->command[0]) {
        skep_strbuf_puts(p->error, "missing command after --");
        return -EINVAL;
    }
    return 0;
}

int skep_options_parse(const struct skep_options_spec *spec, int argc, char **argv, void *target,
                       struct skep_args *ret, struct skep_strbuf *error)
{
    _cleanup_args_ struct skep_args args = {.args = calloc((size_t)argc + 1, sizeof(char *))};
    if (!args.args)
        return -ENOMEM;
    struct parser p = {.spec = spec, .args = &args, .target = target, .error = error};
    int i = 1;
    for (; i < argc && !args.help; i++) {
        bool took_next = false;
        int r = 0;
        if (skep_streq(argv[i], "--"))
            break;
        if (argv[i][0] != '-' || !argv[i][1])
            args.args[args.n++] = argv[i];
        else if (argv[i][1] == '-')
            r = parse_long(&p, argv[i], argv + i + 1, &took_next);
        else
            r = parse_letters(&p, argv[i], argv + i + 1, &took_next);
        if (r < 0)
            return r;
        i += took_next;
    }
    if (!args.help) {
        if (i < argc && spec->takes_command)
            args.command = argv + i + 1;
        else
            for (i++; i < argc; i++)
                args.args[args.n++] = argv[i];
        int r = check_counts(&p);
        if (r < 0)
            return r;
    }
    *ret = args;
    args = (struct skep_args){0};
    return 0;
}

void skep_args_clear(struct skep_args *args)
{
    for (size_t i = 0; i < args->n_joined; i++)
        free(args->joined[i]);
    free(args->joined);
    free(args->args);
    *args = (struct skep_args){0};
}

/* ---- help ---- */

static void put_spaces(struct skep_strbuf *sb, size_t n)
{
    while (n--)
        skep_strbuf_putc(sb, ' ');
}

void skep_options_wrap(struct skep_strbuf *sb, const char *text, size_t at, size_t indent)
{
    bool start = true;
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (!start && at + 1 + word > WIDTH) {
            skep_strbuf_putc(sb, '\n');
            put_spaces(sb, indent);
            at = indent;
            start = true;
        }
        if (!start) {
            skep_strbuf_putc(sb, ' ');
            at++;
        }
        skep_strbuf_put(sb, text, word);
        at += word;
        start = false;
        text += word;
        if (*text == '\n') {
            skep_strbuf_putc(sb, '\n');
            if (text[1] && text[1] != '\n')
                put_spaces(sb, indent);
            at = indent;
            start = true;
        }
        text += *text != '\0';
    }
    skep_strbuf_putc(sb, '\n');
}

static void put_option_help(const struct skep_option *o, struct skep_strbuf *sb)
{
    size_t begin = sb->len;
    if (o->letter)
        skep_strbuf_printf(sb, "  -%c, --%s", o->letter, o->name);
    else
        skep_strbuf_printf(sb, "      --%s", o->name);
    if (o->arg)
        skep_strbuf_printf(sb, " %s", o->arg);
    size_t used = sb->len - begin;
    if (used + 2 > HELP_COLUMN) {
        skep_strbuf_putc(sb, '\n');
        used = 0;
    }
    put_spaces(sb, HELP_COLUMN - used);
    skep_options_wrap(sb, o->help, HELP_COLUMN, HELP_COLUMN);
}

void skep_options_help(const struct skep_option_group *groups, struct skep_strbuf *sb)
{
    for (const struct skep_option_group *g = groups; g && g->title; g++) {
        skep_strbuf_printf(sb, "\n%s:\n", g->title);
        for (const struct skep_option *o = g->options; o->name; o++)
            put_option_help(o, sb);
    }
}
