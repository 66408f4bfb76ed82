/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qga-policy/environment.h"
#include "qga-policy/words.h"
#include "tests/unit/tree.h"

#define UNIT "qemu-guest-agent.service"
#define FRAGMENT "/usr/lib/systemd/system/" UNIT
#define FOLDER "/etc/systemd/system/" UNIT ".d"

static void test_words(_unused_ void **state) {
        static const struct {
                const char *text;
                WordRules rules;
                int result;
                const char *words; /* each followed by "|" */
        } cases[] = {
                {"", WORDS_COMMAND, 0, ""},
                {"  a\tb  ", WORDS_COMMAND, 0, "a|b|"},
                {"'a b' \"c d\"e", WORDS_COMMAND, 0, "a b|c de|"},
                {"a'b c'd", WORDS_COMMAND, 0, "ab cd|"},
                {"''", WORDS_COMMAND, 0, "|"},
                {"a\\sb \\x41\\102\\u00e4 \"\\\"\"", WORDS_COMMAND, 0, "a b|AB\xC3\xA4|\"|"},
                {"\\U0001F600", WORDS_COMMAND, 0, "\xF0\x9F\x98\x80|"},
                {"a \\; b", WORDS_COMMAND, 0, "a|;|b|"},
                {"a\\;b", WORDS_COMMAND, 0, "a\\;b|"},
                {"a \\q", WORDS_COMMAND, 0, "a|\\q|"},
                {"a \\", WORDS_COMMAND, -EINVAL, "a|"},
                {"\\x00", WORDS_COMMAND, 0, "\\x00|"},
                {"\\x4", WORDS_COMMAND, 0, "\\x4|"},
                {"\\777", WORDS_COMMAND, 0, "\\777|"},
                {"\\ud800", WORDS_COMMAND, 0, "\\ud800|"},
                {"a \\q", WORDS_ASSIGNMENTS, -EINVAL, "a|"},
                {"a 'b c", WORDS_ASSIGNMENTS, -EINVAL, "a|"},
                {"'a", WORDS_COMMAND, -EINVAL, ""},
                {"'a b", WORDS_VARIABLE, 0, "a b|"},
                {"a\\nb \\\"", WORDS_VARIABLE, 0, "anb|\"|"},
                {"a\\", WORDS_VARIABLE, 0, "a|"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_words_ Words words = {};
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                int r = words_split(cases[i].text, cases[i].rules, &words);

                if (r != cases[i].result)
                        fail_msg("%s: %d", cases[i].text, r);
                assert_int_equal(buffer_puts(&b, ""), 0);
                for (size_t k = 0; k < words.n; k++)
                        assert_int_equal(buffer_printf(&b, "%s|", words.list[k].text), 0);
                assert_string_equal(b.data, cases[i].words);
        }
}

static void test_quote(_unused_ void **state) {
        static const struct {
                const char *text, *quoted;
        } cases[] = {
                {"plain", "plain"},      {"", "\"\""},         {"a b", "\"a b\""},     {"a\"b", "\"a\\\"b\""},
                {"a\\b", "\"a\\\\b\""},  {"100%", "100%%"},    {"$HOME", "$$HOME"},    {";", "\";\""},
                {"'", "\"'\""},
        };
        _cleanup_buffer_ Buffer bad = BUFFER_NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                assert_int_equal(word_quote(&b, cases[i].text), 0);
                assert_string_equal(b.data, cases[i].quoted);
        }
        assert_int_equal(word_quote(&bad, "a\nExecStartPre=/bin/sh"), -EINVAL);
}

static void test_text(_unused_ void **state) {
        static const struct {
                const char *text;
                int result;
                const char *settings; /* "line key=value|" */
        } cases[] = {
                {"[Service]\nExecStart=/a\n", 0, "2 ExecStart=/a|"},
                {"[Service]\r\nExecStart = /a \\\r\n b\r\n", 0, "2 ExecStart=/a   b|"},
                {"\xEF\xBB\xBF[Service]\nExecStart=/a", 0, "2 ExecStart=/a|"},
                {"[Service]\nExecStart=/a \\\n# comment\n; another\n  b\n", 0, "2 ExecStart=/a    b|"},
                {"[Service]\n# comment \\\nExecStart=/a\n", 0, "3 ExecStart=/a|"},
                {"[Service]\nExecStart=/a \\\\\nEnvironment=B=1\n", 0, "2 ExecStart=/a \\\\|3 Environment=B=1|"},
                {"[Service]\nExecStart=/a \\", 0, "2 ExecStart=/a|"},
                {"[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n", 0, "4 ExecStart=/b|"},
                {"[Service]\nEnvironment=A=1\nEnvironment=B=2\nEnvironment=\n", 0, ""},
                {"ExecStart=/a\n[Unit]\nExecStart=/b\n[Service]\nExecStop=/c\n[Install]\nExecStart=/d\n", 0, ""},
                {"[Service]\nnonsense\nExecStart=/a\n", 0, "3 ExecStart=/a|"},
                {"[Service]\nExecStart=/\xFF\nExecStart=/a\n", 0, "3 ExecStart=/a|"},
                {"[Service]\nexecstart=/a\n", 0, ""},
                {"[Service]\nExecStart=/a\n[Broken\nExecStart=/b\n", -EBADMSG, "2 ExecStart=/a|"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_unit_ Unit unit = {};
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                assert_int_equal(unit_parse(&unit, "/f", cases[i].text, strlen(cases[i].text)), cases[i].result);
                assert_int_equal(buffer_puts(&b, ""), 0);
                for (size_t k = 0; k < unit.n_settings; k++)
                        assert_int_equal(buffer_printf(&b, "%u %s=%s|", unit.settings[k].line, unit.settings[k].key,
                                                       unit.settings[k].value),
                                         0);
                assert_string_equal(b.data, cases[i].settings);
        }
}

static void assert_exec(const Tree *t, const char *path, const char *text, const char *value, const char *file) {
        _cleanup_unit_ Unit unit = {};
        const UnitSetting *s;
        size_t n;

        assert_int_equal(unit_read(t->root, UNIT, path, text, &unit), 0);
        s = unit_setting(&unit, "ExecStart", &n);
        if (!value) {
                assert_null(s);
                return;
        }
        assert_non_null(s);
        assert_string_equal(s->value, value);
        assert_string_equal(s->file, file);
        assert_string_equal(unit.exec_file, file);
}

static void test_search_path(void **state) {
        static const char *const paths[] = {"/lib/systemd/system/" UNIT, FRAGMENT,
                                            "/usr/local/lib/systemd/system/" UNIT, "/run/systemd/system/" UNIT,
                                            "/etc/systemd/system/" UNIT};
        const Tree *t = *state;
        _cleanup_unit_ Unit unit = {};

        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_null(unit.fragment);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                tree_file(t, paths[i], "[Service]\nExecStart=/a\n");
                assert_exec(t, NULL, NULL, "/a", paths[i]);
        }
}

static void test_masked(void **state) {
        const Tree *t = *state;
        _cleanup_unit_ Unit linked = {}, empty = {};
        _cleanup_free_ char *path = tree_path(t, "/etc/systemd/system/" UNIT);

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        tree_link(t, "/etc/systemd/system/" UNIT, "/dev/null");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &linked), 0);
        assert_true(linked.masked);

        assert_int_equal(unlink(path), 0);
        tree_file(t, "/etc/systemd/system/" UNIT, "");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &empty), 0);
        assert_true(empty.masked);
        assert_string_equal(empty.fragment, "/etc/systemd/system/" UNIT);
}

/* Of drop-ins with one file name, that of the last of these folders counts. They are filled in this order. */
static void test_drop_in_folders(void **state) {
        static const char *const folders[] = {
                "/lib/systemd/system/service.d",           "/etc/systemd/system/service.d",
                "/usr/lib/systemd/system/qemu-.service.d", "/usr/lib/systemd/system/" UNIT ".d",
                "/run/systemd/system/" UNIT ".d",          "/etc/systemd/system/qemu-.service.d",
                "/etc/systemd/system/qemu-guest-.service.d", FOLDER,
        };
        const Tree *t = *state;

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = xasprintf("%s/10.conf", folders[i]);

                tree_file(t, path, "[Service]\nExecStart=\nExecStart=/b\n");
                assert_exec(t, NULL, NULL, "/b", path);
        }
}

static void test_drop_in_order(void **state) {
        const Tree *t = *state;
        _cleanup_unit_ Unit unit = {};

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        tree_file(t, FOLDER "/50.conf", "[Service]\nExecStart=\nExecStart=/etc\n");
        tree_file(t, "/usr/lib/systemd/system/" UNIT ".d/60.conf", "[Service]\nExecStart=\nExecStart=/usr\n");
        tree_file(t, FOLDER "/.70.conf", "[Service]\nExecStart=\nExecStart=/hidden\n");
        tree_file(t, FOLDER "/80.conf.bak", "[Service]\nExecStart=\nExecStart=/backup\n");
        assert_exec(t, NULL, NULL, "/usr", "/usr/lib/systemd/system/" UNIT ".d/60.conf");

        tree_link(t, FOLDER "/60.conf", "/dev/null");
        assert_exec(t, NULL, NULL, "/etc", FOLDER "/50.conf");

        tree_file(t, FOLDER "/90.conf", "[Service]\nExecStart=/second\n");
        assert_exec(t, NULL, NULL, NULL, NULL);

        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_int_equal(unit.n_drop_ins, 2);
        assert_string_equal(unit.drop_ins[1], FOLDER "/90.conf");
        assert_string_equal(unit.exec_file, FOLDER "/90.conf");
}

/* A drop-in that is not written yet, and one that exists and is to be left out. */
static void test_known_drop_in(void **state) {
        static const char text[] = "[Service]\nExecStart=\nExecStart=/known\n";
        const Tree *t = *state;

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        assert_exec(t, FOLDER "/90.conf", text, "/known", FOLDER "/90.conf");

        tree_file(t, FOLDER "/90.conf", "[Service]\nExecStart=\nExecStart=/there\n");
        assert_exec(t, NULL, NULL, "/there", FOLDER "/90.conf");
        assert_exec(t, FOLDER "/90.conf", NULL, "/a", FRAGMENT);
        assert_exec(t, FOLDER "/90.conf", text, "/known", FOLDER "/90.conf");

        tree_file(t, FOLDER "/override.conf", "[Service]\nExecStart=\nExecStart=/later\n");
        assert_exec(t, FOLDER "/90.conf", text, "/later", FOLDER "/override.conf");
}

static void test_unreadable(void **state) {
        const Tree *t = *state;
        _cleanup_unit_ Unit unit = {};
        _cleanup_free_ char *fifo = tree_path(t, FOLDER "/10.conf");

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        tree_file(t, FOLDER "/20.conf", "[Service\n");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_string_equal(unit.problem, FOLDER "/20.conf is no unit file");
}

/* What a folder of drop-ins that may not be listed says of the unit is unknown. */
static void test_unlisted(void **state) {
        static const char *const folders[] = {FOLDER, "/etc/systemd/system/qemu-.service.d",
                                              "/usr/lib/systemd/system/service.d"};
        const Tree *t = *state;

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_unit_ Unit without = {}, unit = {};
                _cleanup_free_ char *file = xasprintf("%s/10.conf", folders[i]);
                int r;

                assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &without), 0);
                assert_null(without.problem);

                tree_file(t, file, "[Service]\nExecStart=\nExecStart=/b\n");
                tree_forbid(t, folders[i]);
                r = unit_read(t->root, UNIT, NULL, NULL, &unit);
                tree_permit(t, folders[i]);
                assert_int_equal(r, 0);
                assert_non_null(unit.problem);
                assert_non_null(startswith(unit.problem, folders[i]));
                assert_non_null(strstr(unit.problem, "ermission denied"));
        }
}

static void test_environment_file(_unused_ void **state) {
        static const struct {
                const char *text, *value; /* of A; NULL: not set */
                unsigned line;
        } cases[] = {
                {"A=b\n", "b", 1},
                {"# A=a\n; A=a\n\n A = b c  \n", "b c", 4},
                {"A=b", "b", 1},
                {"A=\n", "", 1},
                {"A=\"b c \"  \n", "b c ", 1},
                {"A='b\\n'\n", "b\\n", 1},
                {"A=\"a\\\"b\\$c\\d\"\n", "a\"b$c\\d", 1},
                {"A=\"a\"'b'c\n", "abc", 1},
                {"A=a\\\nb\n", "ab", 1},
                {"A=a\\ \n", "a ", 1},
                {"A=\"a\nb\"\nB=c\n", "a\nb", 1},
                {"A=x\"y\"\n", "x\"y\"", 1},
                {"A=b # no comment\n", "b # no comment", 1},
                {"A=a\nA=b\n", "b", 2},
                {"A\nB=1\n", NULL, 0},
                {"export A=b\n", NULL, 0},
                {"# comment \\\nA=b\n", NULL, 0},
                {"# comment \\\nA=b\nA=c\n", "c", 3},
                {"# com\\ment\nA=b\n", "b", 2},
                {"A=b\r\n", "b", 1},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_environment_ Environment e = {};
                const EnvironmentVariable *v;

                assert_int_equal(environment_parse_file(&e, "/f", cases[i].text, strlen(cases[i].text)), 0);
                v = environment_get(&e, "A", 1);
                if (!streq_ptr(v ? v->value : NULL, cases[i].value))
                        fail_msg("%s: %s", cases[i].text, v ? v->value : "not set");
                if (v)
                        assert_int_equal(v->line, cases[i].line);
        }
}

static void test_environment(void **state) {
        const Tree *t = *state;
        _cleanup_environment_ Environment e = {}, missing = {}, pattern = {};
        _cleanup_unit_ Unit unit = {}, other = {}, third = {};
        const EnvironmentVariable *v;

        tree_file(t, FRAGMENT,
                  "[Service]\nEnvironment=A=1 \"B=2 3\" C=%p D\nEnvironmentFile=/etc/f\nEnvironmentFile=-/etc/none\n");
        tree_file(t, "/etc/f", "A=file\n");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_int_equal(environment_read(t->root, &unit, &e), 0);
        assert_int_equal(e.n, 3);
        assert_null(e.problem);
        v = environment_get(&e, "A", 1);
        assert_string_equal(v->value, "file");
        assert_string_equal(v->file, "/etc/f");
        assert_string_equal(environment_get(&e, "B", 1)->value, "2 3");
        assert_string_equal(environment_get(&e, "C", 1)->value, "qemu-guest-agent");

        tree_file(t, FRAGMENT, "[Service]\nEnvironmentFile=/etc/none\n");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &other), 0);
        assert_int_equal(environment_read(t->root, &other, &missing), 0);
        assert_non_null(strstr(missing.problem, "/etc/none does not exist"));

        tree_file(t, FRAGMENT, "[Service]\nEnvironmentFile=-/etc/qemu.d/*\n");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &third), 0);
        assert_int_equal(environment_read(t->root, &third, &pattern), 0);
        assert_non_null(strstr(pattern.problem, "is a pattern"));
}

static void set_environment(const Tree *t, const char *settings, const char *file, Environment *ret) {
        _cleanup_unit_ Unit unit = {};

        tree_file(t, FRAGMENT, settings);
        tree_file(t, "/etc/f", file);
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_int_equal(environment_read(t->root, &unit, ret), 0);
}

static void test_environment_problems(void **state) {
        const Tree *t = *state;
        _cleanup_environment_ Environment unset = {}, bytes = {}, comment = {}, quote = {}, many = {};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        set_environment(t, "[Service]\nUnsetEnvironment=A\n", "", &unset);
        assert_non_null(strstr(unset.problem, ":2 has UnsetEnvironment="));
        set_environment(t, "[Service]\nEnvironmentFile=/etc/f\n", "A=\xFF\n", &bytes);
        assert_non_null(strstr(bytes.problem, "no valid UTF-8"));
        set_environment(t, "[Service]\nEnvironmentFile=/etc/f\n", "# \xFF\nA=b\n", &comment);
        assert_null(comment.problem);
        set_environment(t, "[Service]\nEnvironment=A=1 \"B=2\n", "", &quote);
        assert_null(quote.problem);
        assert_int_equal(quote.n, 1);

        for (unsigned i = 0; i <= ENVIRONMENT_VARIABLES_MAX; i++)
                assert_int_equal(buffer_printf(&b, "A%u=1\n", i), 0);
        set_environment(t, "[Service]\nEnvironmentFile=/etc/f\n", b.data, &many);
        assert_non_null(strstr(many.problem, "more variables"));
}

/* A file that changed after the process began does not tell the variables of the process. */
static void test_process_environment(void **state) {
        const Tree *t = *state;
        static const char *const list[] = {"QGA_CONF=/a", "B=1", NULL};
        _cleanup_environment_ Environment now = {}, later = {};
        _cleanup_unit_ Unit unit = {};

        tree_file(t, FRAGMENT, "[Service]\nEnvironment=QGA_CONF=/edited\nEnvironmentFile=/etc/f\n");
        tree_file(t, "/etc/f", "B=2\n");
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_int_equal(environment_read_process(t->root, &unit, (char **) list, 0, &now), 0);
        assert_string_equal(environment_get(&now, "QGA_CONF", 8)->value, "/a");
        assert_string_equal(environment_get(&now, "B", 1)->value, "2");
        assert_false(now.stale);
        assert_int_equal(environment_read_process(t->root, &unit, (char **) list, 1, &later), 0);
        assert_true(later.stale);
}

static void test_too_many_drop_ins(void **state) {
        const Tree *t = *state;
        _cleanup_unit_ Unit unit = {};

        tree_file(t, FRAGMENT, "[Service]\nExecStart=/a\n");
        for (unsigned i = 0; i <= UNIT_DROP_INS_MAX; i++) {
                _cleanup_free_ char *path = xasprintf("%s/%u.conf", FOLDER, i);

                tree_file(t, path, "[Service]\n");
        }
        assert_int_equal(unit_read(t->root, UNIT, NULL, NULL, &unit), 0);
        assert_non_null(strstr(unit.problem, "more drop-ins"));
}

static void test_specifiers(_unused_ void **state) {
        static const struct {
                const char *text, *expanded;
        } cases[] = {
                {"%n %N %p %% %t %i|", UNIT " qemu-guest-agent qemu-guest-agent % /run |"},
                {"%H%", "%H%"},
                {"%", "%"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *is = unit_expand_specifiers(UNIT, cases[i].text);

                assert_string_equal(is, cases[i].expanded);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_quote),
                cmocka_unit_test(test_text),
                cmocka_unit_test_setup_teardown(test_search_path, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_masked, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_drop_in_folders, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_drop_in_order, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_known_drop_in, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_unreadable, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_unlisted, tree_setup, tree_teardown),
                cmocka_unit_test(test_environment_file),
                cmocka_unit_test_setup_teardown(test_environment, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_environment_problems, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_process_environment, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_too_many_drop_ins, tree_setup, tree_teardown),
                cmocka_unit_test(test_specifiers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
