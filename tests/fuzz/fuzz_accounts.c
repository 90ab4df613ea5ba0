/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/passwd and /etc/group of a container, which are whatever somebody put there: both the same bytes. */
#include <assert.h>

#include "rule/names/accounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SKEP_CLEANUP(skep_accounts_freep) struct skep_accounts *a = NULL;
    char *passwd = strndup((const char *)data, size), *group = strndup((const char *)data, size);
    if (!passwd || !group || skep_accounts_new(passwd, group, &a) < 0)
        abort();
    for (uint32_t i = 0; i < 16; i++) {
        const struct skep_rule_user *u = skep_accounts_user(a, i);
        const char *g = skep_accounts_group(a, i);
        assert(!u == !g);
        if (u)
            assert(strlen(u->name) > 0 && strlen(u->name) + strlen(u->home) + strlen(u->shell) < size &&
                   strcmp(u->name, g) == 0);
    }
    assert(!skep_accounts_user(a, UINT32_MAX));
    return 0;
}
