/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "export/curl.h"
#include "export/sink_kind.h"

#define TIMEOUT_DEFAULT_NS 5000000000ULL
#define RETRIES_DEFAULT 10
#define ANSWER_MAX (1 << 20)  /* bytes of an answer, which nobody reads */
#define RETRY_AFTER_MAX_S 300 /* a server may ask for this much patience */
#define BODY_MAX (64U << 20)  /* of a request that carries several alerts */
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

#define STATUS_TIMEOUT 408
#define STATUS_TOO_MANY 429

struct http {
    const char *cert, *key, *ca;
    bool insecure;
    struct skep_sink_texts headers;
    uint64_t timeout_ns;
    uint64_t batch;

    struct skep_sink *sink;
    const struct skep_curl *curl; /* NULL: not loaded */
    CURLM *multi;
    CURL *easy;
    struct curl_slist *header_list;
    struct skep_strbuf body; /* of a request with several alerts */
    char error[CURL_ERROR_SIZE];
    size_t answer;
};

static void init(void *state)
{
    struct http *h = state;
    *h = (struct http){.timeout_ns = TIMEOUT_DEFAULT_NS, .batch = 1};
    skep_strbuf_init(&h->body, BODY_MAX);
}

/* ---- opening ---- */

static int load_library(struct http *h, struct skep_sink_spec *spec)
{
    const char *why;
    int r = skep_curl_load(&h->curl, &why);
    if (r == -ENOENT) {
        skep_sink_spec_error(spec, NULL, "sink-library",
                             "libcurl, which sends requests, cannot be loaded: %s", why);
        skep_diags_hint(spec->diags,
                        "install it: package libcurl4 (Debian, Ubuntu) or libcurl (Fedora, Alpine)");
        return -EINVAL;
    }
    return r;
}

static int add_header(struct http *h, const char *text)
{
    struct curl_slist *list = h->curl->slist_append(h->header_list, text);
    if (!list)
        return -ENOMEM;
    h->header_list = list;
    return 0;
}

/* A line feed in it would begin a header of somebody else's making. */
static bool is_header(const char *text)
{
    size_t name = strcspn(text, ": \t\r\n");
    return name > 0 && text[name] == ':' && !strpbrk(text, "\r\n");
}

/* Secrets do not belong on a command line, which everybody on the host can read: @FILE has headers in lines. */
static int add_header_file(struct http *h, struct skep_sink_spec *spec, const char *path)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f) {
        skep_sink_spec_error(spec, "header", "sink-file", "%s cannot be read: %s", path, strerror(errno));
        return -EINVAL;
    }
    char line[8192];
    for (int i = 0; fgets(line, sizeof(line), f); i++) {
        if (i == SKEP_SINK_TEXTS_MAX)
            return skep_sink_spec_error(spec, "header", "sink-value", "%s has more than %d lines", path,
                                        SKEP_SINK_TEXTS_MAX);
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && !is_header(line))
            return skep_sink_spec_error(spec, "header", "sink-value", "line %d of %s is not 'Name: value'",
                                        i + 1, path);
        int r = *line ? add_header(h, line) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_headers(struct http *h, struct skep_sink_spec *spec)
{
    bool json = skep_sink_format(h->sink) == SKEP_SINK_JSON;
    int r =
        add_header(h, json ? "Content-Type: application/json" : "Content-Type: text/plain; charset=utf-8");
    if (r == 0)
        r = add_header(h, "Expect:"); /* no question before each request */
    for (size_t i = 0; r == 0 && i < h->headers.n; i++) {
        const char *text = h->headers.list[i];
        if (*text == '@') {
            r = add_header_file(h, spec, text + 1);
        } else if (is_header(text)) {
            r = add_header(h, text);
        } else {
            r = skep_sink_spec_error(spec, "header", "sink-value", "'%s' is not 'Name: value'", text);
            skep_diags_hint(spec->diags, "such as header='X-Site: north', or header=@FILE for lines of them");
        }
    }
    return r;
}

static size_t take_answer(char *data, size_t size, size_t n, void *userdata)
{
    struct http *h = userdata;
    (void)data;
    h->answer += size * n;
    return h->answer > ANSWER_MAX ? 0 : size * n;
}

static int check_url(struct skep_sink_spec *spec, const struct http *h)
{
    CURLU *url = h->curl->url();
    CURLUcode bad = url ? h->curl->url_set(url, CURLUPART_URL, spec->whole, 0) : CURLUE_OUT_OF_MEMORY;
    h->curl->url_cleanup(url);
    if (bad) {
        skep_sink_spec_error(spec, NULL, "sink-address", "this is no URL: %s", h->curl->url_strerror(bad));
        skep_diags_hint(spec->diags, "such as https://collector.example:2801/alerts");
        return -EINVAL;
    }
    if (h->key && !h->cert)
        return skep_sink_spec_error(spec, "key", "sink-value", "key is of use with cert only");
    if (skep_streq(spec->kind, "http") && (h->cert || h->ca || h->insecure)) {
        skep_sink_spec_error(spec, NULL, "sink-value", "cert, key, ca and insecure mean nothing to http");
        skep_diags_hint(spec->diags, "https://%s", spec->address + strspn(spec->address, "/"));
        return -EINVAL;
    }
    return 0;
}

static CURLcode set_options(struct http *h, const char *url)
{
    CURLcode r = CURLE_OK;
#define SET(option, value) (r = r ? r : h->curl->easy_setopt(h->easy, option, value))
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_HTTPHEADER, h->header_list);
    SET(CURLOPT_USERAGENT, "skep/" SKEP_VERSION);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)MAX(h->timeout_ns / NS_PER_MS, (uint64_t)1));
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)MAX(h->timeout_ns / NS_PER_MS, (uint64_t)1));
    SET(CURLOPT_ERRORBUFFER, h->error);
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, h);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, h->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, h->insecure ? 0L : 2L);
    if (h->ca)
        SET(CURLOPT_CAINFO, h->ca);
    if (h->cert)
        SET(CURLOPT_SSLCERT, h->cert);
    if (h->cert)
        SET(CURLOPT_SSLKEY, h->key ? h->key : h->cert);
#undef SET
    return r;
}

static int open_sink(void *state, struct skep_sink *s, struct skep_sink_spec *spec)
{
    struct http *h = state;
    h->sink = s;
    int r = load_library(h, spec);
    if (r == 0)
        r = check_url(spec, h);
    if (r == 0)
        r = add_headers(h, spec);
    if (r < 0)
        return r;
    h->multi = h->curl->multi_init();
    h->easy = h->curl->easy_init();
    if (!h->multi || !h->easy)
        return -ENOMEM;
    CURLcode bad = set_options(h, spec->whole);
    if (bad)
        return skep_sink_spec_error(spec, NULL, "sink-open", "the request cannot be set up: %s",
                                    h->curl->easy_strerror(bad));
    return 0;
}

/* ---- sending ---- */

/* Several alerts are a JSON array, or lines of text. How many of them fit. */
static size_t make_body(struct http *h, const struct skep_sink_item *items, size_t n)
{
    bool json = skep_sink_format(h->sink) == SKEP_SINK_JSON;
    size_t i;
    skep_strbuf_reset(&h->body);
    for (i = 0; i < n && (i == 0 || h->body.len + items[i].len + 2 <= BODY_MAX); i++) {
        if (json)
            skep_strbuf_putc(&h->body, i ? ',' : '[');
        skep_strbuf_put(&h->body, items[i].data, json ? items[i].len - 1 : items[i].len);
    }
    if (json)
        skep_strbuf_putc(&h->body, ']');
    return i;
}

/* Runs the request until it is over. -EINTR: the sink has to end. */
static int perform(struct http *h, CURLcode *ret)
{
    struct curl_waitfd wake = {.fd = skep_sink_wake_fd(h->sink), .events = CURL_WAIT_POLLIN};
    int running = 1, left;
    *h->error = '\0';
    h->answer = 0;
    if (h->curl->multi_add_handle(h->multi, h->easy) != CURLM_OK)
        return -ENOMEM;
    int r = 0;
    while (r == 0) {
        CURLMcode bad = h->curl->multi_perform(h->multi, &running);
        if (bad != CURLM_OK || !running)
            break;
        uint64_t now = skep_clock_mono_ns(), deadline = skep_sink_deadline(h->sink);
        uint64_t ms = deadline <= now ? 0 : (deadline - now) / NS_PER_MS + 1;
        h->curl->multi_poll(h->multi, &wake, 1, (int)MIN(ms, (uint64_t)1000), NULL);
        if (skep_sink_interrupted(h->sink))
            r = -EINTR;
    }
    CURLMsg *m = h->curl->multi_info_read(h->multi, &left);
    if (m && m->msg == CURLMSG_DONE) {
        *ret = m->data.result;
        r = 0;
    } else if (r == 0) {
        r = -EIO;
    }
    h->curl->multi_remove_handle(h->multi, h->easy);
    return r;
}

static void hold_as_asked(struct http *h)
{
    curl_off_t s = 0;
    if (h->curl->easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &s) == CURLE_OK && s > 0)
        skep_sink_hold(h->sink, (uint64_t)MIN(s, (curl_off_t)RETRY_AFTER_MAX_S) * NS_PER_S);
}

static enum skep_sink_verdict judge(struct http *h, CURLcode result)
{
    long status = 0;
    h->curl->easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    /* an answer that is too long was given all the same */
    bool answered = result == CURLE_OK || (result == CURLE_WRITE_ERROR && h->answer > ANSWER_MAX);
    if (!answered) {
        skep_sink_note(h->sink, "%s", *h->error ? h->error : h->curl->easy_strerror(result));
        return SKEP_SINK_RETRY;
    }
    if (status >= 200 && status < 300)
        return SKEP_SINK_WRITTEN;
    skep_sink_note(h->sink, "the server answered with status %ld", status);
    if (status != STATUS_TIMEOUT && status != STATUS_TOO_MANY && status < 500)
        return SKEP_SINK_REFUSED;
    hold_as_asked(h);
    return SKEP_SINK_RETRY;
}

static enum skep_sink_verdict post(void *state, const struct skep_sink_item *items, size_t n, size_t *ret_n)
{
    struct http *h = state;
    const char *body = items[0].data;
    size_t len = items[0].len - 1;
    *ret_n = 1;
    if (h->batch > 1) {
        *ret_n = make_body(h, items, MIN(n, (size_t)h->batch));
        body = h->body.s;
        len = h->body.len;
        if (h->body.failed) {
            skep_sink_note(h->sink, "an alert is too long for a request");
            return SKEP_SINK_REFUSED;
        }
    }
    h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDS, body);
    h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    CURLcode result = CURLE_OK;
    int r = perform(h, &result);
    if (r == -EINTR)
        return SKEP_SINK_INTERRUPTED;
    if (r < 0) {
        skep_sink_note(h->sink, "%s", strerror(-r));
        return SKEP_SINK_RETRY;
    }
    return judge(h, result);
}

static void close_http(void *state, uint64_t deadline)
{
    struct http *h = state;
    (void)deadline;
    if (h->easy)
        h->curl->easy_cleanup(h->easy);
    if (h->multi)
        h->curl->multi_cleanup(h->multi);
    if (h->header_list)
        h->curl->slist_free_all(h->header_list);
    skep_strbuf_clear(&h->body);
}

static const struct skep_sink_option options[] = {
    {"cert", "PEM", SKEP_SINK_OPTION_FILE, offsetof(struct http, cert),
     .doc = "Certificate to show to the server (https)."},
    {"key", "PEM", SKEP_SINK_OPTION_FILE, offsetof(struct http, key),
     .doc = "Its private key, when it is not in the same file."},
    {"ca", "PEM", SKEP_SINK_OPTION_FILE, offsetof(struct http, ca),
     .doc = "Certificates to trust, instead of those of the system."},
    {"insecure", NULL, SKEP_SINK_OPTION_FLAG, offsetof(struct http, insecure),
     .doc = "Talk to whoever answers, without checking its certificate."},
    {"header", "TEXT", SKEP_SINK_OPTION_TEXTS, offsetof(struct http, headers),
     .doc =
         "A header of each request, `Name: value`; may be repeated. `@FILE` takes them from the lines of a file, "
         "where other users of the host cannot read a token."},
    {"timeout", "TIME", SKEP_SINK_OPTION_DURATION, offsetof(struct http, timeout_ns),
     .doc = "For one request from beginning to end; 5s by default."},
    {"batch", "N", SKEP_SINK_OPTION_COUNT, offsetof(struct http, batch), 1, SKEP_SINK_BATCH,
     .doc =
         "Up to this many alerts that wait already go in one request: a JSON array, also of one, or lines of "
         "text. 1 by default: the alert by itself."},
    {0},
};

const struct skep_sink_kind skep_sink_kind_http = {
    .alias = "https",
    .example = "https://collector.example/alerts",
    .size = sizeof(struct http),
    .options = options,
    .format = SKEP_SINK_JSON,
    .retries = RETRIES_DEFAULT,
    .init = init,
    .open = open_sink,
    .send = post,
    .close = close_http,
};
