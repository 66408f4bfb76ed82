/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/json.h"

/* Bytes, and the line of pure ASCII that a JSON string of them becomes. */
static const struct {
        const char *text;
        const char *json;
} text_cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\xC3\xA9", "\"\\u00e9\""},
        {"\xE2\x82\xAC", "\"\\u20ac\""},
        {"\xEF\xBF\xBF", "\"\\uffff\""},
        {"\xF0\x9F\x98\x80", "\"\\ud83d\\ude00\""},
        {"\xF4\x8F\xBF\xBF", "\"\\udbff\\udfff\""},
        {"\xFF", "\"\\ufffd\""},
        {"\x80""a", "\"\\ufffda\""},
        {"\xC0\xAF", "\"\\ufffd\\ufffd\""},             /* overlong */
        {"\xE0\x80\xAF", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\""},   /* surrogate */
        {"\xF4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
        {"\xE2\x82", "\"\\ufffd\\ufffd\""},              /* truncated */
        {"\xE2\x82""a", "\"\\ufffd\\ufffda\""},
        {"ab\xC3\xA9\xFF""c\xFF\xFF""d\xC3\xA9", "\"ab\\u00e9\\ufffdc\\ufffd\\ufffdd\\u00e9\""},
};

static void test_text(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(text_cases); i++) {
                _cleanup_json_ json_object *o = json_text(text_cases[i].text);
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                assert_non_null(o);
                assert_int_equal(json_format(o, &b), 0);
                assert_string_equal(b.data, text_cases[i].json);
        }

        assert_null(json_text(NULL));
}

static void test_text_with_nul(_unused_ void **state) {
        _cleanup_json_ json_object *o = json_text_n("a\0b", 3);
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(json_format(o, &b), 0);
        assert_string_equal(b.data, "\"a\\u0000b\"");
}

static const struct {
        const char *text;
        int r;
} parse_cases[] = {
        {"{}", 0},
        {" [1, 2]\n", 0},
        {"null", 0},
        {"12", 0},
        {"12 ", 0},
        {"\"a\"", 0},
        {"18446744073709551615", 0},
        {"{\"a\": {\"b\": [true, false, null]}}", 0},
        {"", -EBADMSG},
        {" ", -EBADMSG},
        {"{", -EBADMSG},
        {"{} {}", -EBADMSG},
        {"{}x", -EBADMSG},
        {"[1,]", -EBADMSG},
        {"['a']", -EBADMSG},
        {"{a: 1}", -EBADMSG},
        {"NaN", -EBADMSG},
        {"[Infinity]", -EBADMSG},
        {"-Infinity", -EBADMSG},
        {"{'a': 1}", -EBADMSG},
        {"\"NaN \\\" 'Infinity'\"", 0},
        {"[\"\\\\\", NaN]", -EBADMSG},
        {"nul", -EBADMSG},
        {"/* comment */ {}", -EBADMSG},
        {"\"\xFF\"", -EBADMSG},
        {"\"a\tb\"", -EBADMSG},
        {"{\"a\x01\": 1}", -EBADMSG},
        {"99999999999999999999x", -EBADMSG},
        {"099999999999999999999", -EBADMSG},
        {"\"a", -EBADMSG},
};

static void test_parse(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(parse_cases); i++) {
                _cleanup_json_ json_object *o = NULL;
                int r = json_parse(parse_cases[i].text, strlen(parse_cases[i].text), &o);

                if (r != parse_cases[i].r)
                        fail_msg("%s: %d instead of %d", parse_cases[i].text, r, parse_cases[i].r);
        }
}

/* An integer of more than 64 bits is no integer, and never another one; what passes it on keeps its value. */
static void test_large_integers(_unused_ void **state) {
        static const struct {
                const char *text, *written;
                enum json_type type; /* of the value, or of the last element of an array */
        } cases[] = {
                {"9223372036854775807", "9223372036854775807", json_type_int},
                {"18446744073709551615", "18446744073709551615", json_type_int},
                {"18446744073709551616", "18446744073709551616e0", json_type_double},
                {"-9223372036854775808", "-9223372036854775808", json_type_int},
                {"-9223372036854775809", "-9223372036854775809e0", json_type_double},
                {"[99999999999999999999,-99999999999999999999,7]",
                 "[99999999999999999999e0,-99999999999999999999e0,7]", json_type_int},
                {"[1,\"\\\"99999999999999999999\",\"\\\\\",99999999999999999999 ]",
                 "[1,\"\\\"99999999999999999999\",\"\\\\\",99999999999999999999e0]", json_type_double},
                {"99999999999999999999.5", "99999999999999999999.5", json_type_double},
                {"0.99999999999999999999", "0.99999999999999999999", json_type_double},
                {"1E+99999999999999999999", "1E+99999999999999999999", json_type_double},
                {"{\"99999999999999999999\":true}", "{\"99999999999999999999\":true}", json_type_object},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_object *o = NULL;
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                json_object *last;

                assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &o), 0);
                last = json_object_is_type(o, json_type_array)
                        ? json_object_array_get_idx(o, json_object_array_length(o) - 1) : o;
                assert_int_equal(json_object_get_type(last), cases[i].type);
                assert_int_equal(json_format(o, &b), 0);
                assert_string_equal(b.data, cases[i].written);
        }
}

static void test_depth(_unused_ void **state) {
        for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
                _cleanup_json_ json_object *o = NULL;
                char text[2 * JSON_DEPTH_MAX + 4];

                memset(text, '[', depth);
                text[depth] = '1';
                memset(text + depth + 1, ']', depth);
                assert_int_equal(json_parse(text, 2 * depth + 1, &o), depth > JSON_DEPTH_MAX ? -EBADMSG : 0);
        }
}

static void test_members(_unused_ void **state) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        json_object *array = json_object_new_array();

        assert_int_equal(json_set_text(o, "text", "value"), 0);
        assert_int_equal(json_set_text(o, "null", NULL), 0);
        assert_int_equal(json_set(o, "array", array), 0);
        assert_int_equal(json_add(array, json_text("x")), 0);

        assert_string_equal(json_get_text(o, "text"), "value");
        assert_null(json_get_text(o, "null"));
        assert_null(json_get_text(o, "array"));
        assert_null(json_get_text(o, "absent"));
        assert_null(json_get_text(array, "text"));
        assert_ptr_equal(json_get_array(o, "array"), array);
        assert_null(json_get_array(o, "text"));
        assert_null(json_get_array(NULL, "text"));

        assert_int_equal(json_format(o, &b), 0);
        assert_string_equal(b.data, "{\"text\":\"value\",\"null\":null,\"array\":[\"x\"]}");
}

static void test_pretty(_unused_ void **state) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(json_parse("{\"path\":\"/a\",\"e\":\"\xC3\xA9\"}", 22, &o), 0);
        assert_int_equal(json_format_pretty(o, &b), 0);
        assert_string_equal(b.data, "{\n  \"path\": \"/a\",\n  \"e\": \"\\u00e9\"\n}\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_text_with_nul),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_large_integers),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_pretty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
