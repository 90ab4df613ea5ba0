/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/names/services.h"

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
    uint16_t port = 7;
    assert_true(skep_rule_service_port("https", 5, &port));
    assert_int_equal(port, 443);
    assert_true(skep_rule_service_port("www", 3, &port)); /* also by another name */
    assert_int_equal(port, 80);
    assert_false(skep_rule_service_port("http", 3, &port));
    assert_false(skep_rule_service_port("53/udp", 6, &port));
    assert_false(skep_rule_service_port("#", 1, &port));
    assert_int_equal(port, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
