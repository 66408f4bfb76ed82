/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "haltpoll/haltpoll.h"
#include "tests/unit/tree.h"

static const char *const directories[] = {
        "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
};

/* No directory denies nothing; a line is named; and what may not be listed or read may hold one. */
static void test_denial(void **state) {
        const Tree *t = *state;
        const View view = {.root = t->root};

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_free_ char *file = xasprintf("%s/10.conf", directories[i]), *full = tree_path(t, file);
                _cleanup_free_ char *where = NULL, *unread = NULL, *denied = NULL, *forbidden = NULL, *unused = NULL;
                int r;

                assert_int_equal(module_find_denial(&view, &where, &unread), 0);
                assert_null(where);
                assert_null(unread);

                tree_file(t, file, "# none\nblacklist cpuidle-haltpoll\n");
                assert_int_equal(module_find_denial(&view, &denied, &unread), 0);
                assert_non_null(denied);
                assert_non_null(startswith(denied, file));
                assert_null(unread);

                tree_forbid(t, directories[i]);
                r = module_find_denial(&view, &where, &unread);
                tree_permit(t, directories[i]);
                assert_int_equal(r, 0);
                assert_null(where);
                assert_non_null(unread);
                assert_non_null(startswith(unread, directories[i]));
                assert_non_null(strstr(unread, "ermission denied"));

                tree_forbid(t, file);
                r = module_find_denial(&view, &unused, &forbidden);
                tree_permit(t, file);
                assert_int_equal(r, 0);
                assert_null(unused);
                assert_non_null(forbidden);
                assert_non_null(startswith(forbidden, file));

                assert_int_equal(unlink(full), 0);
        }
}

/* As `modprobe -c` of kmod 30 shows them. */
static void test_lines(void **state) {
        static const struct {
                const char *text;
                unsigned line; /* that denies the module; 0: none */
        } cases[] = {
                { "blacklist cpuidle-haltpoll",                          1 },
                { "\n\nblacklist cpuidle_haltpoll\n",                    3 },
                { "blacklist \\\ncpuidle-haltpoll\n",                    1 },
                { "black\\\nlist cpuidle-\\\nhaltpoll",                  1 },
                { "a \\\nb\nblacklist cpuidle-haltpoll\n",              3 },
                { "# \\\nblacklist cpuidle-haltpoll\n",                  0 },
                { "# \\\n\\\nblacklist cpuidle-haltpoll\nblacklist x\n", 0 },
                { "# \\ \nblacklist cpuidle-haltpoll\n",                 2 },
                { "install cpuidle-haltpoll \\\n/bin/false\n",           1 },
                { "blacklist cpuidle-haltpoll\\",                        0 }, /* the name ends in it */
                { "blacklist cpuidle-haltpoll\\\n",                      1 },
                { "\\",                                                 0 },
                { "",                                                   0 },
        };
        const Tree *t = *state;
        const View view = {.root = t->root};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *where = NULL, *unread = NULL, *expected = NULL;

                tree_file(t, "/etc/modprobe.d/a.conf", cases[i].text);
                assert_int_equal(module_find_denial(&view, &where, &unread), 0);
                if (cases[i].line == 0) {
                        assert_null(where);
                        continue;
                }

                expected = xasprintf("/etc/modprobe.d/a.conf:%u", cases[i].line);
                assert_non_null(where);
                assert_string_equal(where, expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_denial, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_lines, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
