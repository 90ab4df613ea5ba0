/* SPDX-License-Identifier: Apache-2.0 */
#include "export/curl.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/macro.h"

/* By the TLS library that it was built with; all of one interface since 7.16. */
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct skep_curl functions;
static char reason[512];
static int result;

static int find_functions(void *library)
{
    const struct {
        const char *name;
        void **to;
    } wanted[] = {
#define X(name) {"curl_" #name, (void **)&functions.name},
        SKEP_CURL_FUNCTIONS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        *wanted[i].to = dlsym(library, wanted[i].name);
        if (*wanted[i].to)
            continue;
        snprintf(reason, sizeof(reason), "%s", dlerror());
        return -ENOENT;
    }
    return 0;
}

static void load(void)
{
    void *library = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names) && !library; i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!library && i == 0)
            snprintf(reason, sizeof(reason), "%s", dlerror());
    }
    result = library ? find_functions(library) : -ENOENT;
    if (result == 0 && functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        result = -ENOMEM;
}

int skep_curl_load(const struct skep_curl **ret, const char **ret_why)
{
    pthread_once(&once, load);
    *ret = &functions;
    *ret_why = reason;
    return result;
}
