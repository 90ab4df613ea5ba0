/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_CURL_H
#define SKEP_EXPORT_CURL_H
/*
 * libcurl, loaded when the first sink asks for it. It brings some thirty libraries (TLS, Kerberos, LDAP, SSH), which take
 * more memory than all other libraries of skep together and run code of theirs as root before main(). Whoever posts
 * nothing has none of that, and needs no libcurl at all.
 *
 *     const struct skep_curl *curl;
 *     r = skep_curl_load(&curl, &why);
 *     easy = curl->easy_init();
 *
 * Functions have their names without curl_: https://curl.se/libcurl/c/ is their reference. It stays loaded.
 */
#define CURL_DISABLE_TYPECHECK 1 /* macros that would call the functions themselves */
#include <curl/curl.h>

#define SKEP_CURL_FUNCTIONS(X)                                                                               \
    X(easy_cleanup)                                                                                          \
    X(easy_getinfo)                                                                                          \
    X(easy_init)                                                                                             \
    X(easy_setopt)                                                                                           \
    X(easy_strerror)                                                                                         \
    X(global_init)                                                                                           \
    X(multi_add_handle)                                                                                      \
    X(multi_cleanup)                                                                                         \
    X(multi_info_read)                                                                                       \
    X(multi_init)                                                                                            \
    X(multi_perform)                                                                                         \
    X(multi_poll)                                                                                            \
    X(multi_remove_handle)                                                                                   \
    X(slist_append)                                                                                          \
    X(slist_free_all)                                                                                        \
    X(url)                                                                                                   \
    X(url_cleanup)                                                                                           \
    X(url_set)                                                                                               \
    X(url_strerror)

struct skep_curl {
#define X(name) __typeof__(curl_##name) *name;
    SKEP_CURL_FUNCTIONS(X)
#undef X
};

/* Any thread, any number of times. -ENOENT: there is no libcurl that can be used, and *ret_why says why, as the dynamic
 * linker puts it; -ENOMEM. */
int skep_curl_load(const struct skep_curl **ret, const char **ret_why);
#endif
