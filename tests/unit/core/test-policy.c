/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/policy-file.h"
#include "tests/unit/tree.h"

static const char *const choices[] = {"auto", "yes", "no", NULL};

static const PolicyKey keys[] = {
        {"test", "choice", KEY_CHOICE, choices, ""},
        {"test", "flag", KEY_BOOL, NULL, ""},
        {"test", "number", KEY_KERNEL_UINT, NULL, ""},
        {"test", "kernel_flag", KEY_KERNEL_BOOL, NULL, ""},
        {"test", "path", KEY_PATH, NULL, ""},
        {"test", "list", KEY_LIST, NULL, ""},
};
static const char *const vcpu_choices[] = {"auto", "dedicated", "shared", NULL};
static const PolicyKey side_keys[] = {
        {"guest", "vcpu", KEY_CHOICE, vcpu_choices, "", .shared = "auto"},
        {"guest", "accept_credential", KEY_BOOL, NULL, "", .lasting = true},
        {"channel", "allow_apply", KEY_BOOL, NULL, ""},
};

static const PolicyKey thing_keys[] = {
        {"thing", "size", KEY_KERNEL_UINT, NULL, ""},
        {"thing", "list", KEY_LIST, NULL, ""},
};

static const PolicyKeys groups[] = {
        {keys, ELEMENTSOF(keys)},
        {thing_keys, ELEMENTSOF(thing_keys), .by_subject = true},
        {side_keys, ELEMENTSOF(side_keys)},
};

static Policy *read_policy(const Tree *t) {
        Policy *policy;

        assert_int_equal(policy_read(t->root, "gtuned/gtuned.conf", groups, ELEMENTSOF(groups), &policy), 0);
        return policy;
}

#define TEN "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* A text, and a value or an error that it gives. */
static const struct {
        const char *text;
        const char *name, *value; /* of [test]; NULL: not set */
        unsigned line;            /* of the only error; 0: none */
        const char *reason;       /* part of it */
} cases[] = {
        {"", "choice", NULL, 0, NULL},
        {"# comment\n; comment\n\n", "choice", NULL, 0, NULL},
        {"[test]\nchoice = yes\n", "choice", "yes", 0, NULL},
        {"[test]\nchoice=yes", "choice", "yes", 0, NULL},
        {"[test]\r\nchoice = no\r\n", "choice", "no", 0, NULL},
        {"\xEF\xBB\xBF[test]\nchoice = no\n", "choice", "no", 0, NULL},
        {"[test]\nchoice = yes\nchoice = no\n", "choice", "no", 0, NULL},
        {"[test]\n   # an indented comment\nchoice = yes\n", "choice", "yes", 0, NULL},
        {"[test]\n   \nchoice = yes\n", "choice", "yes", 0, NULL},
        {"[test]\nlist = a, b\nlist = c\n", "list", "a, b, c", 0, NULL},
        {"[test]\nlist = a\nlist =\nlist = c\n", "list", "c", 0, NULL},
        {"[test]\nnumber = 0x30d40\n", "number", "0x30d40", 0, NULL},
        {"[test]\nnumber = 0\n", "number", "0", 0, NULL},
        {"[test]\nnumber = 4294967295\n", "number", "4294967295", 0, NULL},
        {"[test]\nkernel_flag = Y\n", "kernel_flag", "Y", 0, NULL},
        {"[test]\nflag = Off\n", "flag", "Off", 0, NULL},
        {"[test]\npath = /a b\n", "path", "/a b", 0, NULL},
        {"[guest]\nvcpu = dedicated\n[channel]\nallow_apply = yes\n", "choice", NULL, 0, NULL},

        {"[test]\n\nchoic = yes\n", "choice", NULL, 3, "unknown key choic in [test]"},
        {"[tes]\nchoice = yes\n", "choice", NULL, 2, "unknown section [tes]"},
        {"choice = yes\n", "choice", NULL, 1, "before any [section]"},
        {"[test one]\nchoice = yes\n", "choice", NULL, 2, "[test] takes no name"},
        {"[thing]\nsize = 1\n", "choice", NULL, 2, "[thing] needs a name or a shell pattern: write [thing NAME]"},
        {"[thing ]\nsize = 1\n", "choice", NULL, 2, "[thing] needs a name or a shell pattern: write [thing NAME]"},
        {"[thing one]\nsizes = 1\n", "choice", NULL, 2, "unknown key sizes in [thing]"},
        {"[thing one]\nsize = x\n", "choice", NULL, 2, "size = x: expected a whole number"},
        {"[things one]\nsize = 1\n", "choice", NULL, 2, "unknown section [things one]"},
        {"[thing " TEN TEN TEN TEN "xxx]\nsize = 1\n[test]\nchoice = no\n", "choice", "no", 0, NULL},
        {"[thing " TEN TEN TEN TEN "xxxx]\n[test]\nchoice = no\n", "choice", "no", 1,
         "the section's name is longer than 49 bytes"},
        {"[test]\nchoice = maybe\n", "choice", NULL, 2, "choice = maybe: expected auto, yes or no"},
        {"[test]\nchoice = Yes\n", "choice", NULL, 2, "expected auto, yes or no"},
        {"[test]\nchoice =\n", "choice", NULL, 2, "expected auto, yes or no"},
        {"[test]\nflag = Y\n", "flag", NULL, 2, "expected yes or no"},
        {"[test]\nnumber = -1\n", "number", NULL, 2, "number = -1: expected a whole number"},
        {"[test]\nnumber = 2e5\n", "number", NULL, 2, "number = 2e5: expected a whole number"},
        {"[test]\nnumber = 1.5\n", "number", NULL, 2, "expected a whole number"},
        {"[test]\nnumber = 08\n", "number", NULL, 2, "expected a whole number"},
        {"[test]\nnumber =\n", "number", NULL, 2, "expected a whole number"},
        {"[test]\nnumber = 4294967296\n", "number", NULL, 2, "the largest number is 4294967295"},
        {"[test]\nnumber = 99999999999999999999\n", "number", NULL, 2, "the largest number is 4294967295"},
        {"[test]\nkernel_flag = maybe\n", "kernel_flag", NULL, 2, "expected Y or N"},
        {"[test]\nkernel_flag =\n", "kernel_flag", NULL, 2, "expected Y or N"},
        {"[test]\npath = a\n", "path", NULL, 2, "expected an absolute path"},
        {"[test]\nlist = a,\n  b\n", "list", "a,", 3, "continuation lines are not supported"},
        {"[test]\nchoice = yes\n\tflag = yes\n", "flag", NULL, 3, "begins with a blank"},
        {"[test]\nlist = " HUNDRED HUNDRED "\nchoice = yes\n", "choice", "yes", 2, "the line is longer than"},
        {"[test]\n# " HUNDRED HUNDRED HUNDRED "\nchoice = yes\n", "choice", "yes", 2, "the line is longer than"},
        {"[test]\nwhat is this\nchoice = yes\n", "choice", "yes", 2, "expected [section], key = value"},
        {"[test\n", "choice", NULL, 1, "expected [section], key = value"},

        /* inih would take what follows for a comment, and the list would be shorter than its text. */
        {"[test]\nlist = a ; b\n", "list", NULL, 2, "semicolon behind a blank"},
        {"[test]\nchoice = yes\t; note\n", "choice", NULL, 2, "semicolon behind a blank"},
        {"[test]\nchoice = yes ; why\n", "choice", NULL, 2, "semicolon behind a blank"},
        {"\xEF\xBB\xBF# a ; b\n[test] ; c\n  # d ; e\n; f ; g\nchoice = yes\n", "choice", "yes", 0, NULL},
};

static void check_case(const Policy *p, size_t i) {
        const char *value = policy_word(p, "test", cases[i].name, NULL);

        if (!streq_ptr(value, cases[i].value))
                fail_msg("%s: %s is %s", cases[i].text, cases[i].name, value ? value : "not set");
        if (cases[i].line == 0) {
                if (p->n_errors > 0)
                        fail_msg("%s: %u: %s", cases[i].text, p->errors->line, p->errors->reason);
                return;
        }

        if (p->n_errors == 0)
                fail_msg("%s: no error", cases[i].text);
        assert_string_equal(p->errors->file, "/etc/gtuned/gtuned.conf");
        if (p->errors->line != cases[i].line || !strstr(p->errors->reason, cases[i].reason))
                fail_msg("%s: %u: %s", cases[i].text, p->errors->line, p->errors->reason);
}

static void test_text(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(policy_freep) Policy *p = NULL;

                tree_file(t, "/etc/gtuned/gtuned.conf", cases[i].text);
                p = read_policy(t);
                check_case(p, i);
        }
}

static void test_nul(void **state) {
        static const char text[] = "[test]\nchoice = yes\0\nflag = yes\n";
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_bytes(t, "/etc/gtuned/gtuned.conf", text, sizeof(text) - 1, 0644);
        p = read_policy(t);
        assert_int_equal(p->n_errors, 1);
        assert_int_equal(p->errors->line, 2);
        assert_non_null(strstr(p->errors->reason, "NUL"));
        assert_true(policy_bool(p, "test", "flag", false));
}

/* A long line is refused or read whole, and never cut. */
static void test_long_lines(void **state) {
        const Tree *t = *state;

        for (int n = 190; n <= 210; n++) {
                _cleanup_(policy_freep) Policy *p = NULL;
                _cleanup_free_ char *text = xasprintf("[test]\nlist=%*s\nchoice = yes\n", n - 5, "x");

                tree_file(t, "/etc/gtuned/gtuned.conf", text);
                p = read_policy(t);
                assert_string_equal(policy_word(p, "test", "choice", ""), "yes");
                assert_string_equal(policy_word(p, "test", "list", "refused"), p->n_errors > 0 ? "refused" : "x");
                assert_int_equal(p->n_errors, n > 199);
        }
}

/* Lines that fill inih's buffer stand alone: none swallows or spoils what follows it (libinih 61). */
static void test_full_lines(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_free_ char *text = xasprintf("#%198s\n[test]\n;%198s\nlist=%194s\nlist=%194s\nnumber = x\nchoice = yes%187s\n"
                                              "flag=%194s", "c", "c", "a", "b", "", "yes");
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf", text);
        p = read_policy(t);
        assert_string_equal(policy_word(p, "test", "list", ""), "a, b");
        assert_string_equal(policy_word(p, "test", "choice", ""), "yes");
        assert_true(policy_bool(p, "test", "flag", false));
        assert_int_equal(p->n_errors, 1);
        assert_int_equal(p->errors->line, 6);
}

static void test_all_errors(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf", "[test]\na = 1\nchoice = x\nwhat is this\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/b.conf", "[b]\nb = 1\n");
        p = read_policy(t);
        assert_int_equal(p->n_errors, 4);
        assert_string_equal(p->errors[3].file, "/etc/gtuned/gtuned.conf.d/b.conf");
        assert_int_equal(p->errors[3].line, 2);
}

static void assert_files(const Policy *p, const char *const *expected) {
        size_t i = 0;

        for (; p->files && p->files[i]; i++) {
                assert_non_null(expected[i]);
                assert_string_equal(p->files[i], expected[i]);
        }
        assert_null(expected[i]);
}

/*
 * A file in /etc masks one of the same name in /run, and that one in /usr/lib. The files are read in the order of their
 * names, and the last value wins.
 */
static void test_precedence(void **state) {
        static const char *const expected[] = {
                "/etc/gtuned/gtuned.conf",
                "/usr/lib/gtuned/gtuned.conf.d/10-a.conf",
                "/run/gtuned/gtuned.conf.d/20-b.conf",
                "/etc/gtuned/gtuned.conf.d/30-c.conf",
                "/usr/lib/gtuned/gtuned.conf.d/40-d.conf",
                NULL,
        };
        _cleanup_(policy_freep) Policy *p = NULL;
        const PolicySetting *s;
        const Tree *t = *state;

        tree_file(t, "/usr/lib/gtuned/gtuned.conf", "[test]\nflag = yes\n");
        tree_file(t, "/etc/gtuned/gtuned.conf", "[test]\nchoice = no\nnumber = 1\n");
        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/10-a.conf", "[test]\nnumber = 10\n");
        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/20-b.conf", "[test]\nflag = yes\n");
        tree_file(t, "/run/gtuned/gtuned.conf.d/20-b.conf", "[test]\nnumber = 20\n");
        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/30-c.conf", "[test]\nflag = yes\n");
        tree_file(t, "/run/gtuned/gtuned.conf.d/30-c.conf", "[test]\nflag = yes\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/30-c.conf", "[test]\nnumber = 30\n");
        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/40-d.conf", "\n[test]\nnumber = 40\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/50-e.conf~", "[test]\nflag = yes\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/.60-f.conf", "[test]\nflag = yes\n");

        p = read_policy(t);
        assert_int_equal(p->n_errors, 0);
        assert_files(p, expected);
        assert_null(policy_get(p, "test", "flag"));
        s = policy_get(p, "test", "number");
        assert_string_equal(s->value, "40");
        assert_string_equal(s->file, "/usr/lib/gtuned/gtuned.conf.d/40-d.conf");
        assert_int_equal(s->line, 3);
}

/* A link to /dev/null masks a file, although there is no /dev/null below a root. */
static void test_mask(void **state) {
        static const char *const nothing[] = {NULL};
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, "/usr/lib/gtuned/gtuned.conf", "[test]\nflag = yes\n");
        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/a.conf", "[test]\nflag = yes\n");
        tree_link(t, "/etc/gtuned/gtuned.conf", "/dev/null");
        tree_link(t, "/run/gtuned/gtuned.conf.d/a.conf", "/dev/null");
        p = read_policy(t);
        assert_int_equal(p->n_errors, 0);
        assert_files(p, nothing);
        assert_false(policy_exists(p));
}

static void test_unreadable(void **state) {
        static const struct {
                const char *path, *reason;
        } rows[] = {
                {"/etc/gtuned/gtuned.conf", "directory"},
                {"/usr/lib/gtuned/gtuned.conf.d", "Not a directory"},
                {"/etc/gtuned/gtuned.conf.d/fifo.conf", "not a regular file"},
                {"/etc/gtuned/gtuned.conf.d/large.conf", "larger than 1 MiB"},
        };
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_free_ char *fifo = NULL, *large = NULL;
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf/x", "");
        tree_file(t, rows[1].path, "");
        tree_link(t, "/run/gtuned/gtuned.conf.d", "/dev/null");
        fifo = tree_path(t, rows[2].path);
        assert_int_equal(mkfifo(fifo, 0644), 0);
        tree_file(t, rows[3].path, "");
        large = tree_path(t, rows[3].path);
        assert_int_equal(truncate(large, 1024 * 1024 + 1), 0);

        p = read_policy(t);
        assert_int_equal(p->n_errors, ELEMENTSOF(rows));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_string_equal(p->errors[i].file, rows[i].path);
                assert_int_equal(p->errors[i].line, 0);
                assert_non_null(strstr(p->errors[i].reason, rows[i].reason));
        }
}

/* A directory that is missing is no policy. One that may not be listed may hold any: an error that says what to do. */
static void test_unlisted(void **state) {
        static const char *const directories[] = {
                "/usr/lib/gtuned/gtuned.conf.d", "/run/gtuned/gtuned.conf.d", "/etc/gtuned/gtuned.conf.d",
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(policy_freep) Policy *without = read_policy(t), *p = NULL;
                _cleanup_free_ char *file = xasprintf("%s/10.conf", directories[i]), *full = NULL;

                assert_int_equal(without->n_errors, 0);
                assert_false(policy_exists(without));

                tree_file(t, file, "[test]\nflag = yes\n");
                tree_forbid(t, directories[i]);
                p = read_policy(t);
                tree_permit(t, directories[i]);
                assert_int_equal(p->n_errors, 1);
                assert_string_equal(p->errors[0].file, directories[i]);
                assert_non_null(strstr(p->errors[0].reason, "permission denied"));
                assert_non_null(strstr(p->errors[0].reason, "chmod a+rX"));
                assert_non_null(strstr(p->errors[0].reason, "restorecon -R"));

                full = tree_path(t, file);
                assert_int_equal(unlink(full), 0);
        }
}

static void assert_parts(const PolicySetting *s, const char *expected) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < s->n_parts; i++) {
                char *longer = xasprintf("%s%s:%u %s\n", text, s->parts[i].file, s->parts[i].line, s->parts[i].text);

                assert_non_null(longer);
                free(text);
                text = longer;
        }
        assert_string_equal(text, expected);
}

/* Every line of a list counts, of whatever file, until an empty value clears those before it. */
static void test_lists(void **state) {
        _cleanup_(policy_freep) Policy *added = NULL, *cleared = NULL;
        const Tree *t = *state;

        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/10.conf", "[test]\nlist = a, b\nlist = c\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/50.conf", "[test]\nlist = a\n");
        added = read_policy(t);
        assert_string_equal(policy_word(added, "test", "list", ""), "a, b, c, a");
        assert_parts(policy_get(added, "test", "list"), "/usr/lib/gtuned/gtuned.conf.d/10.conf:2 a, b\n"
                                                        "/usr/lib/gtuned/gtuned.conf.d/10.conf:3 c\n"
                                                        "/etc/gtuned/gtuned.conf.d/50.conf:2 a\n");

        tree_file(t, "/etc/gtuned/gtuned.conf.d/50.conf", "[test]\nlist =\nlist = d\n");
        cleared = read_policy(t);
        assert_string_equal(policy_word(cleared, "test", "list", ""), "d");
        assert_parts(policy_get(cleared, "test", "list"), "/etc/gtuned/gtuned.conf.d/50.conf:3 d\n");
}

/* A hold ends when vcpu or a key of the practice's own section changes, and at no other change. */
static void test_describe(void **state) {
        static const char *const texts[] = {
                "[test]\nchoice = yes\n",
                "# comment\n\n[test]\nchoice=yes\n[channel]\nallow_apply = yes\n",
                "[guest]\nvcpu = auto\n[test]\nchoice = yes\n",
                "[guest]\nvcpu = shared\n[test]\nchoice = yes\n",
                "[test]\nchoice = yes\nnumber = 1\n",
                "[test]\nchoice = no\n",
        };
        _cleanup_free_ char *first = NULL;
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(policy_freep) Policy *p = NULL;
                _cleanup_free_ char *line = NULL;

                tree_file(t, "/etc/gtuned/gtuned.conf", texts[i]);
                p = read_policy(t);
                line = policy_describe(p, groups, NULL);
                assert_non_null(line);
                if (!first)
                        first = strdup(line);
                assert_int_equal(streq(line, first), i < 3);
        }
}

/* The section that names the subject counts, or else the last one with a pattern that matches. */
static void test_subjects(void **state) {
        static const struct {
                const char *text;
                const char *subject, *size; /* NULL: not set */
        } rows[] = {
                {"[thing one]\nsize = 1\n", "one", "1"},
                {"[thing one]\nsize = 1\n", "two", NULL},
                {"[thing one]\nsize = 1\n", NULL, NULL},
                {"[thing o*]\nsize = 1\n", "one", "1"},
                {"[thing [no]*]\nsize = 1\n", "one", NULL}, /* the section ends at the first ] */
                {"[thing o*]\nsize = 1\n[thing *]\nsize = 2\n", "one", "2"},
                {"[thing o*]\nsize = 1\n[thing *]\nsize = 2\n[thing o*]\nsize = 3\n", "one", "3"},
                {"[thing one]\nsize = 1\n[thing *]\nsize = 2\n", "one", "1"},
                {"[thing *]\nsize = 2\n[thing one]\nsize = 1\n[thing one]\nsize = 3\n", "one", "3"},
                {"[thing *]\nsize = 2\n[thing one]\nlist = a\n", "one", "2"},
                {"[thing   two words]\nsize = 1\n", "two words", "1"},
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(policy_freep) Policy *p = NULL;
                const PolicySetting *s;

                tree_file(t, "/etc/gtuned/gtuned.conf", rows[i].text);
                p = read_policy(t);
                s = policy_get_for(p, "thing", "size", rows[i].subject);
                if (!streq_ptr(s ? s->value : NULL, rows[i].size))
                        fail_msg("row %zu: %s", i, s ? s->value : "not set");
                assert_null(policy_get(p, "thing", "size"));
        }
}

/* A repeated key adds to the list of the same section; the list of another section replaces it. */
static void test_subject_lists(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf", "[thing *]\nlist = a\nlist = b\n[thing one]\nlist = c\n");
        p = read_policy(t);
        assert_string_equal(policy_get_for(p, "thing", "list", "two")->value, "a, b");
        assert_string_equal(policy_get_for(p, "thing", "list", "one")->value, "c");
}

/* The line of a subject has only the settings that count for the subject. */
static void test_describe_subjects(void **state) {
        _cleanup_free_ char *one = NULL, *two = NULL;
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf", "[thing *]\nsize = 1\n[thing one]\nsize = 2\n[test]\nflag = yes\n");
        p = read_policy(t);
        one = policy_describe(p, groups + 1, "one");
        two = policy_describe(p, groups + 1, "two");
        assert_string_equal(one, "vcpu=auto size=2");
        assert_string_equal(two, "vcpu=auto size=1");
}

/* The line has the keys in the order in which they were first set, as in ledgers of earlier versions. */
static void test_describe_order(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_free_ char *line = NULL;
        const Tree *t = *state;

        tree_file(t, "/etc/gtuned/gtuned.conf", "[test]\nflag = no\nnumber = 1\n[guest]\nvcpu = shared\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/50.conf", "[test]\nflag = yes\n");
        p = read_policy(t);
        line = policy_describe(p, groups, NULL);
        assert_string_equal(line, "vcpu=shared flag=yes number=1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_text, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_nul, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_long_lines, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_full_lines, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_all_errors, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_precedence, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_mask, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_unreadable, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_unlisted, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_lists, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_describe, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_describe_order, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_subjects, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_subject_lists, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_describe_subjects, tree_setup, tree_teardown),
        };

        (void) alarm(60); /* a FIFO must not block */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
