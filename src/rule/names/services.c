/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/names/services.h"

#include <pthread.h>

#define SERVICES_FILE "/etc/services"
#define SERVICES_MAX 4096
#define SERVICES_BYTES_MAX (1u << 20)

struct service {
    uint16_t port;
    char proto[6];
    char name[24];
};

/* Written once, then read by all threads; ordered by port. */
static struct {
    struct service *rows;
    size_t n;
} services;

static int by_port(const void *a, const void *b)
{
    return (int)((const struct service *)a)->port - (int)((const struct service *)b)->port;
}

/* name port/protocol aliases... # remark */
static bool parse_line(const char *line, struct service *ret)
{
    unsigned port;
    *ret = (struct service){0};
    if (sscanf(line, "%23s %u/%5s", ret->name, &port, ret->proto) != 3 || ret->name[0] == '#' ||
        port > UINT16_MAX)
        return false;
    ret->port = (uint16_t)port;
    return true;
}

static void read_services(void)
{
    _cleanup_fclose_ FILE *f = fopen(SERVICES_FILE, "re");
    char line[512];
    size_t total = 0;
    services.rows = calloc(SERVICES_MAX, sizeof(*services.rows));
    while (f && services.rows && services.n < SERVICES_MAX && total < SERVICES_BYTES_MAX &&
           fgets(line, sizeof(line), f)) {
        total += strlen(line);
        if (parse_line(line, &services.rows[services.n]))
            services.n++;
    }
    if (services.n)
        qsort(services.rows, services.n, sizeof(*services.rows), by_port);
}

const char *skep_rule_service_find(uint16_t port, const char *proto)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_services);
    const struct service key = {.port = port};
    const struct service *s =
        services.n ? bsearch(&key, services.rows, services.n, sizeof(key), by_port) : NULL;
    while (s && s > services.rows && s[-1].port == port)
        s--;
    for (; s && s < services.rows + services.n && s->port == port; s++)
        if (skep_streq(s->proto, proto))
            return s->name;
    return NULL;
}

/* name port/protocol aliases... # remark */
static bool has_name(char *line, const char *name, size_t len)
{
    char *save = NULL;
    line[strcspn(line, "#")] = '\0';
    char *word = strtok_r(line, " \t\n", &save);
    for (unsigned i = 0; word; i++, word = strtok_r(NULL, " \t\n", &save))
        if (i != 1 && strlen(word) == len && memcmp(word, name, len) == 0)
            return true;
    return false;
}

bool skep_rule_service_port(const char *name, size_t len, uint16_t *ret)
{
    _cleanup_fclose_ FILE *f = fopen(SERVICES_FILE, "re");
    char line[512];
    size_t total = 0;
    while (f && total < SERVICES_BYTES_MAX && fgets(line, sizeof(line), f)) {
        struct service s;
        total += strlen(line);
        if (!parse_line(line, &s) || !has_name(line, name, len))
            continue;
        *ret = s.port;
        return true;
    }
    return false;
}
