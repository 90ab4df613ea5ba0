/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

#include <time.h>

/* Who says what under which name; the first that is there wins. */
static const struct {
    const char *key;
    size_t field;
} annotations[] = {
    {"io.kubernetes.container.name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri.container-name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri-o.ContainerName", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri-o.Name", offsetof(struct skep_state_info, name)},
    {"nerdctl/name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri.image-name", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.cri-o.ImageName", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.cri-o.Image", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.pod.name", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.cri.sandbox-name", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.cri-o.KubeName", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.pod.namespace", offsetof(struct skep_state_info, namespace_)},
    {"io.kubernetes.cri.sandbox-namespace", offsetof(struct skep_state_info, namespace_)},
    {"io.kubernetes.cri-o.Namespace", offsetof(struct skep_state_info, namespace_)},
    {"io.kubernetes.pod.uid", offsetof(struct skep_state_info, pod_uid)},
    {"io.kubernetes.cri.sandbox-uid", offsetof(struct skep_state_info, pod_uid)},
    {"io.kubernetes.cri.sandbox-id", offsetof(struct skep_state_info, sandbox)},
    {"io.kubernetes.cri-o.SandboxID", offsetof(struct skep_state_info, sandbox)},
    {"io.kubernetes.sandbox.id", offsetof(struct skep_state_info, sandbox)},
};

void skep_state_info_clear(struct skep_state_info *info)
{
#define SKEP_CONTAINER_TEXT(member) free(info->member);
#define SKEP_CONTAINER_LIST(member, max) free(info->member.s);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    *info = (struct skep_state_info){0};
}

int skep_state_set(char **field, const char *text)
{
    if (*field || !text || !*text)
        return 0;
    *field = strndup(text, SKEP_CONTAINER_TEXT_MAX);
    return *field ? 0 : -ENOMEM;
}

const char *skep_state_member(json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

int skep_state_set_json(char **field, json_t *object, const char *member)
{
    return skep_state_set(field, skep_state_member(object, member));
}

int skep_state_set_annotations(struct skep_state_info *info, json_t *object)
{
    for (size_t i = 0; i < ARRAY_SIZE(annotations); i++) {
        int r =
            skep_state_set_json((char **)((char *)info + annotations[i].field), object, annotations[i].key);
        if (r < 0)
            return r;
    }
    return 0;
}

int skep_state_add(struct skep_bytes *list, size_t max, const char *const *texts, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += strlen(texts[i]) + 1;
    if (list->len + size > max)
        return 0;
    char *s = realloc(list->s, list->len + size);
    if (!s)
        return -ENOMEM;
    list->s = s;
    for (size_t i = 0; i < n; i++) {
        size_t one = strlen(texts[i]) + 1;
        memcpy(s + list->len, texts[i], one);
        list->len += one;
    }
    return 0;
}

int skep_state_set_healthcheck(struct skep_state_info *info, json_t *healthcheck)
{
    json_t *test = json_object_get(healthcheck, "Test");
    size_t n = json_array_size(test);
    const char *how = json_string_value(json_array_get(test, 0));
    int r = 0;
    info->traits |= SKEP_CONTAINER_KNOWN_HEALTHCHECK;
    if (!how || info->healthcheck.s || skep_streq(how, "NONE"))
        return 0;
    if (skep_streq(how, "CMD-SHELL")) {
        const char *const shell[] = {"/bin/sh", "-c"};
        r = skep_state_add(&info->healthcheck, SKEP_STATE_MAX_healthcheck, shell, ARRAY_SIZE(shell));
    }
    for (size_t i = 1; r >= 0 && i < n; i++) {
        const char *text = json_string_value(json_array_get(test, i));
        if (text)
            r = skep_state_add(&info->healthcheck, SKEP_STATE_MAX_healthcheck, &text, 1);
    }
    return r;
}

static bool begins_with_any(const char *s, const char *const *prefixes)
{
    for (; prefixes && *prefixes; prefixes++)
        if (skep_startswith(s, *prefixes))
            return true;
    return false;
}

int skep_state_add_labels(struct skep_bytes *list, size_t max, json_t *object, const char *const *without)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char *text = json_string_value(value);
        if (!text || begins_with_any(key, without) || list->len + strlen(key) + strlen(text) + 2 > max)
            continue;
        _cleanup_free_ char *label = NULL;
        if (asprintf(&label, "%s=%s", key, text) < 0) {
            label = NULL;
            return -ENOMEM;
        }
        int r = skep_state_add(list, max, (const char *const[]){label}, 1);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_hex(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return false;
    return n > 0;
}

int skep_state_set_image_ref(struct skep_state_info *info, const char *ref)
{
    if (!ref)
        return 0;
    const char *digest = strrchr(ref, '@'), *hex = skep_startswith(ref, "sha256:");
    if (digest)
        return skep_state_set(&info->image_digest, digest + 1);
    if (!hex)
        hex = ref;
    return strlen(hex) == 64 && is_hex(hex, 64) ? skep_state_set(&info->image_id, hex) : 0;
}

#define UID_LEN 36   /* of a UUID with its four hyphens */
#define PLAIN_LEN 32 /* of a static pod's */

/* .../pod<uid>/... or ...-pod<uid>.slice, where systemd writes _ for - */
int skep_state_set_pod_uid(struct skep_state_info *info, const char *path)
{
    for (const char *s = path; !info->pod_uid && (s = strstr(s, "pod")); s++) {
        char uid[UID_LEN + 1];
        size_t n = strcspn(s + 3, "/.");
        if ((n != UID_LEN && n != PLAIN_LEN) || s == path || (s[-1] != '/' && s[-1] != '-'))
            continue;
        bool ok = true;
        for (size_t i = 0; i < n; i++) {
            uid[i] = s[3 + i] == '_' ? '-' : s[3 + i];
            bool hyphen = n == UID_LEN && (i == 8 || i == 13 || i == 18 || i == 23);
            ok &= hyphen ? uid[i] == '-' : is_hex(&uid[i], 1);
        }
        uid[n] = '\0';
        if (ok)
            return skep_state_set(&info->pod_uid, uid);
    }
    return 0;
}

/* Digits in a row; false: other characters. */
static bool take_digits(const char **s, int n, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if ((*s)[i] < '0' || (*s)[i] > '9')
            return false;
        v = v * 10 + ((*s)[i] - '0');
    }
    *s += n;
    *ret = v;
    return true;
}

static bool take_char(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

void skep_state_set_started(struct skep_state_info *info, const char *text)
{
    struct tm tm = {0};
    const char *s = text;
    int year, month, hour = 0, minute = 0;
    if (info->started || !s || !take_digits(&s, 4, &year) || !take_char(&s, '-') ||
        !take_digits(&s, 2, &month) || !take_char(&s, '-') || !take_digits(&s, 2, &tm.tm_mday) ||
        !take_char(&s, 'T') || !take_digits(&s, 2, &tm.tm_hour) || !take_char(&s, ':') ||
        !take_digits(&s, 2, &tm.tm_min) || !take_char(&s, ':') || !take_digits(&s, 2, &tm.tm_sec) ||
        year < 1971)
        return;
    uint64_t ns = 0, unit = 100000000;
    if (take_char(&s, '.'))
        for (; *s >= '0' && *s <= '9'; s++, unit /= 10)
            ns += unit * (uint64_t)(*s - '0');
    int sign = *s == '+' ? 1 : *s == '-' ? -1 : 0;
    if (sign ? !(s++, take_digits(&s, 2, &hour)) || !take_char(&s, ':') || !take_digits(&s, 2, &minute)
             : !take_char(&s, 'Z'))
        return;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    time_t t = timegm(&tm) - sign * (hour * 3600 + minute * 60);
    info->started = (uint64_t)t * 1000000000ULL + ns;
}

bool skep_state_next_candidate(const char *path, size_t *at, char id[SKEP_CONTAINER_ID_MAX], size_t *ret_end)
{
    while (*at > 0) {
        size_t end = *at;
        while (end > 0 && path[end - 1] == '/')
            end--;
        size_t begin = end;
        while (begin > 0 && path[begin - 1] != '/')
            begin--;
        *at = begin;
        if (!skep_cgroup_is_candidate(path + begin, end - begin))
            continue;
        memcpy(id, path + begin, end - begin);
        id[end - begin] = '\0';
        *ret_end = end;
        return true;
    }
    return false;
}
