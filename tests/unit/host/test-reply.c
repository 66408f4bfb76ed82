/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/reply.h"
#include "host/report.h"

/* Feeds data in pieces of step bytes; lines are joined with '|'. */
static char *cut(const char *data, size_t size, size_t step, bool synced) {
        LineReader reader = {.synced = synced};
        Buffer all = BUFFER_NULL;
        int r = 0;

        assert_int_equal(buffer_puts(&all, ""), 0);
        for (size_t i = 0; i < size; i += step) {
                const char *p = data + i;
                size_t n = size - i < step ? size - i : step;

                while ((r = line_reader_next(&reader, &p, &n)) > 0) {
                        assert_int_equal(buffer_append(&all, reader.line.data, reader.line.size), 0);
                        assert_int_equal(buffer_puts(&all, "|"), 0);
                }
                assert_int_equal(r, 0);
                assert_int_equal(n, 0);
        }

        line_reader_done(&reader);
        return all.data;
}

static void test_lines(void **state _unused_) {
        static const struct {
                const char *data;
                bool synced;
                const char *lines;
        } cases[] = {
                {"",                               true,  ""},
                {"a\nb\n",                         true,  "a|b|"},
                {"a\n\n\nb",                       true,  "a|"},
                {"ab\xFF" "c\n",                   true,  "c|"},
                {"ab\xFF\n" "d\n",                 true,  "d|"},
                {"\xFF\xFF\xFF" "a\n",             true,  "a|"},
                {"a\nb\n",                         false, ""},
                {"a\xFF" "b\nc\n\xFF" "d\n",       false, "b|d|"},
                {"a\xFF" "b\xFF" "c\nd\n",         false, "c|"},
                {"\xFF\n" "a\n",                   false, ""},
                {"half\xFF" "half",                false, ""},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t step = 1; step < 9; step++) {
                        _cleanup_free_ char *lines = cut(cases[i].data, strlen(cases[i].data), step, cases[i].synced);

                        assert_string_equal(lines, cases[i].lines);
                }
}

static void test_line_limits(void **state _unused_) {
        _cleanup_free_ char *big = malloc(REPLY_LINE_MAX + 2);
        LineReader reader = {.synced = true};
        const char *p = big;
        size_t n = REPLY_LINE_MAX + 1;

        assert_non_null(big);
        memset(big, 'x', REPLY_LINE_MAX + 2);
        big[REPLY_LINE_MAX] = '\n';
        assert_int_equal(line_reader_next(&reader, &p, &n), 1);
        assert_int_equal(reader.line.size, REPLY_LINE_MAX);

        big[REPLY_LINE_MAX] = 'x';
        p = big;
        n = REPLY_LINE_MAX + 1;
        assert_int_equal(line_reader_next(&reader, &p, &n), -EMSGSIZE);
        line_reader_done(&reader);

        /* Before the sync a long line is no failure, and takes no memory. */
        big[0] = '\xFF';
        p = big;
        n = REPLY_LINE_MAX + 2;
        assert_int_equal(line_reader_next(&reader, &p, &n), 0);
        assert_true(reader.line.allocated <= 2 * REPLY_SYNC_MAX);
        line_reader_done(&reader);
}

static void test_check(void **state _unused_) {
        static const struct {
                const char *text;
                Cause cause;
        } cases[] = {
                {"{}",                                      CAUSE_NONE},
                {" {\"a\": [1, -0, 0.5, 1e5, -1.5E-7]}\r",  CAUSE_NONE},
                {"\"\\\"\\\\\"",                            CAUSE_NONE},
                {"[true, false, null]",                     CAUSE_NONE},
                {"123456789012345678901234567890",          CAUSE_NONE},
                {"[01]",                                    CAUSE_NOT_JSON},
                {"[1.]",                                    CAUSE_NOT_JSON},
                {"[.5]",                                    CAUSE_NOT_JSON},
                {"[+1]",                                    CAUSE_NOT_JSON},
                {"[-]",                                     CAUSE_NOT_JSON},
                {"[1e]",                                    CAUSE_NOT_JSON},
                {"[0x10]",                                  CAUSE_NOT_JSON},
                {"[NaN]",                                   CAUSE_NOT_JSON},
                {"[-Infinity]",                             CAUSE_NOT_JSON},
                {"[True]",                                  CAUSE_NOT_JSON},
                {"['a']",                                   CAUSE_NOT_JSON},
                {"[1] // x",                                CAUSE_NOT_JSON},
                {"\"\x1b\"",                                CAUSE_NOT_JSON},
                {"\"half",                                  CAUSE_NOT_JSON},
                {"\"half\\",                                CAUSE_NOT_JSON},
                {"[",                                       CAUSE_NOT_JSON},
                {"}",                                       CAUSE_NOT_JSON},
                {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",   CAUSE_NONE},
                {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", CAUSE_TOO_DEEP},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(reply_check(cases[i].text, strlen(cases[i].text)), cases[i].cause);

        assert_int_equal(reply_check("\"\0\"", 3), CAUSE_NOT_JSON);
}

static void test_check_counts(void **state _unused_) {
        Buffer b = BUFFER_NULL;

        assert_int_equal(buffer_puts(&b, "["), 0);
        for (unsigned i = 0; i < REPLY_CONTAINERS_MAX - 1; i++)
                assert_int_equal(buffer_puts(&b, i ? ",{}" : "{}"), 0);
        assert_int_equal(buffer_puts(&b, "]"), 0);
        assert_int_equal(reply_check(b.data, b.size), CAUSE_NONE);

        b.size--;
        assert_int_equal(buffer_puts(&b, ",{}]"), 0);
        assert_int_equal(reply_check(b.data, b.size), CAUSE_TOO_MANY_VALUES);
        buffer_done(&b);

        assert_int_equal(buffer_puts(&b, "[0"), 0);
        for (unsigned i = 0; i < REPLY_VALUES_MAX; i++)
                assert_int_equal(buffer_puts(&b, ",0"), 0);
        assert_int_equal(buffer_puts(&b, "]"), 0);
        assert_int_equal(reply_check(b.data, b.size), CAUSE_TOO_MANY_VALUES);
        buffer_done(&b);
}

static void test_parse(void **state _unused_) {
        static const struct {
                const char *text;
                int result;
                ReplyKind kind;
                bool has_id;
        } cases[] = {
                {"{\"return\": {}, \"id\": 7}",                      0, REPLY_RETURN, true},
                {"{\"return\": null, \"id\": 7}",                    0, REPLY_RETURN, true},
                {"{\"return\": 1}",                                  0, REPLY_RETURN, false},
                {"{\"return\": 1, \"id\": \"7\"}",                   0, REPLY_RETURN, false},
                {"{\"return\": 1, \"id\": 7.0}",                     0, REPLY_RETURN, false},
                {"{\"error\": {\"class\": \"C\"}, \"id\": 7}",       0, REPLY_ERROR,  true},
                {"{\"event\": \"E\", \"data\": {}}",                 0, REPLY_EVENT,  false},
                {"{\"event\": 5, \"id\": 7}",                        0, REPLY_OTHER,  true},
                {"{}",                                               0, REPLY_OTHER,  false},
                {"{\"error\": \"text\"}",          CAUSE_NOT_A_REPLY, REPLY_OTHER,  false},
                {"{\"error\": {}, \"return\": 1}", CAUSE_NOT_A_REPLY, REPLY_OTHER,  false},
                {"[]",                             CAUSE_NOT_A_REPLY, REPLY_OTHER,  false},
                {"null",                           CAUSE_NOT_A_REPLY, REPLY_OTHER,  false},
                {"{\"return\": 1",                    CAUSE_NOT_JSON, REPLY_OTHER,  false},
                {"{\"return\" 1}",                    CAUSE_NOT_JSON, REPLY_OTHER,  false},
                {"{\"return\": 1} {}",                CAUSE_NOT_JSON, REPLY_OTHER,  false},
                {"{\"return\": \"\xC3(\"}",           CAUSE_NOT_JSON, REPLY_OTHER,  false},
                {"",                                  CAUSE_NOT_JSON, REPLY_OTHER,  false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ Reply reply = {};

                assert_int_equal(reply_parse(cases[i].text, strlen(cases[i].text), &reply), cases[i].result);
                assert_int_equal(reply.kind, cases[i].kind);
                assert_int_equal(reply.has_id, cases[i].has_id);
                assert_int_equal(reply.id, cases[i].has_id ? 7 : 0);
        }
}

#define REPORT(practices) "{\"schema\": 1, \"practices\": [" practices "]}"
#define EMPTY(more) "{\"schema\": 1, \"practices\": [], " more "}"
#define PRACTICE(state, wanted) "{\"name\": \"p\", \"state\": \"" state "\", \"wanted\": " wanted "}"

static void test_report(void **state _unused_) {
        static const struct {
                const char *text;
                const char *where; /* NULL: it is a report, with that status */
                int status;
        } cases[] = {
                {REPORT(""),                                     NULL, STATUS_OK},
                {REPORT(PRACTICE("active", "\"on\"")),           NULL, STATUS_OK},
                {REPORT(PRACTICE("drifted", "\"on\"")),          NULL, STATUS_CHANGES},
                {REPORT(PRACTICE("pending-reboot", "\"off\"")),  NULL, STATUS_REBOOT},
                {REPORT(PRACTICE("conflict", "\"on\"")),         NULL, STATUS_UNMET},
                {REPORT(PRACTICE("conflict", "\"off\"")),        NULL, STATUS_OK},
                {REPORT(PRACTICE("conflict", "null")),           NULL, STATUS_OK},
                {REPORT("{\"name\": \"p\", \"state\": \"unknown\"}"), NULL, STATUS_OK},
                {REPORT(PRACTICE("differs", "\"on\"") "," PRACTICE("unknown", "\"on\"")), NULL, STATUS_UNMET},
                {EMPTY("\"policy\": {\"errors\": [{\"reason\": \"r\"}]}"), NULL, STATUS_ERROR},
                {"null",                                         "it is not an object", 0},
                {"{\"practices\": []}",                          "schema is missing", 0},
                {"{\"schema\": 1}",                              "practices is missing", 0},
                {"{\"schema\": 2, \"practices\": []}",           "schema has a value that is not known", 0},
                {REPORT("null"),                                 "practices[0] has the wrong type", 0},
                {REPORT(PRACTICE("good", "null")),           "practices[0].state has a value that is not known", 0},
                {REPORT(PRACTICE("active\\u0000", "null")),      "practices[0].state holds a NUL byte", 0},
                {REPORT(PRACTICE("active", "\"maybe\"")),    "practices[0].wanted has a value that is not known", 0},
                {REPORT(PRACTICE("active", "true")),             "practices[0].wanted has the wrong type", 0},
                {EMPTY("\"machine\": {\"os\": {\"id\": []}}"),  "machine.os.id has the wrong type", 0},
                {EMPTY("\"policy\": {\"files\": [1]}"),        "policy.files[0] has the wrong type", 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_object *o = NULL;
                _cleanup_free_ char *where = NULL;

                assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &o), 0);
                assert_int_equal(report_check(o, &where), cases[i].where ? CAUSE_BAD_REPORT : 0);
                if (cases[i].where)
                        assert_string_equal(where, cases[i].where);
                else
                        assert_int_equal(report_status(o), cases[i].status);
        }
}

static void test_status_order(void **state _unused_) {
        static const int order[] = {2, 1, 6, 5, 3, 4, 0};

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                for (size_t j = i; j < ELEMENTSOF(order); j++) {
                        assert_int_equal(status_worse(order[i], order[j]), order[i]);
                        assert_int_equal(status_worse(order[j], order[i]), order[i]);
                }
}

static void test_names(void **state _unused_) {
        for (Cause i = CAUSE_NONE + 1; i < _CAUSE_MAX; i++) {
                assert_non_null(cause_code(i));
                assert_int_not_equal(cause_outcome(i), OUTCOME_OK);
        }
        for (Outcome i = 0; i < _OUTCOME_MAX; i++)
                assert_non_null(outcome_name(i));
        assert_int_equal(cause_of_errno(EMFILE), CAUSE_LOCAL_ERROR);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_line_limits),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_counts),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_report),
                cmocka_unit_test(test_status_order),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
