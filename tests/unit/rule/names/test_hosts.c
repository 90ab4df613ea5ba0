/* SPDX-License-Identifier: Apache-2.0 */
#include "../../event/record.h"

#include "base/clock.h"
#include "rule/names/hosts.h"

#include <sys/stat.h>
#include <time.h>

struct fixture {
    struct test_record r;
    struct skep_schema *schema;
    struct skep_rule_hosts *hosts;
    char root[64];
};

static void write_hosts(struct fixture *x, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/etc/hosts", x->root);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    char path[128];
    strcpy(x->root, "/tmp/skep-hosts-XXXXXX");
    assert_non_null(mkdtemp(x->root));
    snprintf(path, sizeof(path), "%s/etc", x->root);
    assert_int_equal(mkdir(path, 0700), 0);
    write_hosts(x,
                "# names\n127.0.0.1\tlocalhost Local.Example.\n::1 localhost # six\n10.9.8.7\nnonsense a\n");
    x->schema = test_schema();
    assert_int_equal(skep_rule_hosts_new(x->root, &x->hosts), 0);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/etc/hosts", x->root);
    unlink(path);
    snprintf(path, sizeof(path), "%s/etc", x->root);
    rmdir(path);
    rmdir(x->root);
    skep_rule_hosts_free(x->hosts);
    skep_schema_free(x->schema);
    free(x);
    return 0;
}

struct message {
    uint8_t bytes[512];
    size_t n;
};

static void put16(struct message *m, unsigned v)
{
    m->bytes[m->n++] = (uint8_t)(v >> 8);
    m->bytes[m->n++] = (uint8_t)v;
}

static void put_name(struct message *m, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        m->bytes[m->n++] = (uint8_t)n;
        memcpy(m->bytes + m->n, name, n);
        m->n += n;
        name += n + (name[n] == '.');
    }
    m->bytes[m->n++] = 0;
}

/* An answer to a question for the address of name, with one address and up to one CNAME. */
static void learn(struct fixture *x, unsigned direction, const char *name, const char *cname, const char *ip)
{
    struct message m = {0};
    bool six = strchr(ip, ':');
    uint8_t address[16];
    assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, ip, address), 1);
    put16(&m, 77);
    put16(&m, 0x8180);
    put16(&m, 1);
    put16(&m, cname ? 2 : 1);
    put16(&m, 0);
    put16(&m, 0);
    put_name(&m, name);
    put16(&m, six ? 28 : 1);
    put16(&m, 1);
    for (int i = cname ? 0 : 1; i < 2; i++) {
        put_name(&m, i && cname ? cname : name);
        put16(&m, i == 0 ? 5 : six ? 28 : 1);
        put16(&m, 1);
        put16(&m, 0);
        put16(&m, 60);
        size_t len_at = m.n, begin;
        m.n += 2;
        begin = m.n;
        if (i == 0) {
            put_name(&m, cname);
        } else {
            memcpy(m.bytes + m.n, address, six ? 16 : 4);
            m.n += six ? 16 : 4;
        }
        m.bytes[len_at + 1] = (uint8_t)(m.n - begin);
    }
    struct skep_ev_dns *e = test_begin(&x->r, x->schema, SKEP_KIND_dns);
    e->direction = direction;
    e->message = test_bytes(&x->r, m.bytes, m.n);
    assert_int_equal(skep_rule_hosts_learn(x->hosts, &x->r.ev), 0);
}

/* want: names joined by | */
static void check(struct fixture *x, const char *ip, const char *want)
{
    const char *names[2 * SKEP_HOSTS_NAMES];
    uint8_t address[16];
    char text[2048] = "";
    bool six = strchr(ip, ':');
    assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, ip, address), 1);
    size_t n = skep_rule_hosts_find(x->hosts, address, six ? 16 : 4, names);
    for (size_t i = 0, at = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "|" : "", names[i]);
    assert_string_equal(text, want);
}

static void test_answers(void **s)
{
    struct fixture *x = *s;
    check(x, "10.96.0.1", "");
    learn(x, SKEP_DIR_OUT, "kubernetes.default.svc.cluster.local", NULL, "10.96.0.1");
    check(x, "10.96.0.1", "");
    learn(x, SKEP_DIR_IN, "Kubernetes.Default.svc.cluster.local", NULL, "10.96.0.1");
    check(x, "10.96.0.1", "kubernetes.default.svc.cluster.local");
    learn(x, SKEP_DIR_IN, "www.example.org", "edge.cdn.example", "2001:db8::1");
    check(x, "2001:db8::1", "www.example.org|edge.cdn.example");
    learn(x, SKEP_DIR_IN, "other.example", NULL, "2001:db8::1");
    check(x, "2001:db8::1", "other.example|www.example.org|edge.cdn.example");
    /* again: it is the newest, and there once */
    learn(x, SKEP_DIR_IN, "www.example.org", NULL, "2001:db8::1");
    check(x, "2001:db8::1", "www.example.org|other.example|edge.cdn.example");
}

static void test_bounds(void **s)
{
    struct fixture *x = *s;
    char name[32], ip[32];
    for (int i = 0; i < SKEP_HOSTS_NAMES + 2; i++) {
        snprintf(name, sizeof(name), "n%d.example", i);
        learn(x, SKEP_DIR_IN, name, NULL, "1.2.3.4");
    }
    check(x, "1.2.3.4", "n5.example|n4.example|n3.example|n2.example");
    for (int i = 0; i < SKEP_HOSTS_MAX; i++) {
        snprintf(ip, sizeof(ip), "10.%d.%d.1", i / 256, i % 256);
        learn(x, SKEP_DIR_IN, "many.example", NULL, ip);
    }
    check(x, "1.2.3.4", "");
    check(x, "10.0.0.1", "many.example");
    check(x, ip, "many.example");
}

static void test_file(void **s)
{
    struct fixture *x = *s;
    check(x, "127.0.0.1", "localhost|local.example");
    check(x, "::1", "localhost");
    check(x, "10.9.8.7", "");
    learn(x, SKEP_DIR_IN, "rebound.example", NULL, "127.0.0.1");
    check(x, "127.0.0.1", "rebound.example|localhost|local.example");
    write_hosts(x, "10.9.8.7 seven a b c d e\n10.9.8.7 a\n");
    struct timespec pause = {.tv_sec = 1, .tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    check(x, "10.9.8.7", "seven|a|b|c");
    check(x, "::1", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
