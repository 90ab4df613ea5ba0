/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_SAMPLE_H
#define SKEP_TEST_SAMPLE_H
/*
 * Events that are always the same, and policies written as text. To be included behind cmocka.h.
 */
#include "random.h"

#include "rule/compile/compile.h"
#include "rule/falco/falco.h"

/* openat("/etc/ssl/openssl.cnf", O_WRONLY) = 3 by "bash", user 1000 */
static inline void sample_open(const struct skep_schema *schema, struct event *e)
{
    memset(e, 0, sizeof(*e));
    struct skep_ev_open *o = (struct skep_ev_open *)e->raw;
    const char path[] = "/etc/ssl/openssl.cnf";
    e->ev.kind = skep_schema_kind(schema, SKEP_KIND_open);
    o->h = (struct skep_hdr){.kind = SKEP_KIND_open,
                             .flags = SKEP_HDR_SYSCALL | SKEP_HDR_RET,
                             .nr = 257,
                             .ret = 3,
                             .len = e->ev.kind->size,
                             .pid = 10,
                             .tid = 11,
                             .euid = 1000,
                             .uid = 1000,
                             .comm = "bash"};
    o->path = (struct skep_slice){o->h.len, sizeof(path) - 1};
    memcpy(e->raw + o->h.len, path, sizeof(path));
    o->h.len += ROUND_UP((uint32_t)sizeof(path), 8);
    o->path_source = SKEP_PATH_OBJECT;
    o->flags = 1;
    e->parent_image = (struct skep_proc_image){.exe = {(char *)"/usr/sbin/sshd", 14}};
    e->parent = (struct skep_proc){.pid = 17, .start = 1, .image = &e->parent_image, .comm = "sshd"};
    e->image =
        (struct skep_proc_image){.exe = {(char *)"/bin/bash", 9}, .args = {(char *)"bash\0-c\0ls\0", 11}};
    e->proc = (struct skep_proc){.pid = 10, .image = &e->image, .parent = &e->parent, .comm = "bash"};
    e->ev.proc = &e->proc;
    e->ev.image = &e->image;
    e->ev.session = &e->session;
    e->ev.scratch = &e->scratch;
    e->ev.h = &o->h;
}

static inline void sample_connect(const struct skep_schema *schema, struct event *e, const char *ip)
{
    memset(e, 0, sizeof(*e));
    struct skep_ev_connect *o = (struct skep_ev_connect *)e->raw;
    e->ev.kind = skep_schema_kind(schema, SKEP_KIND_connect);
    o->h = (struct skep_hdr){.kind = SKEP_KIND_connect,
                             .flags = SKEP_HDR_SYSCALL | SKEP_HDR_RET,
                             .nr = 42,
                             .len = e->ev.kind->size,
                             .comm = "curl"};
    bool four = !strchr(ip, ':');
    o->family = four ? AF_INET : AF_INET6;
    o->type = SOCK_STREAM;
    o->proto = 6;
    o->fd = 5;
    o->remote = (struct skep_endpoint){.family = (uint16_t)o->family, .port = 443};
    assert_int_equal(inet_pton((int)o->family, ip, o->remote.ip), 1);
    o->local = (struct skep_endpoint){.family = (uint16_t)o->family, .port = 40000};
    assert_int_equal(inet_pton((int)o->family, four ? "10.1.2.3" : "fd00::1", o->local.ip), 1);
    e->ev.session = &e->session;
    e->ev.scratch = &e->scratch;
    e->ev.h = &o->h;
}

static inline int sample_load(struct skep_strbuf *sb, const struct skep_compile_options *o,
                              struct skep_policy **ret_policy, struct skep_compiled **ret)
{
    struct skep_falco_input in = {.name = "rules", .text = sb->s, .len = sb->len};
    struct skep_falco_options fo = {.min_priority = SKEP_PRIORITY_DEBUG};
    struct skep_diags diags;
    assert_false(sb->failed);
    skep_diags_init(&diags, "rules");
    int r = skep_falco_load(&in, 1, &fo, &diags, ret_policy);
    if (r < 0)
        fail_msg("%s", diags.list[0].message);
    r = skep_rules_compile(*ret_policy, o, &diags, ret);
    skep_diags_clear(&diags);
    return r;
}

static inline void sample_put_rule(struct skep_strbuf *sb, unsigned i, const char *condition)
{
    skep_strbuf_printf(sb, "- rule: r%u\n  desc: d\n  condition: evt.type in (open, openat) and ", i);
    skep_strbuf_puts(sb, condition);
    skep_strbuf_puts(sb, "\n  output: o\n  priority: NOTICE\n");
}
#endif
