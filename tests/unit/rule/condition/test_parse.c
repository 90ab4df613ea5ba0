/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/falco.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../print.h"

/* Loads the condition; its tree, or its first diagnostic without the file's name. */
static void show(const char *text, struct skep_strbuf *sb)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_policy_ struct skep_policy *p = NULL;
    skep_diags_init(&d, "c");
    int r = skep_falco_condition(text, strlen(text), &d, &p);
    assert_true(r == 0 || r == -EINVAL);
    assert_int_equal(r == 0, p != NULL);
    assert_int_equal(r == -EINVAL, d.n_errors > 0);
    if (p) {
        print_expr(p->rules[0].condition, sb);
        return;
    }
    skep_strbuf_printf(sb, "%u: %s", d.list[0].column, d.list[0].message);
    if (d.list[0].hint)
        skep_strbuf_printf(sb, " (%s)", d.list[0].hint);
}

static void expect(const char *text, const char *tree)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    show(text, &sb);
    if (!skep_streq(sb.s, tree))
        fail_msg("%s\n  gives    %s\n  and not  %s", text, sb.s, tree);
}

static void test_precedence(void **state)
{
    (void)state;
    expect("proc.name=a", "proc.name = \"a\"");
    expect("proc.name=a or proc.name=b and proc.name=c",
           "(proc.name = \"a\" or (proc.name = \"b\" and proc.name = \"c\"))");
    expect("(proc.name=a or proc.name=b)and(proc.name=c)",
           "((proc.name = \"a\" or proc.name = \"b\") and proc.name = \"c\")");
    expect("not proc.name=a and proc.name=b", "(not proc.name = \"a\" and proc.name = \"b\")");
    expect("not(proc.name=a and proc.name=b)", "not (proc.name = \"a\" and proc.name = \"b\")");
    expect("not not proc.name=a", "proc.name = \"a\"");
    expect("not not not(proc.name=a)", "not proc.name = \"a\"");
    expect("proc.name=a and not not(proc.name=b) or proc.name=c",
           "((proc.name = \"a\" and proc.name = \"b\") or proc.name = \"c\")");
    expect("\n\t (((proc.name=a)))\r\n ", "proc.name = \"a\"");
    expect("proc.name=a and proc.name=b and proc.name=c",
           "(proc.name = \"a\" and proc.name = \"b\" and proc.name = \"c\")");
}

static void test_operators(void **state)
{
    (void)state;
    expect("proc.name exists", "proc.name exists");
    expect("proc.name exists and proc.pname exists", "(proc.name exists and proc.pname exists)");
    expect("proc.name == a", "proc.name = \"a\"");
    expect("proc.name != a", "proc.name != \"a\"");
    expect("proc.name!=\"sshd\"", "proc.name != \"sshd\"");
    expect("fd.typechar='f'", "fd.typechar = \"f\"");
    expect("evt.num=0", "evt.num = \"0\"");
    expect("fd.num>=0", "fd.num >= \"0\"");
    expect("fd.num>= -1", "fd.num >= \"-1\"");
    expect("fd.num <0x1F and fd.num <= +2 and fd.num>3.5e+2",
           "(fd.num < \"0x1F\" and fd.num <= \"+2\" and fd.num > \"3.5e+2\")");
    expect("proc.cmdline= \"a b\"", "proc.cmdline = \"a b\"");
    expect("proc.name contains a", "proc.name contains \"a\"");
    expect("proc.name icontains 'A'", "proc.name icontains \"A\"");
    expect("proc.name bcontains cafe", "proc.name bcontains \"cafe\"");
    expect("proc.name startswith /a", "proc.name startswith \"/a\"");
    expect("proc.name bstartswith 00ff", "proc.name bstartswith \"00ff\"");
    expect("proc.name endswith \"z\"", "proc.name endswith \"z\"");
    expect("proc.name glob a*[b-c]?", "proc.name glob \"a*[b-c]?\"");
    expect("proc.name iglob 'A*'", "proc.name iglob \"A*\"");
    expect("proc.name regex '^(a|b)$'", "proc.name regex \"^(a|b)$\"");
    expect("proc.name in (a)", "proc.name in (\"a\")");
    expect("proc.name in(a,b)", "proc.name in (\"a\", \"b\")");
    expect("proc.name in ()", "proc.name in ()");
    expect("proc.name in a", "proc.name in (\"a\")");
    expect("proc.name intersects ( a , 'b c' )", "proc.name intersects (\"a\", \"b c\")");
    expect("fd.name pmatch (/etc, /proc/*)", "fd.name pmatch (\"/etc\", \"/proc/*\")");
    expect("proc.name = anyof (a, b)", "proc.name = anyof (\"a\", \"b\")");
    expect("proc.name startswith oneof(a, b)", "proc.name startswith oneof (\"a\", \"b\")");
    expect("proc.name contains allof\n(a)", "proc.name contains allof (\"a\")");
    expect("proc.name = anyof", "proc.name = \"anyof\"");
    expect("proc.name = oneof and proc.name = allof", "(proc.name = \"oneof\" and proc.name = \"allof\")");
}

static void test_values(void **state)
{
    (void)state;
    expect(
        "proc.name in (ls, \"x y\", /bin/sh, 10_etc_sudoers., 10.0.0.0/8, a-b:c*[d]{e}|f<g>!h;i&j~k@l#m%n^o`p?q)",
        "proc.name in (\"ls\", \"x y\", \"/bin/sh\", \"10_etc_sudoers.\", \"10.0.0.0/8\", "
        "\"a-b:c*[d]{e}|f<g>!h;i&j~k@l#m%n^o`p?q\")");
    expect("proc.name = and", "proc.name = \"and\"");
    expect("proc.name in (or, not, in)", "proc.name in (\"or\", \"not\", \"in\")");
    expect("proc.name = 'a\"b'", "proc.name = \"a\"b\"");
    expect("proc.name = \"a'b\"", "proc.name = \"a'b\"");
    expect("proc.name = \"a\\\"b\\\\\"", "proc.name = \"a\"b\\\"");
    expect("proc.name = 'a\\'b\\/c'", "proc.name = \"a'b/c\"");
    expect("proc.name = \"\\t\\n\\r\\b\\f\"", "proc.name = \"\\t\\n\\x0d\\x08\\x0c\"");
    expect("proc.name = \"a\\ b\"", "proc.name = \"a\\b\"");
    expect("proc.name = \"\"", "proc.name = \"\"");
    expect("proc.name = \xc3\xa4", "proc.name = \"\xc3\xa4\"");
}

static void test_fields(void **state)
{
    (void)state;
    expect("proc.aname[2]=a", "proc.aname[2] = \"a\"");
    expect("proc.aname=a", "proc.aname = \"a\"");
    expect("proc.env[\"A B\"] = x", "proc.env[A B] = \"x\"");
    expect("proc.env['A'] = x", "proc.env[A] = \"x\"");
    expect("evt.arg[0] = x", "evt.arg[0] = \"x\"");
    expect("evt.arg.flags contains O_TRUNC", "evt.arg[flags] contains \"O_TRUNC\"");
    expect("tolower(proc.name) = a", "tolower(proc.name) = \"a\"");
    expect("toupper( tolower( proc.name ) ) in (A)", "toupper(tolower(proc.name)) in (\"A\")");
    expect("join(\"/\", (proc.cwd, proc.name)) = a", "join(\"/\", proc.cwd, proc.name) = \"a\"");
    expect("concat(proc.name, ':', 1, \"x\") = a", "concat(proc.name, \":\", \"1\", \"x\") = \"a\"");
    expect("getopt(proc.args, 'o') exists", "getopt(proc.args, \"o\") exists");
    expect("len(proc.args) > 5", "len(proc.args) > \"5\"");
    expect("proc.name = val(proc.pname)", "proc.name = proc.pname");
    expect("proc.name in val(proc.aname[2])", "proc.name in proc.aname[2]");
    expect("proc.name startswith tolower(proc.pname) and proc.name exists",
           "(proc.name startswith tolower(proc.pname) and proc.name exists)");
    expect("proc.pid >= val(proc.ppid)", "proc.pid >= proc.ppid");
}

static void test_errors(void **state)
{
    (void)state;
    expect("", "1: a field, a macro or `(` is expected instead of the end");
    expect("proc.nmae = a", "1: there is no field `proc.nmae` (did you mean `proc.name`?)");
    expect("evt.type=open and qqq.rrr.sss exists", "19: there is no field `qqq.rrr.sss`");
    expect("evt.arg.nonsense = a", "1: there is no field `evt.arg.nonsense`");
    expect("procname = a", "1: there is no field `procname` (did you mean `proc.name`?)");
    expect("some_macro", "1: `some_macro` is no comparison, and there are no macros here");
    expect("proc.name[1] = a", "1: the field `proc.name` takes no argument");
    expect("evt.arg = a", "1: the field `evt.arg` needs an argument (evt.arg[NAME])");
    expect("proc.aname[x] = a", "1: the field `proc.aname` takes a number from 0 to 1023 as its argument");
    expect("proc.aname[1024] = a", "1: the field `proc.aname` takes a number from 0 to 1023 as its argument");
    expect("proc.aname[99999999999999999999] = a",
           "1: the field `proc.aname` takes a number from 0 to 1023 as its argument");
    expect("proc.aname[] = a", "12: an argument is expected between the brackets");
    expect("proc.aname[1 = a", "13: `]` is expected here");
    expect("proc.aname [1] = a",
           "12: a comparison (=, in, contains, exists, ...) is expected instead of `[1]`");
    expect("proc.name", "10: a comparison (=, in, contains, exists, ...) is expected instead of the end");
    expect(
        "proc.name contain a",
        "11: a comparison (=, in, contains, exists, ...) is expected instead of `contain` (did you mean `contains`?)");
    expect("proc.name =", "12: a value is expected instead of the end");
    expect("proc.name = (a)",
           "13: a value is expected instead of `(` (a value with such characters is written in quotes)");
    expect("proc.name in (a b)", "17: `,` or `)` is expected instead of `b`");
    expect("proc.name in (a,)", "17: a value is expected instead of `)`");
    expect("proc.name in (a", "16: `,` or `)` is expected instead of the end");
    expect("proc.name in \"a\"", "14: values in parentheses are expected instead of `\"` (in (a, b))");
    expect("proc.name = \"a", "13: the text that begins here has no closing quote");
    expect("proc.name = \"a\\.b\"",
           "15: there is no escape `\\.` in quotes like these (a backslash is written \\\\)");
    expect("proc.name = 'a\\\"'",
           "15: there is no escape `\\\"` in quotes like these (a backslash is written \\\\)");
    expect("fd.num > a", "10: a number is expected instead of `a`");
    expect("proc.name = a b", "15: `and`, `or` or the end is expected instead of `b`");
    expect(
        "proc.name = a=b",
        "14: `and`, `or` or the end is expected instead of `=` (a value with such characters is written in quotes)");
    expect("(proc.name = a",
           "15: `and`, `or` or `)` is expected instead of the end (a parenthesis is not closed)");
    expect("proc.name = a)",
           "14: `and`, `or` or the end is expected instead of `)` (there is no open parenthesis for it)");
    expect("and proc.name = a", "1: a field, a macro or `(` is expected instead of `and`");
    expect("proc.name = a and", "18: a field, a macro or `(` is expected instead of the end");
    expect("proc.name = a and or", "19: a field, a macro or `(` is expected instead of `or`");
    expect("not", "4: a field, a macro or `(` is expected instead of the end");
    expect("tolowr(proc.name) = a", "1: there is no function `tolowr` (did you mean `tolower`?)");
    expect("tolower(proc.name = a", "19: `,` or `)` is expected instead of `=`");
    expect("tolower(proc.name, proc.pname) = a", "1: tolower() takes one argument, not 2");
    expect("getopt(proc.args) = a", "1: getopt() takes two arguments, not 1");
    expect("tolower() = a", "9: a field, a function or a quoted text is expected instead of `)`");
    expect("proc.name in oneof (a)", "20: `and`, `or` or the end is expected instead of `(`");
    expect("\x01", "1: a field, a macro or `(` is expected instead of `\x01`");
}

static void repeat(struct skep_strbuf *sb, const char *s, size_t n)
{
    while (n--)
        skep_strbuf_puts(sb, s);
}

static int load(const struct skep_strbuf *sb)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_policy_ struct skep_policy *p = NULL;
    skep_diags_init(&d, "c");
    assert_false(sb->failed);
    int r = skep_falco_condition(sb->s, sb->len, &d, &p);
    if (r == 0)
        assert_true(p->rules[0].condition->kind <= SKEP_EXPR_CHECK);
    return r;
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *open, *middle, *close;
        size_t n;
        int r;
    } cases[] = {
        {"(", "evt.num=0", ")", 99, 0},
        {"(", "evt.num=0", ")", 100, -EINVAL},
        {"(", "evt.num=0", ")", 1000000, -EINVAL},
        {"not ", "evt.num=0", "", 1000000, 0},
        {"not(", "evt.num=0", ")", 99, 0},
        {"not(", "evt.num=0", ")", 1000000, -EINVAL},
        {"tolower(", "proc.name", ")", 1000000, -EINVAL},
        {"evt.num=0 and ", "evt.num=0", "", 99999, 0},
        {"evt.num=0 and ", "evt.num=0", "", 100000, -EINVAL},
        {"", "proc.name in (a", ",a", 1000000, -EINVAL},
        {"(", "", "", 1000000, -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 64 << 20);
        repeat(&sb, cases[i].open, cases[i].n);
        skep_strbuf_puts(&sb, cases[i].middle);
        repeat(&sb, cases[i].close, cases[i].n);
        if (load(&sb) != cases[i].r)
            fail_msg("case %zu gives %d", i, load(&sb));
    }
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64 << 20);
    skep_strbuf_puts(&sb, "proc.name in (a");
    repeat(&sb, ",a", 1000000);
    skep_strbuf_putc(&sb, ')');
    assert_int_equal(load(&sb), 0);
    repeat(&sb, "x", 0);
    skep_strbuf_truncate(&sb, sb.len - 1);
    repeat(&sb, ",a", 1000000);
    skep_strbuf_putc(&sb, ')');
    assert_int_equal(load(&sb), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_operators), cmocka_unit_test(test_values),
        cmocka_unit_test(test_fields),     cmocka_unit_test(test_errors),    cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
