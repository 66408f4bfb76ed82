/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Replies: the id of the request, and how long they may be.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/channel/stage.h"

static const Row ids[] = {
        {"2^70", "{\"execute\":\"guest-ping\",\"id\":1180591620717411303424}",
         "{\"return\": {}, \"id\": 1180591620717411303424}\n"},
        {"1e300", "{\"execute\":\"guest-ping\",\"id\":1e300}", "{\"return\": {}, \"id\": 1e300}\n"},
        {"-0.10E+02", "{\"execute\":\"guest-ping\",\"id\":-0.10E+02}", "{\"return\": {}, \"id\": -0.10E+02}\n"},
        {"null", "{\"execute\":\"guest-ping\",\"id\":null}", "{\"return\": {}, \"id\": null}\n"},
        {"true, first", "{\"id\":true,\"execute\":\"guest-ping\"}", "{\"return\": {}, \"id\": true}\n"},
        {"object", "{\"execute\":\"guest-ping\",\"id\":{\"a\": [1, {\"b\":\"}\"}]} }",
         "{\"return\": {}, \"id\": {\"a\": [1, {\"b\":\"}\"}]}}\n"},
        {"white space between its tokens", "{\"execute\":\"guest-ping\",\"id\":[1,\r\n\t2]}",
         "{\"return\": {}, \"id\": [1,   2]}\n"},
        {"escapes stay", "{\"execute\":\"guest-ping\",\"id\":\"\\u0000\\ud800\\/\\n\"}",
         "{\"return\": {}, \"id\": \"\\u0000\\ud800\\/\\n\"}\n"},
        {"UTF-8 becomes ASCII", "{\"execute\":\"guest-ping\",\"id\":\"\xC3\xA9\xF0\x9F\x98\x80\"}",
         "{\"return\": {}, \"id\": \"\\u00e9\\ud83d\\ude00\"}\n"},
        {"on an error too", "{\"execute\":\"x\",\"id\":\"q\"}",
         "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command x has not been found\"}, \"id\": \"q\"}\n"},
};

static void test_ids(_unused_ void **state) {
        check_rows(ids, ELEMENTSOF(ids));
}

static void test_reply_limit(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        free(s.report);
        s.report = calloc(1, REPLY_SIZE_MAX + 1);
        memset(s.report, ' ', REPLY_SIZE_MAX);
        stage_say(&s, "{\"execute\":\"gtune-status\",\"id\":3}");
        assert_string_equal(stage_answer(&s),
                            "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                            "\"The reply would be longer than 256 KiB\"}, \"id\": 3}\n");
        stage_done(&s);
}

/* The largest id that a request can hold, and of the kind that grows most. */
static void test_large_id(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"guest-ping\",\"id\":\"");
        say_repeated(&s, "\xC3\xA9", 32700);
        stage_say(&s, "\"}");
        assert_true(s.said.size > 3 * 65000 && s.said.size <= REPLY_SIZE_MAX);
        stage_done(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_reply_limit),
                cmocka_unit_test(test_large_id),
        };

        return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
