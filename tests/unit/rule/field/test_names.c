/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of processes, threads, users, groups, containers and Kubernetes exist under the names that rules use, each
 * once, and take the arguments that rules give them. */
#include "rule/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define INDEX (SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_INDEX)
#define ANCESTOR (INDEX | SKEP_FIELD_ANY)

static const struct {
    const char *name;
    enum skep_rule_type type;
    uint32_t flags; /* of arguments and several values */
} known[] = {
    {"proc.exe", SKEP_RULE_TEXT, 0},
    {"proc.pexe", SKEP_RULE_TEXT, 0},
    {"proc.aexe", SKEP_RULE_TEXT, ANCESTOR},
    {"proc.exepath", SKEP_RULE_TEXT, 0},
    {"proc.pexepath", SKEP_RULE_TEXT, 0},
    {"proc.aexepath", SKEP_RULE_TEXT, ANCESTOR},
    {"proc.name", SKEP_RULE_TEXT, 0},
    {"proc.pname", SKEP_RULE_TEXT, 0},
    {"proc.aname", SKEP_RULE_TEXT, ANCESTOR},
    {"proc.args", SKEP_RULE_TEXT, INDEX},
    {"proc.aargs", SKEP_RULE_TEXT, ANCESTOR},
    {"proc.cmdline", SKEP_RULE_TEXT, 0},
    {"proc.pcmdline", SKEP_RULE_TEXT, 0},
    {"proc.acmdline", SKEP_RULE_TEXT, ANCESTOR},
    {"proc.cmdnargs", SKEP_RULE_NUMBER, 0},
    {"proc.cmdlenargs", SKEP_RULE_NUMBER, 0},
    {"proc.exeline", SKEP_RULE_TEXT, 0},
    {"proc.env", SKEP_RULE_TEXT, SKEP_FIELD_ARG_OPTIONAL},
    {"proc.aenv", SKEP_RULE_TEXT, SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ANY},
    {"proc.cwd", SKEP_RULE_TEXT, 0},
    {"proc.loginshellid", SKEP_RULE_NUMBER, 0},
    {"proc.tty", SKEP_RULE_NUMBER, 0},
    {"proc.pid", SKEP_RULE_NUMBER, 0},
    {"proc.ppid", SKEP_RULE_NUMBER, 0},
    {"proc.apid", SKEP_RULE_NUMBER, ANCESTOR},
    {"proc.vpid", SKEP_RULE_NUMBER, 0},
    {"proc.pvpid", SKEP_RULE_NUMBER, 0},
    {"proc.sid", SKEP_RULE_NUMBER, 0},
    {"proc.sname", SKEP_RULE_TEXT, 0},
    {"proc.sid.exe", SKEP_RULE_TEXT, 0},
    {"proc.sid.exepath", SKEP_RULE_TEXT, 0},
    {"proc.vpgid", SKEP_RULE_NUMBER, 0},
    {"proc.vpgid.name", SKEP_RULE_TEXT, 0},
    {"proc.vpgid.exe", SKEP_RULE_TEXT, 0},
    {"proc.vpgid.exepath", SKEP_RULE_TEXT, 0},
    {"proc.pgid", SKEP_RULE_NUMBER, 0},
    {"proc.pgid.name", SKEP_RULE_TEXT, 0},
    {"proc.pgid.exe", SKEP_RULE_TEXT, 0},
    {"proc.pgid.exepath", SKEP_RULE_TEXT, 0},
    {"proc.duration", SKEP_RULE_NUMBER, 0},
    {"proc.ppid.duration", SKEP_RULE_NUMBER, 0},
    {"proc.pid.ts", SKEP_RULE_NUMBER, 0},
    {"proc.ppid.ts", SKEP_RULE_NUMBER, 0},
    {"proc.is_exe_writable", SKEP_RULE_BOOL, 0},
    {"proc.is_exe_upper_layer", SKEP_RULE_BOOL, 0},
    {"proc.is_exe_lower_layer", SKEP_RULE_BOOL, 0},
    {"proc.is_exe_from_memfd", SKEP_RULE_BOOL, 0},
    {"proc.is_sid_leader", SKEP_RULE_BOOL, 0},
    {"proc.is_vpgid_leader", SKEP_RULE_BOOL, 0},
    {"proc.is_pgid_leader", SKEP_RULE_BOOL, 0},
    {"proc.exe_ino", SKEP_RULE_NUMBER, 0},
    {"proc.exe_ino.ctime", SKEP_RULE_NUMBER, 0},
    {"proc.exe_ino.mtime", SKEP_RULE_NUMBER, 0},
    {"proc.exe_ino.ctime_duration_proc_start", SKEP_RULE_NUMBER, 0},
    {"proc.exe_ino.ctime_duration_pidns_start", SKEP_RULE_NUMBER, 0},
    {"proc.pidns_init_start_ts", SKEP_RULE_NUMBER, 0},
    {"proc.is_container_healthcheck", SKEP_RULE_BOOL, 0},
    {"proc.is_container_liveness_probe", SKEP_RULE_BOOL, 0},
    {"proc.is_container_readiness_probe", SKEP_RULE_BOOL, 0},
    {"thread.cap_permitted", SKEP_RULE_TEXT, 0},
    {"thread.cap_inheritable", SKEP_RULE_TEXT, 0},
    {"thread.cap_effective", SKEP_RULE_TEXT, 0},
    {"thread.tid", SKEP_RULE_NUMBER, 0},
    {"thread.vtid", SKEP_RULE_NUMBER, 0},
    {"thread.ismain", SKEP_RULE_BOOL, 0},
    {"thread.nametid", SKEP_RULE_TEXT, 0},
    {"user.uid", SKEP_RULE_NUMBER, 0},
    {"user.name", SKEP_RULE_TEXT, 0},
    {"user.homedir", SKEP_RULE_TEXT, 0},
    {"user.shell", SKEP_RULE_TEXT, 0},
    {"user.loginuid", SKEP_RULE_NUMBER, 0},
    {"user.loginname", SKEP_RULE_TEXT, 0},
    {"group.gid", SKEP_RULE_NUMBER, 0},
    {"group.name", SKEP_RULE_TEXT, 0},
    {"container.id", SKEP_RULE_TEXT, 0},
    {"container.full_id", SKEP_RULE_TEXT, 0},
    {"container.name", SKEP_RULE_TEXT, 0},
    {"container.image", SKEP_RULE_TEXT, 0},
    {"container.image.id", SKEP_RULE_TEXT, 0},
    {"container.type", SKEP_RULE_TEXT, 0},
    {"container.privileged", SKEP_RULE_BOOL, 0},
    {"container.mounts", SKEP_RULE_TEXT, 0},
    {"container.mount", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.mount.source", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.mount.dest", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.mount.mode", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.mount.rdwr", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.mount.propagation", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.image.repository", SKEP_RULE_TEXT, 0},
    {"container.image.tag", SKEP_RULE_TEXT, 0},
    {"container.image.digest", SKEP_RULE_TEXT, 0},
    {"container.healthcheck", SKEP_RULE_TEXT, 0},
    {"container.liveness_probe", SKEP_RULE_TEXT, 0},
    {"container.readiness_probe", SKEP_RULE_TEXT, 0},
    {"container.start_ts", SKEP_RULE_NUMBER, 0},
    {"container.duration", SKEP_RULE_NUMBER, 0},
    {"container.ip", SKEP_RULE_TEXT, 0},
    {"container.cni.json", SKEP_RULE_TEXT, 0},
    {"container.host_pid", SKEP_RULE_BOOL, 0},
    {"container.host_network", SKEP_RULE_BOOL, 0},
    {"container.host_ipc", SKEP_RULE_BOOL, 0},
    {"container.label", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"container.labels", SKEP_RULE_TEXT, 0},
    {"k8s.pod.name", SKEP_RULE_TEXT, 0},
    {"k8s.ns.name", SKEP_RULE_TEXT, 0},
    {"k8s.pod.id", SKEP_RULE_TEXT, 0},
    {"k8s.pod.uid", SKEP_RULE_TEXT, 0},
    {"k8s.pod.sandbox_id", SKEP_RULE_TEXT, 0},
    {"k8s.pod.full_sandbox_id", SKEP_RULE_TEXT, 0},
    {"k8s.pod.label", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"k8s.pod.labels", SKEP_RULE_TEXT, 0},
    {"k8s.pod.ip", SKEP_RULE_TEXT, 0},
    {"k8s.pod.cni.json", SKEP_RULE_TEXT, 0},
    {"k8s.deployment.name", SKEP_RULE_TEXT, 0},
    {"k8s.rs.label", SKEP_RULE_TEXT, SKEP_FIELD_ARG_REQUIRED},
    {"k8s.ns.labels", SKEP_RULE_TEXT, 0},
    {"k8s.svc.id", SKEP_RULE_TEXT, 0},
    {"k8s.rc.name", SKEP_RULE_TEXT, 0},
};

static void test_known(void **state)
{
    (void)state;
    const uint32_t of_arguments = SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_INDEX |
                                  SKEP_FIELD_LIST | SKEP_FIELD_ANY | SKEP_FIELD_NET;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const struct skep_rule_field *f = skep_rule_field_find(known[i].name, strlen(known[i].name));
        if (!f)
            fail_msg("no field %s", known[i].name);
        if (f->type != known[i].type || (f->flags & of_arguments) != known[i].flags)
            fail_msg("%s: type %u, flags %x", f->name, f->type, f->flags);
    }
}

static void test_rows(void **state)
{
    (void)state;
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const struct skep_rule_field *f = &families[i]->fields[k];
            /* the first of that name is this one */
            assert_ptr_equal(skep_rule_field_find(f->name, strlen(f->name)), f);
            assert_non_null(f->get);
            assert_true(strlen(f->doc) > 0);
            assert_true((f->n_spots > 0) == (f->spots != NULL));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
