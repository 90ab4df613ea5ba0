/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vm_kernel.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char config[] =
    "#\n# Automatically generated\n#\nCONFIG_YES=y\nCONFIG_MODULE=m\n# CONFIG_OFF is not set\n"
    "CONFIG_HZ=250\nCONFIG_HEX=0xffffffff81000000\nCONFIG_LESS=-5\nCONFIG_TEXT=\"a \\\"b\\\" c\"\n"
    "CONFIG_EMPTY=\"\"\nCONFIG_BAD=12x\nCONFIG_LAST=y";

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int r;
        uint64_t value;
        const char *text;
    } values[] = {
        {"CONFIG_YES", 0, 1, "y"},
        {"CONFIG_MODULE", 0, 2, "m"},
        {"CONFIG_OFF", -ENOENT, 0, NULL},
        {"CONFIG_HZ", 0, 250, "250"},
        {"CONFIG_H", -ENOENT, 0, NULL},
        {"ONFIG_HZ", -ENOENT, 0, NULL},
        {"CONFIG_HEX", 0, 0xffffffff81000000, "0xffffffff81000000"},
        {"CONFIG_LESS", 0, (uint64_t)-5, "-5"},
        {"CONFIG_TEXT", 0, 0, "a \"b\" c"},
        {"CONFIG_EMPTY", 0, 0, ""},
        {"CONFIG_BAD", -EINVAL, 0, NULL},
        {"CONFIG_LAST", 0, 1, "y"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint64_t value = 77;
        char text[64] = "";
        int r = skep_vm_config_value(config, values[i].name, &value, text, sizeof(text));
        if (r != values[i].r || (r == 0 && (value != values[i].value || !skep_streq(text, values[i].text))))
            fail_msg("%s: %d, %llx, %s", values[i].name, r, (unsigned long long)value, text);
        if (r == 0)
            assert_int_equal(skep_vm_config_value(config, values[i].name, &value, NULL, 0), 0);
    }
    uint64_t value;
    char small[4];
    assert_int_equal(skep_vm_config_value(config, "CONFIG_TEXT", &value, small, sizeof(small)), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
