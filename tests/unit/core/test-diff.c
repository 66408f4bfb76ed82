/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/diff.h"

/* The hunks that follow the two header lines, as `diff -u` prints them. */
static const struct {
        const char *old, *new; /* NULL: no such file */
        const char *hunks;
} cases[] = {
        {"", "", ""},
        {"a\n", "a\n", ""},
        {"a\nb\n", "a\nb\n", ""},
        {"a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n"},
        {"a", "b", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"},
        {"a\n", "a", "@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n"},
        {"a\r\n", "b\r\n", "@@ -1,1 +1,1 @@\n-a\r\n+b\r\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
         "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
        /* Two changes with at most six equal lines between them are one hunk. */
        {"a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
         "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
         "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
        {"a\nb\n", "A\nB\n", "@@ -1,2 +1,2 @@\n-a\n-b\n+A\n+B\n"},
        /* Lines that come or go are one block. */
        {"1\n2\n3\n4\n", "1\n2\n3\n4\n5\n6\n", "@@ -2,3 +2,5 @@\n 2\n 3\n 4\n+5\n+6\n"},
        {"1\n2\n3\n4\n", "1\n4\n", "@@ -1,4 +1,2 @@\n 1\n-2\n-3\n 4\n"},
        {"x\ny\n", "y\n", "@@ -1,2 +1,1 @@\n-x\n y\n"},
        {"a\na\n", "a\n", "@@ -1,2 +1,1 @@\n a\n-a\n"},
        /* Files that come or go. */
        {NULL, "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"a\nb\n", NULL, "@@ -1,2 +0,0 @@\n-a\n-b\n"},
        {NULL, "", ""},
};

static Buffer as_buffer(const char *text) {
        return (Buffer) {.data = (char *) text, .size = strlen(strempty(text))};
}

static void test_unified(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Buffer old = as_buffer(cases[i].old), new = as_buffer(cases[i].new);
                _cleanup_buffer_ Buffer is = BUFFER_NULL;
                _cleanup_free_ char *expected = NULL;

                expected = xasprintf("--- %s\n+++ %s\n%s", cases[i].old ? "/x" : "/dev/null",
                                     cases[i].new ? "/x" : "/dev/null", cases[i].hunks);
                assert_int_equal(diff_unified(&is, "/x", cases[i].old ? &old : NULL, cases[i].new ? &new : NULL), 0);
                assert_string_equal(is.data, expected);
        }
}

/* It is appended, and bytes of any kind pass through. */
static void test_bytes(_unused_ void **state) {
        const Buffer old = {.data = (char *) "a\0b\xFF\n", .size = 5}, new = {.data = (char *) "a\0c\n", .size = 4};
        static const char expected[] = "before--- /x\n+++ /x\n@@ -1,1 +1,1 @@\n-a\0b\xFF\n+a\0c\n";
        _cleanup_buffer_ Buffer is = BUFFER_NULL;

        assert_int_equal(buffer_puts(&is, "before"), 0);
        assert_int_equal(diff_unified(&is, "/x", &old, &new), 0);
        assert_int_equal(is.size, sizeof(expected) - 1);
        assert_memory_equal(is.data, expected, is.size);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unified),
                cmocka_unit_test(test_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
