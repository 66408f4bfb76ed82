/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/text.h"

#define EXPECT(expected, ...)                                                   \
        do {                                                                    \
                _cleanup_buffer_ Buffer b_ = BUFFER_NULL;                       \
                assert_int_equal(text_printf(&b_, __VA_ARGS__), 0);             \
                assert_string_equal(strempty(b_.data), expected);               \
        } while (0)

static void test_names(_unused_ void **state) {
        EXPECT("", "%s", "");
        EXPECT("a: 7\n", "%s: %d\n", "a", 7);
        EXPECT("Gr\xc3\xbc\xc3\x9f""e \xe4\xb8\xad\xe6\x96\x87 c:\\x\n", "%s\n", "Gr\xc3\xbc\xc3\x9f""e \xe4\xb8\xad\xe6\x96\x87 c:\\x");
        EXPECT("\\x1b[31m\\x07\\x7f\n", "%s\n", "\x1b[31m\a\x7f");

        /* Newlines and tabs of a name are no newlines of the format. */
        EXPECT("a\\x0aforged: b\\x09\\x0d: gone\nnext\n", "%s: gone\nnext\n", "a\nforged: b\t\r");

        /* What the newlines become meanwhile may stand in the name, too. */
        EXPECT("\\x01\\x02\\x0a\\x03\n", "%s\n", "\1\2\n\3");
        EXPECT("\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x0a\\x0a", "%s\n", "\1\2\3\4\5\6\a\b\n");

        /* U+202E, U+2066, U+061C, U+200F, U+2028, U+FEFF, U+E0041, and a control in two bytes, U+009B. */
        EXPECT("\\xe2\\x80\\xae.\\xe2\\x81\\xa6.\\xd8\\x9c.\\xe2\\x80\\x8f.\\xe2\\x80\\xa8.\\xef\\xbb\\xbf.\\xf3\\xa0\\x81\\x81.\\xc2\\x9b", "%s",
               "\xe2\x80\xae.\xe2\x81\xa6.\xd8\x9c.\xe2\x80\x8f.\xe2\x80\xa8.\xef\xbb\xbf.\xf3\xa0\x81\x81.\xc2\x9b");

        /* No UTF-8, also because a precision has cut it. */
        EXPECT("\\xff\\x80\\xc3", "%s%.1s", "\xff\x80", "\xc3\xbc");
}

static void test_print(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        static const char text[] = "a\tb\n\0\xe2\x80\xae\x1b";

        assert_int_equal(text_print(&b, text, sizeof(text) - 1), 0);
        assert_string_equal(b.data, "a\tb\n\\x00\\xe2\\x80\\xae\\x1b");
}

static void test_state(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(text_add_state(&b, "active", 8, true), 0);
        assert_int_equal(text_add_state(&b, "active", 8, false), 0);
        assert_int_equal(text_add_state(&b, "\x1b[1m", 0, true), 0);
        assert_string_equal(b.data, "\x1b[32mactive  \x1b[0mactive  \\x1b[1m");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_state),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
