/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qga-policy/restrictions.h"
#include "tests/unit/tree.h"

#define UNIT "qemu-guest-agent.service"

/* The options of qemu-ga until 7.1, of 7.2 to 8.0, of 8.1 to 9.0, and from 9.1. */
static const QgaBinary v62 = {.blacklist = true}, v72 = {.blacklist = true, .block_rpcs = true},
                       v82 = {.blacklist = true, .block_rpcs = true, .allow_rpcs = true},
                       v100 = {.block_rpcs = true, .allow_rpcs = true};

static void test_command(void **state) {
        static const struct {
                const char *settings;
                int result;
                const char *arguments; /* each followed by "|", the program first */
        } cases[] = {
                {"ExecStart=/a b  c\n", 0, "/a|b|c|"},
                {"ExecStart=-/a\n", 0, "/a|"},
                {"ExecStart=-!!/a \"b c\"\n", 0, "/a|b c|"},
                {"ExecStart=/a ${X} $X ${X}y$X\nEnvironment=\"X=1 2\"\n", 0, "/a|1 2|1|2|1 2y$X|"},
                {"ExecStart=/a ${X} $X b\n", 0, "/a||b|"},
                {"ExecStart=/a $$X $${X} $\nEnvironment=X=1\n", 0, "/a|$X|${X}|$|"},
                {"ExecStart=/a ${X\nEnvironment=X=1\n", 0, "/a|${X|"},
                {"ExecStart=/a $X\nEnvironment='X=b \"c d\"'\n", 0, "/a|b|c d|"},
                {"ExecStart=:/a $X ${X}\nEnvironment=X=1\n", 0, "/a|$X|${X}|"},
                {"ExecStart=/a %p %%p %z\n", 0, "/a|qemu-guest-agent|%p|%z|"},
                {"ExecStart=/a \\; b\n", 0, "/a|;|b|"},
                {"ExecStart=/a ; /b\n", -EOPNOTSUPP, NULL},
                {"ExecStart=@/a b\n", -EOPNOTSUPP, NULL},
                {"ExecStart=a b\n", -EOPNOTSUPP, NULL},
                {"ExecStart=-\n", -EINVAL, NULL},
                {"ExecStart=/a 'b\n", -EINVAL, NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = xasprintf("[Service]\n%s", cases[i].settings);
                const Tree *t = *state;
                _cleanup_unit_ Unit unit = {.name = strdup(UNIT)};
                _cleanup_environment_ Environment environment = {};
                _cleanup_exec_command_ ExecCommand command = {};
                _cleanup_exec_arguments_ ExecArguments arguments = {};
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                const UnitSetting *s;
                size_t n;
                int r;

                assert_int_equal(unit_parse(&unit, "/f", text, strlen(text)), 0);
                assert_int_equal(environment_read(t->root, &unit, &environment), 0);
                s = unit_setting(&unit, "ExecStart", &n);
                assert_non_null(s);
                r = exec_command_parse(&unit, s, &command);
                if (r != cases[i].result)
                        fail_msg("%s: %d", text, r);
                if (r < 0)
                        continue;

                assert_int_equal(exec_command_expand(&unit, &command, &environment, &arguments), 0);
                assert_int_equal(buffer_printf(&b, "%s|", command.path), 0);
                for (size_t k = 0; k < arguments.n; k++)
                        assert_int_equal(buffer_printf(&b, "%s|", arguments.list[k].text), 0);
                assert_string_equal(b.data, cases[i].arguments);
        }
}

static void split(const char *text, ExecArguments *ret) {
        _cleanup_words_ Words words = {};

        assert_int_equal(words_split(text, WORDS_COMMAND, &words), 0);
        for (size_t i = 0; i < words.n; i++)
                assert_int_equal(exec_arguments_add(ret, words.list[i].text), 0);
}

/* A command line, and which of guest-exec, guest-ping and guest-info it closes (e, p, i). */
static void test_options(_unused_ void **state) {
        static const struct {
                const QgaBinary *binary;
                const char *text;
                ArgumentsFault fault;
                const char *closed;
                const char *left_open;
        } cases[] = {
                {&v72, "", FAULT_NONE, "", ""},
                {&v72, "-b guest-exec", FAULT_NONE, "e", ""},
                {&v72, "-bguest-exec,guest-ping", FAULT_NONE, "ep", ""},
                {&v72, "-vb guest-exec", FAULT_NONE, "e", ""},
                {&v72, "--blacklist=guest-exec --block-rpcs guest-ping", FAULT_NONE, "ep", ""},
                {&v72, "--bl=guest-exec", FAULT_NONE, "e", ""},
                {&v72, "--b guest-exec", FAULT_NONE, "e", ""},
                {&v62, "--blacklist=guest-exec", FAULT_NONE, "e", ""},
                {&v62, "--block-rpcs=guest-exec", FAULT_UNKNOWN, "", ""},
                {&v100, "--blacklist=guest-exec", FAULT_REMOVED, "e", ""},
                {&v100, "--blacklist guest-exec", FAULT_REMOVED, "e", ""},
                {&v100, "--bl=guest-exec", FAULT_NONE, "e", ""},
                {&v100, "--bla=guest-exec", FAULT_REMOVED, "e", ""},
                {&v72, "--allow-rpcs=guest-ping", FAULT_UNKNOWN, "", ""},
                {&v72, "-a guest-ping", FAULT_UNKNOWN, "", "guest-ping"},
                {&v72, "-c /x", FAULT_UNKNOWN, "", ""},
                {&v82, "-c /x", FAULT_UNKNOWN, "", ""},
                {&v100, "-c /x", FAULT_NONE, "", ""},
                {&v82, "--allow-rpcs=guest-ping", FAULT_NONE, "ei", ""},
                {&v82, "--allow-rpcs=guest-ping -a guest-info", FAULT_NONE, "e", ""},
                {&v82, "--allow-rpcs=", FAULT_NONE, "", ""},
                {&v82, "-b ''", FAULT_NONE, "", ""},
                {&v82, "-a guest-ping -b guest-exec", FAULT_EXCLUSIVE, "ei", ""},
                {&v82, "-a guest-ping -b ''", FAULT_NONE, "ei", ""},
                {&v100, "-a guest-ping,guest-exec -b guest-exec", FAULT_NONE, "ei", ""},
                {&v72, "-b help", FAULT_EXITS, "", ""},
                {&v72, "-b '?'", FAULT_EXITS, "", ""},
                {&v72, "--version", FAULT_EXITS, "", ""},
                {&v72, "--ver", FAULT_UNKNOWN, "", ""},
                {&v72, "--p=x", FAULT_UNKNOWN, "", ""},
                {&v72, "--verbose=1", FAULT_UNKNOWN, "", ""},
                {&v72, "-b", FAULT_UNKNOWN, "", ""},
                {&v72, "-x", FAULT_UNKNOWN, "", ""},
                {&v72, "-F/h -F --fsfreeze-hook=/h -m virtio-serial -p -b guest-exec", FAULT_NONE, "", "guest-exec"},
                {&v72, "-- -b guest-exec", FAULT_NONE, "", "guest-exec"},
                /* The edit of openEuler's guide, and other wrong separators. */
                {&v62, "--blacklist=guest-exec guest-ping guest-info -F/h", FAULT_NONE, "e", "guest-ping guest-info"},
                {&v62, "--blacklist=guest-exec, guest-ping", FAULT_NONE, "e", "guest-ping"},
                {&v62, "'--blacklist=guest-exec, guest-ping'", FAULT_NONE, "e", "guest-ping"},
                {&v62, "'--blacklist=guest-exec guest-ping'", FAULT_NONE, "", ""},
                {&v62, "--blacklist=guest-exec;guest-ping", FAULT_NONE, "", ""},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                static const char *const names[] = {"guest-exec", "guest-ping", "guest-info"};
                _cleanup_exec_arguments_ ExecArguments arguments = {};
                _cleanup_qga_arguments_ QgaArguments view = {};
                _cleanup_restrictions_ Restrictions r = {};
                _cleanup_free_ char *left_open = NULL;
                char closed[4] = "";

                split(cases[i].text, &arguments);
                assert_int_equal(qga_arguments_parse(&arguments, cases[i].binary, &view), 0);
                assert_int_equal(restrictions_add_arguments(&r, &arguments, &view, "here"), 0);
                if (view.fault != cases[i].fault)
                        fail_msg("%s: fault %d", cases[i].text, view.fault);

                for (size_t k = 0; k < ELEMENTSOF(names); k++)
                        if (restrictions_close(&r, names[k]))
                                strncat(closed, names[k] + strlen("guest-"), 1);
                if (!streq(closed, cases[i].closed))
                        fail_msg("%s: closed %s", cases[i].text, closed);

                left_open = names_join(&r.left_open, " ");
                assert_string_equal(left_open, cases[i].left_open);
        }
}

static void test_conf(_unused_ void **state) {
        static const struct {
                const QgaBinary *binary;
                const char *text, *block, *allow, *ignored;
                const char *problem; /* part of it; NULL: none */
        } cases[] = {
                {&v72, "", "", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=a,b\n", "a|b", "", "", NULL},
                {&v72, "# c\n\n [general]\n block-rpcs = a\n", "a", "", "", NULL},
                {&v72, "[general]\r\nblock-rpcs=a\r\n", "a", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=a \n", "a ", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=\\sa,b\n", " a|b", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=a;b\n", "a;b", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=a\nblock-rpcs=b\n", "b", "", "", NULL},
                {&v72, "[other]\nblock-rpcs=a\n", "", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=\n", "", "", "", NULL},
                {&v72, "[general]\nblock-rpcs=a\nblacklist=b\n", "b", "", "a", NULL},
                {&v72, "[general]\nblacklist=b\nblock-rpcs=a\n", "b", "", "a", NULL},
                {&v62, "[general]\nblock-rpcs=a\n", "", "", "a", NULL},
                {&v62, "[general]\nblacklist=a\n", "a", "", "", NULL},
                {&v100, "[general]\nblacklist=a\n", "", "", "a", NULL},
                {&v72, "[general]\nallow-rpcs=a\n", "", "", "a", NULL},
                {&v82, "[general]\nallow-rpcs=a\n", "", "a", "", NULL},
                {&v82, "[general]\nallow-rpcs=a\nblock-rpcs=b\n", "b", "a", "", "takes only one"},
                {&v100, "[general]\nallow-rpcs=a\nblock-rpcs=b\n", "b", "a", "", NULL},
                {&v72, "block-rpcs=a\n", "", "", "", "/c:1 is no [group]"},
                {&v72, "[general]\nwhat\n", "", "", "", "/c:2 is no [group]"},
                {&v72, "[general\n", "", "", "", "/c:1 is no [group]"},
                {&v72, "[general] junk\n", "", "", "", "/c:1 is no [group]"},
                {&v72, "[]\n", "", "", "", "/c:1 is no [group]"},
                {&v72, "[general] \t\nblock-rpcs=a\n", "a", "", "", NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_qga_conf_ QgaConf conf = {.path = strdup("/c")};
                _cleanup_free_ char *block = NULL, *allow = NULL, *ignored = NULL;

                assert_int_equal(qga_conf_parse(cases[i].text, cases[i].binary, &conf), 0);
                block = names_join(&conf.block.names, "|");
                allow = names_join(&conf.allow.names, "|");
                ignored = names_join(&conf.ignored.names, "|");
                if (!streq(block, cases[i].block) || !streq(allow, cases[i].allow) ||
                    !streq(ignored, cases[i].ignored))
                        fail_msg("%s: block %s allow %s ignored %s", cases[i].text, block, allow, ignored);
                if (cases[i].problem ? !conf.problem || !strstr(conf.problem, cases[i].problem) : !!conf.problem)
                        fail_msg("%s: %s", cases[i].text, conf.problem ? conf.problem : "no problem");
        }
}

/* Lists of file and command line add up. */
static void test_sources(void **state) {
        const Tree *t = *state;
        _cleanup_qga_conf_ QgaConf conf = {};
        _cleanup_exec_arguments_ ExecArguments arguments = {};
        _cleanup_qga_arguments_ QgaArguments view = {};
        _cleanup_restrictions_ Restrictions r = {};

        tree_file(t, "/etc/qemu/qemu-ga.conf", "[general]\nallow-rpcs=guest-ping,guest-info\n");
        assert_int_equal(qga_conf_read(t->root, "/etc/qemu/qemu-ga.conf", &v100, &conf), 0);
        split("-b guest-info", &arguments);
        assert_int_equal(qga_arguments_parse(&arguments, &v100, &view), 0);
        assert_int_equal(restrictions_add_conf(&r, &conf), 0);
        assert_int_equal(restrictions_add_arguments(&r, &arguments, &view, "here"), 0);

        assert_null(restrictions_close(&r, "guest-ping"));
        assert_string_equal(restrictions_close(&r, "guest-info")->source, "here");
        assert_string_equal(restrictions_close(&r, "guest-exec")->source, "/etc/qemu/qemu-ga.conf:2 (allow-rpcs)");
        assert_true(restrictions_have_allow(&r, true));
        assert_false(restrictions_have_allow(&r, false));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_command, tree_setup, tree_teardown),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_conf),
                cmocka_unit_test_setup_teardown(test_sources, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
