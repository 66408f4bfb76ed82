/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The scanner of JSON text: which byte is wrong, and why.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/json-scan.h"

#define WHOLE -1
#define UNFINISHED -2

/* Returns WHOLE, UNFINISHED, or the index of the byte that is wrong. */
static int scan_text(const char *text, unsigned depth_max, JsonScanError *ret_error, JsonScan *ret) {
        JsonScan scan = JSON_SCAN_INIT(depth_max);
        int r = 0;

        *ret_error = JSON_SCAN_OK;
        for (; text[r]; r++) {
                *ret_error = json_scan(&scan, text[r]);
                assert_true(scan.depth <= depth_max);
                if (*ret_error != JSON_SCAN_OK)
                        return r;
        }

        *ret = scan;
        return json_scan_end(&scan) ? WHOLE : UNFINISHED;
}

static const char *const whole_texts[] = {
        "{}",
        "[]",
        " \t\r\n{ } ",
        "{\"a\":1}",
        "{\"a\" : [1, -0, 0.5, 1e5, -1.5E-7, 10.01e+2, 1E0], \"\" : {\"b\":{}}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\"",
        "\"{[}],:\"",
        "\"\xC3\xA9\x80\x7F\"",
        "true",
        "false ",
        " null",
        "0",
        "-12",
        "[true,false,null,[[]],{}]",
        "123456789012345678901234567890",
};

static const char *const unfinished_texts[] = {
        "",
        " ",
        "[",
        "{",
        "[1",
        "[1,",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "\"a",
        "\"a\\\"",
        "\"\\u12",
        "tru",
        "-",
        "1.",
        "1e",
        "1e+",
};

static const struct {
        const char *text;
        int at;
        JsonScanError error;
} wrong_texts[] = {
        {"x",              0, JSON_SCAN_CHARACTER},
        {"'a'",            0, JSON_SCAN_CHARACTER},
        {"NaN",            0, JSON_SCAN_CHARACTER},
        {"[+1]",           1, JSON_SCAN_CHARACTER},
        {"[.5]",           1, JSON_SCAN_CHARACTER},
        {"[1] // x",       4, JSON_SCAN_CHARACTER},
        {"[\\",            1, JSON_SCAN_CHARACTER},
        {"[\x01]",         1, JSON_SCAN_CHARACTER},
        {"[\xC3\xA9]",     1, JSON_SCAN_CHARACTER},
        {"}",              0, JSON_SCAN_TOKEN},
        {",",              0, JSON_SCAN_TOKEN},
        {":",              0, JSON_SCAN_TOKEN},
        {"{}{",            2, JSON_SCAN_TOKEN},
        {"{},",            2, JSON_SCAN_TOKEN},
        {"1]",             1, JSON_SCAN_TOKEN},
        {"1 2 ",           3, JSON_SCAN_TOKEN},
        {"\"a\"\"b\"",     5, JSON_SCAN_TOKEN},
        {"[}",             1, JSON_SCAN_TOKEN},
        {"{]",             1, JSON_SCAN_TOKEN},
        {"[,1]",           1, JSON_SCAN_TOKEN},
        {"[1,]",           3, JSON_SCAN_TOKEN},
        {"[1,,2]",         3, JSON_SCAN_TOKEN},
        {"[1 2]",          4, JSON_SCAN_TOKEN},
        {"[1:2]",          2, JSON_SCAN_TOKEN},
        {"{\"a\",1}",      4, JSON_SCAN_TOKEN},
        {"{\"a\" 1}",      6, JSON_SCAN_TOKEN},
        {"{\"a\":1 \"b\"", 9, JSON_SCAN_TOKEN},
        {"{\"a\":1,}",     7, JSON_SCAN_TOKEN},
        {"{\"a\"}",        4, JSON_SCAN_TOKEN},
        {"{\"a\":}",       5, JSON_SCAN_TOKEN},
        {"{1:1}",          2, JSON_SCAN_TOKEN},
        {"{{",             1, JSON_SCAN_TOKEN},
        {"[1}",            2, JSON_SCAN_BRACKETS},
        {"{\"a\":1]",      6, JSON_SCAN_BRACKETS},
        {"[[[[[",          4, JSON_SCAN_DEPTH},
        {"[{\"a\":[{\"a\":{", 12, JSON_SCAN_DEPTH},
        {"[01]",           3, JSON_SCAN_WORD},
        {"[-01]",          4, JSON_SCAN_WORD},
        {"[-]",            2, JSON_SCAN_WORD},
        {"[1.]",           3, JSON_SCAN_WORD},
        {"[1.e1]",         5, JSON_SCAN_WORD},
        {"[1.5.5]",        6, JSON_SCAN_WORD},
        {"[1e]",           3, JSON_SCAN_WORD},
        {"[1e+]",          4, JSON_SCAN_WORD},
        {"[1e1.5]",        6, JSON_SCAN_WORD},
        {"[1e--1]",        6, JSON_SCAN_WORD},
        {"[1-1]",          4, JSON_SCAN_WORD},
        {"[nan]",          4, JSON_SCAN_WORD},
        {"[tru]",          4, JSON_SCAN_WORD},
        {"[truee]",        6, JSON_SCAN_WORD},
        {"[truefalse]",   10, JSON_SCAN_WORD},
        {"[0x10]",         2, JSON_SCAN_CHARACTER},
        {"\"\\x\"",        2, JSON_SCAN_ESCAPE},
        {"\"\\u12g4\"",    5, JSON_SCAN_ESCAPE},
        {"\"\\u12\"",      5, JSON_SCAN_ESCAPE},
        {"\"\t\"",         1, JSON_SCAN_CONTROL},
        {"\"\\\n\"",       2, JSON_SCAN_CONTROL},
        {"\"\\u1\x1b\"",   4, JSON_SCAN_CONTROL},
};

static void test_texts(_unused_ void **state) {
        JsonScanError error;
        JsonScan scan;

        for (size_t i = 0; i < ELEMENTSOF(whole_texts); i++) {
                print_message("    %s\n", whole_texts[i]);
                assert_int_equal(scan_text(whole_texts[i], 4, &error, &scan), WHOLE);
        }
        for (size_t i = 0; i < ELEMENTSOF(unfinished_texts); i++) {
                print_message("    %s\n", unfinished_texts[i]);
                assert_int_equal(scan_text(unfinished_texts[i], 4, &error, &scan), UNFINISHED);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong_texts); i++) {
                print_message("    %s\n", wrong_texts[i].text);
                assert_int_equal(scan_text(wrong_texts[i].text, 4, &error, &scan), wrong_texts[i].at);
                assert_int_equal(error, wrong_texts[i].error);
        }
}

/* NUL is no valid byte, although strchr() finds it in any set of characters. */
static void test_nul(_unused_ void **state) {
        static const char *const before[] = {"", "[", "[1", "[tru", "{\"a\"", "{}"};

        for (size_t i = 0; i < ELEMENTSOF(before); i++) {
                JsonScan scan = JSON_SCAN_INIT(4);

                for (const char *p = before[i]; *p; p++)
                        assert_int_equal(json_scan(&scan, *p), JSON_SCAN_OK);
                assert_int_not_equal(json_scan(&scan, 0), JSON_SCAN_OK);
        }
}

static void test_depth(_unused_ void **state) {
        JsonScan scan = JSON_SCAN_INIT(JSON_SCAN_DEPTH_LIMIT);

        for (unsigned i = 0; i < JSON_SCAN_DEPTH_LIMIT; i++) {
                assert_int_equal(json_scan(&scan, '['), JSON_SCAN_OK);
                assert_int_equal(scan.depth, i + 1);
        }
        for (unsigned i = 0; i < JSON_SCAN_DEPTH_LIMIT; i++)
                assert_int_equal(json_scan(&scan, ']'), JSON_SCAN_OK);
        assert_true(json_scan_end(&scan));
}

static void test_counts(_unused_ void **state) {
        static const struct {
                const char *text;
                size_t values, containers;
        } rows[] = {
                {"1",                          1, 0},
                {"[]",                         1, 1},
                {"[1,\"a\",true]",             4, 1},
                {"{\"a\":{\"b\":[1, 2]},\"c\":{}}",  9, 4},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonScanError error;
                JsonScan scan;

                assert_int_equal(scan_text(rows[i].text, 4, &error, &scan), WHOLE);
                assert_int_equal(scan.values, rows[i].values);
                assert_int_equal(scan.containers, rows[i].containers);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_counts),
        };

        return cmocka_run_group_tests_name("json-scan", tests, NULL, NULL);
}
