/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/services.h"

static void test_known(void **s)
{
    (void)s;
    if (access("/etc/services", R_OK) < 0) {
        print_message("there is no /etc/services\n");
        skip();
    }
    assert_string_equal(skep_rule_service_find(443, "tcp"), "https");
    assert_string_equal(skep_rule_service_find(22, "tcp"), "ssh");
    assert_string_equal(skep_rule_service_find(53, "udp"), "domain");
    assert_null(skep_rule_service_find(443, "sctp9"));
    assert_null(skep_rule_service_find(65001, "tcp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
