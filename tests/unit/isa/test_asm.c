/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/asm.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "isa/check.h"
#include "isa/disasm.h"

/* Assembles text; the diagnostics as "line:column code: message | hint" lines in sb. */
static int assemble(const char *text, const struct skep_asm_options *o, struct skep_strbuf *sb,
                    struct skep_insn **ret_insns, size_t *ret_n)
{
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "test");
    int r = skep_asm(text, strlen(text), o, &d, ret_insns, ret_n);
    assert_int_equal(r == 0, d.n == 0);
    for (size_t i = 0; i < d.n; i++) {
        const struct skep_diag *diag = &d.list[i];
        skep_strbuf_printf(sb, "%u:%u %s: %s", diag->line, diag->column, diag->code, diag->message);
        if (diag->hint)
            skep_strbuf_printf(sb, " | %s", diag->hint);
        skep_strbuf_puts(sb, "\n");
    }
    return r;
}

static void assert_hex(const char *text, const struct skep_insn *insns, size_t n, const char *hex)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    const uint8_t *bytes = (const uint8_t *)insns;
    for (size_t i = 0; i < n * sizeof(*insns); i++)
        skep_strbuf_printf(&sb, "%s%02x", i ? " " : "", bytes[i]);
    if (!skep_streq(sb.s, hex))
        fail_msg("%s: %s instead of %s", text, sb.s, hex);
}

static void assert_assembles(const char *text, const char *hex)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    skep_strbuf_init(&sb, 65536);
    if (assemble(text, NULL, &sb, &insns, &n) < 0)
        fail_msg("%s: %s", text, sb.s);
    assert_hex(text, insns, n, hex);
}

static FILE *open_data(const char *name)
{
    char path[4096];
    const char *dir = getenv("SKEP_TEST_DATA");
    assert_non_null(dir);
    snprintf(path, sizeof(path), "%s/vm/asm/%s", dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    return f;
}

/* Cuts line at " | " into at most max parts. */
static size_t split(char *line, char **parts, size_t max)
{
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    while (n < max) {
        parts[n++] = line;
        char *bar = n < max ? strstr(line, " | ") : NULL;
        if (!bar)
            break;
        *bar = '\0';
        line = bar + 3;
    }
    return n;
}

/* Both texts of each operation give its bytes, and the bytes give both texts. */
static void test_every_operation(void **state)
{
    (void)state;
    _cleanup_fclose_ FILE *f = open_data("instructions.txt");
    char line[512], *parts[3];
    bool seen[SKEP_OP_MAX] = {false};
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(split(line, parts, 3), 3);
        assert_assembles(parts[1], parts[0]);
        assert_assembles(parts[2], parts[0]);

        _cleanup_strbuf_ struct skep_strbuf sb;
        _cleanup_free_ struct skep_insn *insns = NULL;
        size_t n;
        skep_strbuf_init(&sb, 65536);
        assert_int_equal(assemble(parts[1], NULL, &sb, &insns, &n), 0);
        for (unsigned syntax = 0; syntax < SKEP_SYNTAX_MAX; syntax++) {
            skep_strbuf_reset(&sb);
            assert_int_equal(skep_disasm_insn(insns, n, 0, (enum skep_syntax)syntax, &sb), n);
            assert_string_equal(sb.s, parts[1 + syntax]);
        }
        enum skep_opcode op;
        const char *reason;
        assert_int_equal(skep_insn_decode(insns, &op, &reason), 0);
        assert_false(seen[op]);
        seen[op] = true;
    }
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        if (!seen[op])
            fail_msg("%s is not in the file", skep_opcode_info((enum skep_opcode)op)->name);
    }
}

/* Other ways to write things. */
static void test_variants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *same_as;
    } cases[] = {
        {"  R: r0=1 ;; exit;\n\n; a comment; too\n# and this\n", "r0 = 1\nexit"},
        {"r0 = 1 // what\nexit # why ; r0 = 2", "r0 = 1\nexit"},
        {"mov64 r1, -4", "r1 = -4"},
        {"add32 r1, 0xffffffff", "w1 += -1"},
        {"add %r1, 0xffffffff", "r1 += -1"},
        {"w1 = 0xffffffff", "w1 = -1"},
        {"*(u32 *)(r1 + 0) = 0xffffffff", "*(u32 *)(r1 + 0) = -1"},
        {"stdw [%r1], 0xffffffff", "*(u64 *)(r1 + 0) = -1"},
        {"swap16 %r1; swap32 %r1; swap64 %r1", "r1 = bswap16 r1; r1 = bswap32 r1; r1 = bswap64 r1"},
        {"lock fetch_add32 [%r10-8], %r1", "w1 = atomic_fetch_add((u32 *)(r10 - 8), w1)"},
        {"lock fetch_add [%r10-8], %r1", "r1 = atomic_fetch_add((u64 *)(r10 - 8), r1)"},
        {"lock add64 [%r10-8], %r1", "lock *(u64 *)(r10 - 8) += r1"},
        {"lock fetch or64 [%r10-8], %r1", "r1 = atomic_fetch_or((u64 *)(r10 - 8), r1)"},
        {"r1 = atomic_fetch_add((u32 *)(r10 - 8), r1)", "w1 = atomic_fetch_add((u32 *)(r10 - 8), w1)"},
        {"lock *(u32 *)(r1+4) += r2", "lock *(u32 *)(r1 + 4) += w2"},
        {"w0 = *(u8 *)(r1)", "r0 = *(u8 *)(r1 + 0)"},
        {"*(u16 *)(r1 + 2) = w3", "*(u16 *)(r1 + 2) = r3"},
        {"r1=-r1", "neg %r1"},
        {"r1=-1", "mov %r1, -1"},
        {"r1 = 1ll", "lddw %r1, 1"},
        {"r1 = -1 ll", "r1 = 0xffffffffffffffff ll"},
        {"lddw r1, 18446744073709551615", "r1 = 0xffffffffffffffff ll"},
        {"lddw r1, -9223372036854775808", "r1 = 0x8000000000000000 ll"},
        {"r1 = map_fd 3 ll", "lddw %r1, map_fd 3"},
        {"r1 = map_value 3 + 8 ll", "lddw %r1, map_value 3 + 8"},
        {"r1 = map_idx_value 3 - 1", "lddw %r1, map_idx_value 3 + 0xffffffff"},
        {"if w1 s>= -1 goto pc+3", "jsge32 %r1, -1, +3"},
        {"a: goto a; b: gotol b; if r1 == 1 goto b", "goto -1; gotol -1; if r1 == 1 goto -2"},
        {"call helper 5; call helper %r5; callx r5", "call 5; call %r5; call %r5"},
        {"call +1; call f; exit; f: exit", "call local +1; call local +1; exit; exit"},
        {"r1 = code f; exit; f: exit", "r1 = code +2; exit; exit"},
        {"jeq %r0, 1, exit; exit; exit", "if r0 == 1 goto +0; exit; exit"},
        {"jeq %r0, 1, exit; exit; exit: r0 = 1; exit", "if r0 == 1 goto +1; exit; r0 = 1; exit"},
        {"0: r0 = 1 ll; 2: exit", "r0 = 1 ll; exit"},
        {".word 0x95, 149", "exit; exit"},
        {"call kfunc 3; call runtime 3, -1", "call kfunc 3, 0; call kfunc 3, -1"},
        {"r0 = *(u8 *)skb[r1]", "ldindb %r1, 0"},
        {"r0 = *(u8 *)skb[r1 + -3]", "ldindb %r1, -3"},
        {"r1 s>>= r2; r1 s/= 2; r1 s%= 2; r1 %=r2", "arsh %r1, %r2; sdiv %r1, 2; smod %r1, 2; mod %r1, %r2"},
        {"one: two: three: exit\nfour:\nfive: exit", "exit; exit"},
        {"mov %r11, %r15", ".word 0xfbbf"},
        {"", ""},
        {"\t\r\n;\n\n", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        _cleanup_free_ struct skep_insn *one = NULL, *two = NULL;
        size_t n_one = 0, n_two = 0;
        skep_strbuf_init(&sb, 65536);
        if (assemble(cases[i].text, NULL, &sb, &one, &n_one) < 0 ||
            assemble(cases[i].same_as, NULL, &sb, &two, &n_two) < 0)
            fail_msg("%s: %s", cases[i].text, sb.s);
        if (n_one != n_two || (n_one && memcmp(one, two, n_one * sizeof(*one)) != 0))
            fail_msg("%s is not the same as %s", cases[i].text, cases[i].same_as);
    }
}

static void test_errors(void **state)
{
    (void)state;
    _cleanup_fclose_ FILE *f = open_data("errors.txt");
    char line[512], *parts[2];
    size_t n_cases = 0;
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(split(line, parts, 2), 2);
        char text[512];
        size_t n = 0;
        for (const char *s = parts[0]; *s; s++) {
            bool newline = s[0] == '\\' && s[1] == 'n';
            text[n++] = newline ? '\n' : *s;
            s += newline;
        }
        text[n] = '\0';
        _cleanup_strbuf_ struct skep_strbuf sb;
        struct skep_insn *insns = (struct skep_insn *)&sb;
        size_t n_insns = 77;
        skep_strbuf_init(&sb, 65536);
        assert_int_equal(assemble(text, NULL, &sb, &insns, &n_insns), -EINVAL);
        assert_ptr_equal(insns, &sb); /* untouched */
        assert_int_equal(n_insns, 77);
        sb.s[strcspn(sb.s, "\n")] = '\0';
        if (getenv("SKEP_UPDATE_GOLDEN"))
            fprintf(stderr, "%s | %s\n", parts[0], sb.s);
        else
            assert_string_equal(sb.s, parts[1]);
        n_cases++;
    }
    assert_true(n_cases > 20);
}

/* It goes on after an error, and an error does not make others. */
static void test_goes_on(void **state)
{
    (void)state;
    static const char text[] = "start:\n"
                               "  r0 = r1 r2\n"
                               "  nonsense\n"
                               "  if r0 == 0 goto end\n"
                               "  goto nowhere\n"
                               "7: r0 = 1\n"
                               "end: exit\n";
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_insn *insns;
    size_t n;
    skep_strbuf_init(&sb, 65536);
    assert_int_equal(assemble(text, NULL, &sb, &insns, &n), -EINVAL);
    assert_string_equal(sb.s, "2:11 syntax: expected the end of the statement\n"
                              "3:3 unknown-instruction: there is no instruction `nonsense`\n"
                              "5:8 undefined-label: there is no label `nowhere`\n");
}

static bool find_helper(void *data, const char *name, size_t len, uint32_t *ret_number)
{
    (void)data;
    *ret_number = 1;
    return len == 15 && memcmp(name, "map_lookup_elem", len) == 0;
}

static void test_helper_names(void **state)
{
    (void)state;
    const struct skep_asm_options o = {.helper = find_helper};
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n;
    skep_strbuf_init(&sb, 65536);
    assert_int_equal(assemble("call map_lookup_elem; call f; f: exit", &o, &sb, &insns, &n), 0);
    assert_hex("helper", insns, n, "85 00 00 00 01 00 00 00 85 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00");
}

static void test_offsets(void **state)
{
    (void)state;
    uint32_t *offsets = NULL;
    const struct skep_asm_options o = {.ret_offsets = &offsets};
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n;
    skep_strbuf_init(&sb, 65536);
    assert_int_equal(assemble("a: b: r0 = 1 ll\n0x95: bad", &o, &sb, &insns, &n), -EINVAL);
    assert_null(offsets);
    assert_int_equal(assemble("a: b: r0 = 1 ll\n  .word 149,0x95; exit", &o, &sb, &insns, &n), 0);
    assert_int_equal(n, 5);
    static const uint32_t expected[] = {6, 6, 24, 28, 34};
    assert_memory_equal(offsets, expected, sizeof(expected));
    free(offsets);
}

/* Far labels: 16 bits for most jumps, 32 for gotol. */
static void test_far(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        _cleanup_strbuf_ struct skep_strbuf text, sb;
        skep_strbuf_init(&text, 1 << 20);
        skep_strbuf_init(&sb, 65536);
        skep_strbuf_puts(&text, "goto end\n");
        for (int i = 0; i < 32767 + extra; i++)
            skep_strbuf_puts(&text, "r0=0\n");
        skep_strbuf_puts(&text, "end: gotol end\n");
        _cleanup_free_ struct skep_insn *insns = NULL;
        size_t n;
        assert_int_equal(assemble(text.s, NULL, &sb, &insns, &n), extra ? -EINVAL : 0);
        assert_string_equal(sb.s, extra
                                      ? "1:6 jump-too-far: the target is 32768 instructions away; this jump "
                                        "reaches 32767 | gotol (ja32) reaches any\n"
                                      : "");
        if (extra == 0)
            assert_int_equal(insns[0].off, 32767);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    _cleanup_diags_ struct skep_diags d;
    struct skep_insn *insns;
    size_t n;
    skep_diags_init(&d, "test");
    assert_int_equal(skep_asm("", (size_t)SKEP_ASM_TEXT_MAX + 1, NULL, &d, &insns, &n), -E2BIG);
    assert_string_equal(d.list[0].code, "text-too-long");

    /* the most instructions there may be, and one more */
    size_t len = (SKEP_ISA_INSNS_MAX + 1) * 5;
    _cleanup_free_ char *text = malloc(len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = "exit\n"[i % 5];
    text[len] = '\0';
    skep_diags_clear(&d);
    assert_int_equal(skep_asm(text, len, NULL, &d, &insns, &n), -E2BIG);
    assert_int_equal(d.n, 1);
    assert_string_equal(d.list[0].code, "program-too-long");
    text[len - 5] = '\0';
    skep_diags_clear(&d);
    assert_int_equal(skep_asm(text, len - 5, NULL, &d, &insns, &n), 0);
    assert_int_equal(n, SKEP_ISA_INSNS_MAX);
    free(insns);

    /* more errors than anybody wants to read */
    memset(text, '\n', 100000);
    for (size_t i = 0; i < 100000; i += 2)
        text[i] = 'x';
    text[100000] = '\0';
    skep_diags_clear(&d);
    assert_int_equal(skep_asm(text, 100000, NULL, &d, &insns, &n), -EINVAL);
    assert_int_equal(d.n, SKEP_DIAGS_MAX);
    assert_int_equal(d.n + d.more, 50000);
    /* long words, for which looking for what was meant takes time */
    for (size_t i = 0; i < len; i++)
        text[i] = i % 40 == 39 ? '\n' : 'j';
    text[len] = '\0';
    skep_diags_clear(&d);
    assert_int_equal(skep_asm(text, len, NULL, &d, &insns, &n), -EINVAL);
    assert_int_equal(d.n + d.more, len / 40 + 1);
    /* a byte of 0 is none of the language */
    skep_diags_clear(&d);
    assert_int_equal(skep_asm("exit\0exit", 9, NULL, &d, &insns, &n), -EINVAL);
}

/* ---- the conformance suite ---- */

/* The section of text that begins with the line "-- name"; NULL: none. */
static char *section_of(const char *text, const char *name)
{
    char head[32];
    snprintf(head, sizeof(head), "-- %s\n", name);
    const char *begin = strstr(text, head);
    if (!begin)
        return NULL;
    begin += strlen(head);
    const char *end = strstr(begin, "\n-- ");
    return strndup(begin, end ? (size_t)(end - begin) + 1 : strlen(begin));
}

/* A raw section holds the slots as numbers, one a line. */
static void assert_raw(const char *name, const char *raw, const struct skep_insn *insns, size_t n)
{
    size_t i = 0;
    for (char *end; *raw; raw = end) {
        uint64_t slot = strtoull(raw, &end, 16), got;
        if (end == raw)
            break;
        assert_true(i < n);
        memcpy(&got, &insns[i++], sizeof(got));
        if (got != slot)
            fail_msg("%s: slot %zu differs", name, i - 1);
    }
    assert_int_equal(i, n);
}

static void assert_round_trip(const char *name, const struct skep_insn *insns, size_t n)
{
    for (unsigned way = 0; way < 2 * SKEP_SYNTAX_MAX; way++) {
        _cleanup_strbuf_ struct skep_strbuf sb, errors;
        _cleanup_free_ struct skep_insn *again = NULL;
        size_t n_again = 0;
        const struct skep_disasm_options o = {.syntax = (enum skep_syntax)(way / 2), .labels = way & 1};
        skep_strbuf_init(&sb, 1 << 20);
        skep_strbuf_init(&errors, 65536);
        assert_int_equal(skep_disasm(insns, n, &o, &sb), 0);
        if (assemble(sb.s, NULL, &errors, &again, &n_again) < 0 || n != n_again ||
            memcmp(insns, again, n * sizeof(*insns)) != 0)
            fail_msg("%s: %s%s", name, sb.s, errors.s);
    }
}

static void check_case(const char *name, const char *text)
{
    _cleanup_free_ char *source = section_of(text, "asm"), *raw = section_of(text, "raw");
    assert_non_null(source);
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n;
    skep_strbuf_init(&sb, 65536);
    if (assemble(source, NULL, &sb, &insns, &n) < 0)
        fail_msg("%s: %s", name, sb.s);
    if (raw)
        assert_raw(name, raw, insns, n);
    _cleanup_free_ uint16_t *ops = calloc(n, sizeof(*ops));
    _cleanup_free_ uint8_t *marks = calloc(n, 1);
    struct skep_insns_error error;
    assert_true(ops && marks);
    if (skep_insns_check(insns, n, 0, ops, marks, NULL, &error) < 0)
        fail_msg("%s: instruction %u: %s", name, error.insn, error.message);
    assert_round_trip(name, insns, n);
}

static void test_conformance(void **state)
{
    (void)state;
    char dir[2048], path[4096];
    const char *shared = getenv("SKEP_SHARED_DATA"), *data = getenv("SKEP_TEST_DATA");
    if (shared)
        snprintf(dir, sizeof(dir), "%s/conformance", shared);
    else
        snprintf(dir, sizeof(dir), "%s/../../../shared/data/conformance", data ? data : ".");
    DIR *d = opendir(dir);
    if (!d) {
        print_message("skipped: no conformance suite (SKEP_SHARED_DATA names its directory)\n");
        skip();
    }
    size_t cases = 0;
    for (const struct dirent *entry; (entry = readdir(d));) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || !skep_streq(entry->d_name + len - 5, ".data"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        static char text[65536];
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        assert_non_null(f);
        size_t n = fread(text, 1, sizeof(text) - 1, f);
        text[n] = '\0';
        check_case(entry->d_name, text);
        cases++;
    }
    closedir(d);
    print_message("%zu cases\n", cases);
    assert_true(cases > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_helper_names),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_conformance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
