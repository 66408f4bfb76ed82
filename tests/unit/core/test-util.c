/* SPDX-License-Identifier: Apache-2.0 */

/* What no other test reaches: standard descriptors that are closed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "core/util.h"

/* In a process of its own: whether the descriptors of a set, one bit each, are filled. */
static int fill_closed(unsigned closed) {
        int fd;

        for (int i = 0; i < 3; i++)
                if (closed & 1U << i)
                        (void) close(i);

        if (fill_standard_files() < 0)
                return 1;
        for (int i = 0; i < 3; i++)
                if (fcntl(i, F_GETFD) < 0)
                        return 2;
        if ((closed & 1U << STDOUT_FILENO) && write(STDOUT_FILENO, "x", 1) >= 0)
                return 3;

        fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd > STDERR_FILENO ? 0 : 4;
}

static void test_fill_standard_files(_unused_ void **state) {
        for (unsigned closed = 0; closed < 8; closed++) {
                int status;
                pid_t child = fork();

                assert_true(child >= 0);
                if (child == 0)
                        _exit(fill_closed(closed));

                assert_int_equal(waitpid(child, &status, 0), child);
                assert_int_equal(status, 0);
        }
}

static void test_lists(_unused_ void **state) {
        char *const none[] = {NULL}, *const two[] = {(char *) "a", (char *) "bc", NULL};

        assert_int_equal(strv_length(NULL), 0);
        assert_int_equal(strv_length(none), 0);
        assert_int_equal(strv_length(two), 2);
        assert_false(strv_has(NULL, "a"));
        assert_false(strv_has(none, "a"));
        assert_true(strv_has(two, "a"));
        assert_true(strv_has(two, "bc"));
        assert_false(strv_has(two, "b"));
}

static int compare_numbers(const void *a, const void *b) {
        return *(const int *) a - *(const int *) b;
}

static void test_lower_bound(_unused_ void **state) {
        static const int numbers[] = {2, 4, 4, 6};
        static const size_t places[] = {0, 0, 0, 1, 1, 3, 3, 4}; /* of 0 to 7 */

        for (int key = 0; key < (int) ELEMENTSOF(places); key++) {
                assert_int_equal(lower_bound(&key, numbers, ELEMENTSOF(numbers), sizeof(int), compare_numbers), places[key]);
                assert_int_equal(lower_bound(&key, NULL, 0, sizeof(int), compare_numbers), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_lower_bound),
                cmocka_unit_test(test_fill_standard_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
