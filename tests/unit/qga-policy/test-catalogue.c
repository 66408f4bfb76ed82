/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/policy-file.h"
#include "qga-policy/wish.h"
#include "tests/unit/tree.h"

static void test_groups(_unused_ void **state) {
        for (RpcGroup g = 0; g < _RPC_GROUP_MAX; g++) {
                assert_int_equal(rpc_group_from_name(rpc_group_name(g)), g);
                assert_true(strlen(rpc_group_meaning(g)) > 10);
        }
        assert_int_equal(rpc_group_from_name("files"), _RPC_GROUP_INVALID);
        assert_int_equal(rpc_group_of("guest-exec-status"), RPC_EXEC);
        assert_int_equal(rpc_group_of("guest-of-tomorrow"), RPC_INFO);
}

static void test_table(_unused_ void **state) {
        for (size_t i = 0; i < n_rpcs; i++) {
                assert_true(name_is_plain(rpcs[i].name));
                assert_non_null(startswith(rpcs[i].name, "guest-"));
                assert_ptr_equal(rpc_find(rpcs[i].name), rpcs + i);
        }
        for (size_t i = 0; i < n_rpc_needs; i++)
                for (const char *const *name = rpc_needs[i].names; *name; name++)
                        assert_non_null(rpc_find(*name));
        assert_null(rpc_find("guest-exe"));
        assert_non_null(rpc_find_n("guest-exec,", strlen("guest-exec")));
}

static void test_nearest(_unused_ void **state) {
        static const struct {
                const char *word, *nearest;
        } cases[] = {
                {"guest-exce", "guest-exec"},
                {"exce", "exec"},
                {"guest_file_open", "guest-file-open"},
                {"file-acces", "file-access"},
                {"guest-of-tomorow", "guest-of-tomorrow"},
                {"something-entirely-different", NULL},
                {"", NULL},
        };
        char *more[] = {(char *) "guest-of-tomorrow"};
        const Names known = {.list = more, .n = 1};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *is = rpc_nearest(cases[i].word, &known);

                if (*cases[i].word && !streq_ptr(is, cases[i].nearest))
                        fail_msg("%s: %s", cases[i].word, is ? is : "none");
        }
}

static void test_plain(_unused_ void **state) {
        static const char *const bad[] = {"",       "-b",        "a b",  "a\nb", "a/b", "A",   "a_b", "a,b",
                                          "\"a\"",  "a'",        "$a",   "a%n",  "\xC3\xA4", "a\\", "a;b", "1a"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(name_is_plain(bad[i]));
        assert_true(name_is_plain("guest-exec"));
        assert_true(name_is_plain("guest-x2"));
}

static const char *const installed[] = {"guest-exec", "guest-exec-status", "guest-file-open", "guest-info",
                                        "guest-ping", "guest-shutdown"};

static void add_installed(Names *names) {
        for (size_t i = 0; i < ELEMENTSOF(installed); i++)
                assert_int_equal(names_add(names, installed[i]), 0);
}

static Policy *read_policy(const char *text) {
        const PolicyKeys keys = {wish_keys, WISH_N_KEYS};
        _cleanup_free_ char *whole = xasprintf("[qga-policy]\n%s", text);
        Policy *policy;

        assert_non_null(whole);
        assert_int_equal(policy_read_text(whole, strlen(whole), &keys, 1, &policy), 0);
        assert_int_equal(policy->n_errors, 0);
        return policy;
}

static void assert_names(const Names *names, const char *expected) {
        _cleanup_free_ char *is = names_join(names, " ");

        assert_string_equal(is, expected);
}

static void test_wish(_unused_ void **state) {
        static const struct {
                const char *text;
                bool restricts;
                const char *closed, *open, *missing;
        } cases[] = {
                {"enable = yes\n", false, "", "", ""},
                {"block =\n", false, "", "", ""},
                {"block = ,\n", false, "", "", ""},
                {"preset = none\n", false, "", "", ""},
                {"block = exec\n", true, "guest-exec guest-exec-status", "", ""},
                {"block = guest-exec\nblock = file-access\n", true, "guest-exec guest-file-open", "", ""},
                {"preset = hardened\n", true, "guest-exec guest-exec-status guest-file-open", "", ""},
                {"preset = hardened\nblock = power\n", true,
                 "guest-exec guest-exec-status guest-file-open guest-shutdown", "", ""},
                {"allow = info\n", true, "guest-exec guest-exec-status guest-file-open guest-shutdown",
                 "guest-info guest-ping", ""},
                {"allow = info\nblock = guest-ping\n", true,
                 "guest-exec guest-exec-status guest-file-open guest-ping guest-shutdown", "guest-info", ""},
                {"block = guest-get-load, exec\n", true, "guest-exec guest-exec-status", "", "guest-get-load"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(policy_freep) Policy *policy = read_policy(cases[i].text);
                _cleanup_names_ Names names = {};
                _cleanup_(wish_done) Wish wish = {};

                add_installed(&names);
                assert_int_equal(wish_read(policy, &names, &wish), 0);

                assert_int_equal(wish.restricts, cases[i].restricts);
                assert_names(&wish.closed, cases[i].closed);
                assert_names(&wish.open, cases[i].open);
                assert_names(&wish.missing, cases[i].missing);
        }
}

/* What any file closes stays closed, until a later one clears the list. */
static void test_wish_of_files(void **state) {
        static const struct {
                const char *vendor, *site; /* lines of the two files */
                const char *open, *closed, *disputed;
        } cases[] = {
                {"block = exec", "block = power", "", "guest-exec guest-exec-status guest-shutdown", ""},
                {"block = exec", "block =\nblock = power", "", "guest-shutdown", ""},
                {"allow = info, power", "allow = info", "guest-info guest-ping",
                 "guest-exec guest-exec-status guest-file-open guest-shutdown", "guest-shutdown"},
                {"allow = info", "allow = info, power", "guest-info guest-ping",
                 "guest-exec guest-exec-status guest-file-open guest-shutdown", "guest-shutdown"},
                {"allow = info", "allow =\nallow = power", "guest-shutdown",
                 "guest-exec guest-exec-status guest-file-open guest-info guest-ping", ""},
                {"allow = info\nallow = power", "allow = guest-ping, power\nallow = exec", "guest-ping guest-shutdown",
                 "guest-exec guest-exec-status guest-file-open guest-info",
                 "guest-info guest-exec guest-exec-status"},
                {"allow = info", "allow = power", "",
                 "guest-exec guest-exec-status guest-file-open guest-info guest-ping guest-shutdown",
                 "guest-info guest-ping guest-shutdown"},
                {"allow = power", "block = power", "",
                 "guest-exec guest-exec-status guest-file-open guest-info guest-ping guest-shutdown", ""},
                {"block = power", "allow = power", "",
                 "guest-exec guest-exec-status guest-file-open guest-info guest-ping guest-shutdown", ""},
                {"allow = info, power", "allow = ,", "guest-info guest-ping guest-shutdown",
                 "guest-exec guest-exec-status guest-file-open", ""},
                {"preset = hardened", "preset = none\nblock = exec", "", "guest-exec guest-exec-status", ""},
        };
        const PolicyKeys keys = {wish_keys, WISH_N_KEYS};
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *vendor = xasprintf("[qga-policy]\n%s\n", cases[i].vendor),
                                    *site = xasprintf("[qga-policy]\n%s\n", cases[i].site);
                _cleanup_(policy_freep) Policy *policy = NULL;
                _cleanup_(wish_done) Wish wish = {};
                _cleanup_names_ Names names = {};

                tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/10-vendor.conf", vendor);
                tree_file(t, "/etc/gtuned/gtuned.conf.d/50-site.conf", site);
                assert_int_equal(policy_read(t->root, "gtuned/gtuned.conf", &keys, 1, &policy), 0);
                assert_int_equal(policy->n_errors, 0);

                add_installed(&names);
                assert_int_equal(wish_read(policy, &names, &wish), 0);
                assert_names(&wish.open, cases[i].open);
                assert_names(&wish.closed, cases[i].closed);
                assert_names(&wish.disputed, cases[i].disputed);
        }
}

/* An error is one of the line that has the name, and not of the last line of the list. */
static void test_check_files(void **state) {
        const PolicyKeys keys = {wish_keys, WISH_N_KEYS};
        _cleanup_(policy_freep) Policy *policy = NULL;
        const Tree *t = *state;
        Names none = {};

        tree_file(t, "/usr/lib/gtuned/gtuned.conf.d/10-vendor.conf", "[qga-policy]\nblock = exec\nblock = nonsense\n");
        tree_file(t, "/etc/gtuned/gtuned.conf.d/50-site.conf", "\n\n[qga-policy]\nblock = power\n");
        assert_int_equal(policy_read(t->root, "gtuned/gtuned.conf", &keys, 1, &policy), 0);
        assert_int_equal(wish_check(policy, &none), 0);
        assert_int_equal(policy->n_errors, 1);
        assert_string_equal(policy->errors->file, "/usr/lib/gtuned/gtuned.conf.d/10-vendor.conf");
        assert_int_equal(policy->errors->line, 3);
}

static void test_check(_unused_ void **state) {
        static const struct {
                const char *text, *error; /* part of the only error; NULL: none */
        } cases[] = {
                {"block = exec, guest-ping, guest-get-load\n", NULL},
                {"block = guest-of-tomorrow\n", NULL},
                {"block = guest-exec guest-file-open\n", "separate the names with commas"},
                {"allow = info\tpower\n", "allow = info\tpower: separate the names with commas"},
                {"block = guest-exce\n", "did you mean guest-exec?"},
                {"block = nonsense-of-some-kind\n", "neither a group nor an RPC of qemu-ga"},
                {"block = ../../etc/passwd\n", "a name holds only small letters"},
                {"block = guest-exec\\x0aExecStartPre=/bin/sh\n", "a name holds only small letters"},
                {"block = Exec\n", "a name holds only small letters"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(policy_freep) Policy *policy = read_policy(cases[i].text);
                _cleanup_names_ Names names = {};

                assert_int_equal(names_add(&names, "guest-of-tomorrow"), 0);
                assert_int_equal(wish_check(policy, &names), 0);
                assert_int_equal(policy->n_errors, cases[i].error ? 1 : 0);
                if (!cases[i].error)
                        continue;
                assert_int_equal(policy->errors->line, 2);
                assert_non_null(strstr(policy->errors->reason, cases[i].error));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_groups),  cmocka_unit_test(test_table), cmocka_unit_test(test_nearest),
                cmocka_unit_test(test_plain),   cmocka_unit_test(test_wish),  cmocka_unit_test(test_check),
                cmocka_unit_test_setup_teardown(test_wish_of_files, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_check_files, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
