/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sinks.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/number.h"

#define KEY_MAX 4096 /* bytes of a key's template */

static int wrong(struct skep_strbuf *error, const char *text, const char *what)
{
    skep_strbuf_putc(error, '\'');
    skep_strbuf_put_visible(error, text, strlen(text));
    skep_strbuf_printf(error, "' %s", what);
    return -EINVAL;
}

int skep_rate_parse(const char *text, struct skep_throttle_options *ret, struct skep_strbuf *error)
{
    static const char form[] = "is not a rate such as 10/1m or 10/1m,burst=50";
    struct skep_throttle_options o = *ret;
    const char *end;
    if (skep_number_parse(text, SKEP_THROTTLE_RATE_MAX, &o.rate, &end) < 0 || *end != '/' || o.rate == 0)
        return wrong(error, text, form);
    _cleanup_free_ char *interval = strdup(end + 1);
    if (!interval)
        return -ENOMEM;
    char *comma = strchr(interval, ',');
    if (comma) {
        *comma = '\0';
        const char *burst = skep_startswith(comma + 1, "burst=");
        if (!burst || skep_number_parse(burst, SKEP_THROTTLE_RATE_MAX, &o.burst, &end) < 0 || *end ||
            o.burst == 0)
            return wrong(error, text, form);
    }
    if (skep_duration_parse(interval, &o.interval_ns) < 0)
        return wrong(error, text, form);
    if (o.rate > o.interval_ns)
        return wrong(error, text, "asks for more alerts than there are nanoseconds");
    *ret = o;
    return 0;
}

/* What a field's name and its argument are made of; the template's own compiler knows which fields there are.
 * */
static bool is_field(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("._[]/*-", s[i]))
            return false;
    return n > 0 && isalpha((unsigned char)*s);
}

int skep_suppress_parse(const char *text, struct skep_throttle_options *ret, char **ret_key,
                        struct skep_strbuf *error)
{
    size_t n = strcspn(text, ",");
    _cleanup_free_ char *window = strndup(text, n);
    _cleanup_strbuf_ struct skep_strbuf key;
    uint64_t window_ns;
    skep_strbuf_init(&key, KEY_MAX);
    if (!window)
        return -ENOMEM;
    const char *by = text[n] ? skep_startswith(text + n + 1, "by=") : SKEP_SUPPRESS_BY;
    if (skep_duration_parse(window, &window_ns) < 0 || window_ns == 0 || !by)
        return wrong(error, text, "is not a time such as 1m or 1m,by=proc.exepath,fd.name");
    for (;;) {
        n = strcspn(by, ",");
        if (!is_field(by, n))
            return wrong(error, text, "must name fields behind by=, separated by commas");
        skep_strbuf_printf(&key, "%s%.*s=%%%.*s", key.len ? " " : "", (int)n, by, (int)n, by);
        if (!by[n])
            break;
        by += n + 1;
    }
    if (key.failed)
        return wrong(error, text, "names too many fields");
    char *copy = strdup(key.s);
    if (!copy)
        return -ENOMEM;
    ret->window_ns = window_ns;
    *ret_key = copy;
    return 0;
}

static int open_sinks(const struct skep_strings *to, struct skep_alert_route *route)
{
    int status = SKEP_EXIT_OK;
    route->sinks = calloc(to->n, sizeof(struct skep_sink *));
    if (!route->sinks)
        return -ENOMEM;
    for (size_t i = 0; i < to->n; i++) {
        _cleanup_diags_ struct skep_diags diags;
        skep_diags_init(&diags, "--to");
        int r = skep_sink_open(to->s[i], &diags, &route->sinks[route->n_sinks]);
        if (r >= 0) {
            route->n_sinks++;
            continue;
        }
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 1 << 20);
        skep_diags_put_text(&diags, to->s[i], &sb);
        fputs(sb.s, stderr);
        if (r == -ENOMEM || r == -EAGAIN || r == -EMFILE || r == -ENFILE)
            return SKEP_EXIT_FAILED;
        status = SKEP_EXIT_USAGE;
    }
    return status;
}

static int parse_throttle(const struct skep_command_entry *self, const struct skep_alert_options *o,
                          struct skep_alert_route *route)
{
    _cleanup_strbuf_ struct skep_strbuf error;
    skep_strbuf_init(&error, 4096);
    int r = o->rate ? skep_rate_parse(o->rate, &route->throttle, &error) : 0;
    if (r == -EINVAL)
        return skep_usage_error(self, "--rate: %s", error.s);
    if (r == 0 && o->suppress)
        r = skep_suppress_parse(o->suppress, &route->throttle, &route->key, &error);
    if (r == -EINVAL)
        return skep_usage_error(self, "--suppress: %s", error.s);
    return r;
}

int skep_alert_route_open(const struct skep_command_entry *self, const struct skep_alert_options *o,
                          struct skep_alert_route *ret)
{
    _cleanup_alert_route_ struct skep_alert_route route = {0};
    int r = parse_throttle(self, o, &route);
    if (r == 0 && o->to.n)
        r = open_sinks(&o->to, &route);
    if (r)
        return r;
    *ret = route;
    route = (struct skep_alert_route){0};
    return SKEP_EXIT_OK;
}

void skep_alert_route_clear(struct skep_alert_route *route)
{
    uint64_t now = skep_clock_mono_ns();
    for (size_t i = 0; i < route->n_sinks; i++)
        skep_sink_end(route->sinks[i], now);
    for (size_t i = 0; i < route->n_sinks; i++)
        skep_sink_free(route->sinks[i]);
    free(route->sinks);
    free(route->key);
    *route = (struct skep_alert_route){0};
}
