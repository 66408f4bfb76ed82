/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/subprocess.h"

#define SHELL "/bin/sh"

static const char *const environment[] = {"COLOUR=red", NULL};

static const struct {
        const char *script, *input;
        unsigned timeout_ms;
        size_t max;
        int result;
        const char *output, *error;
} cases[] = {
        {"echo a; echo b >&2", NULL, 10000, 100, 0, "a\n", "b\n"},
        {"exit 3", NULL, 10000, 100, 3, "", ""},
        {"printf %s \"$COLOUR\"", NULL, 10000, 100, 0, "red", ""},
        {"cat", "some text", 10000, 100, 0, "some text", ""},
        {"cat", "", 10000, 100, 0, "", ""},
        {"exec <&-; echo deaf", "some text", 10000, 100, 0, "deaf\n", ""},
        {"echo 123456789", NULL, 10000, 10, 0, "123456789\n", ""},
        {"echo 1234567890", NULL, 10000, 10, -EFBIG, NULL, NULL},
        {"while :; do echo more; done", NULL, 10000, 1000, -EFBIG, NULL, NULL},
        {"sleep 30", NULL, 100, 100, -ETIMEDOUT, NULL, NULL},
        {"exec >&- 2>&-; sleep 30", NULL, 100, 100, -ETIMEDOUT, NULL, NULL},
        {"kill -9 $$", NULL, 10000, 100, -EPROTO, "", ""},
};

static void test_run(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *const arguments[] = {SHELL, "-c", cases[i].script, NULL};
                _cleanup_buffer_ Buffer output = BUFFER_NULL, error = BUFFER_NULL, input = BUFFER_NULL;

                if (cases[i].input)
                        assert_int_equal(buffer_puts(&input, cases[i].input), 0);
                assert_int_equal(subprocess_run(arguments, environment, cases[i].input ? &input : NULL,
                                                cases[i].timeout_ms, cases[i].max, &output, &error),
                                 cases[i].result);
                if (cases[i].output)
                        assert_string_equal(output.data, cases[i].output);
                if (cases[i].error)
                        assert_string_equal(error.data, cases[i].error);
        }
}

static void test_long_input(_unused_ void **state) {
        const char *const arguments[] = {SHELL, "-c", "wc -c", NULL};
        _cleanup_buffer_ Buffer output = BUFFER_NULL, input = BUFFER_NULL;

        for (size_t i = 0; i < 100000; i++)
                assert_int_equal(buffer_puts(&input, "0123456789"), 0);
        assert_int_equal(subprocess_run(arguments, NULL, &input, 10000, 100, &output, NULL), 0);
        assert_int_equal(atoi(output.data), 1000000);
}

static void test_not_there(_unused_ void **state) {
        const char *const arguments[] = {"/nonexistent/program", NULL};
        _cleanup_buffer_ Buffer output = BUFFER_NULL;

        assert_int_equal(subprocess_run(arguments, NULL, NULL, 1000, 100, &output, NULL), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_run),
                cmocka_unit_test(test_long_input),
                cmocka_unit_test(test_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
