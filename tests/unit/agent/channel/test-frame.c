/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where requests begin and end, and what is no request at all.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/channel/stage.h"

#define UNEXPECTED ERROR("JSON parse error, unexpected token")

static const Row framing[] = {
        {"no newline is needed", PING, PONG},
        {"a newline does not matter", PING "\n", PONG},
        {"two in one write", PING PING, PONG PONG},
        {"white space between requests", " \r\n\t" PING " \n\n" PING "\n", PONG PONG},
        {"a newline inside does not end it", "{\"execute\":\n\t\"guest-ping\"\r\n}", PONG},
        {"braces in a string", "{\"execute\":\"guest-ping\",\"id\":\"}{][\\\"}\"}", "{\"return\": {}, \"id\": \"}{][\\\"}\"}\n"},
        {"a half request says nothing", "{\"execute\":\"guest-ping\"", ""},
        {"single quotes", "{'execute':'guest-ping'}\n" PING, PONG PONG},
        {"both quotes", "{'execute':\"guest-ping\",\"id\":'x'}", "{\"return\": {}, \"id\": \"x\"}\n"},
        {"an id is echoed as JSON", "{'execute':'guest-ping','id':{'a \"b\" c':['\\'d\\'','\\\"e\\\\']}}",
         "{\"return\": {}, \"id\": {\"a \\\"b\\\" c\":[\"'d'\",\"\\\"e\\\\\"]}}\n"},
        {"a single quote in double quotes", "{\"execute\":\"guest-ping\",\"id\":\"it's\\'\"}",
         "{\"return\": {}, \"id\": \"it's'\"}\n"},
        {"the other quote does not end a string", "{'execute':'guest-ping\"}\n" PING,
         ERROR("JSON parse error, control character in string") PONG},
        {"braces in a string in single quotes", "{'execute':'guest-ping','id':'}\"{'}",
         "{\"return\": {}, \"id\": \"}\\\"{\"}\n"},
        {"a duplicate in other quotes", "{'execute':'guest-ping',\"execute\":'guest-ping'}\n",
         ERROR("JSON parse error, duplicate key")},
        {"single quotes outside of a string", "{\"id\":1'x'}\n", UNEXPECTED},
        {"garbage is one error", "one two ]]] three {} \"\n" PING, NO_OBJECT PONG},
        {"garbage ends at 0xFF", "}}}" PING "\xFF" PING, NO_OBJECT PONG},
        {"garbage without an end swallows", "xyz" PING PING, NO_OBJECT},
        {"each run of garbage is answered", "a\nb\n\xFF" "c\n", NO_OBJECT NO_OBJECT NO_OBJECT},
        {"garbage inside is seen at once", "{\"execute\": x", ERROR("JSON parse error, unexpected character")},
        {"a newline in a string ends it", "{\"execute\":\"gue\n" PING,
         ERROR("JSON parse error, control character in string") PONG},
        {"a tab in a string", "{\"execute\":\"a\tb\"}\n", ERROR("JSON parse error, control character in string")},
        {"backslash outside a string", "{\"id\":\\", ERROR("JSON parse error, unexpected character")},
        {"0xFF drops a half request", "{\"execute\":\"guest-ping\",\xFF" PING, PONG},
        {"0xFF in a string", "{\"execute\":\"guest-pi\xFF" PING, PONG},
        {"0xFF after a backslash", "{\"execute\":\"guest-pi\\\xFF" PING, PONG},
        {"many 0xFF say nothing", "\xFF\xFF\xFF", ""},
        {"0xFF in discarded input", "zzz\xFF\xFF" PING, NO_OBJECT PONG},
        {"wrong bracket", "{\"id\":[}\n", UNEXPECTED},
        {"crossed brackets", "{\"id\":[1}\n", ERROR("JSON parse error, unbalanced brackets")},
        {"missing colon", "{\"id\" 1}\n", UNEXPECTED},
        {"missing comma", "{\"id\":1 \"x\":1}\n", UNEXPECTED},
        {"trailing comma", "{\"id\":1,}\n", UNEXPECTED},
        {"trailing comma in a list", "{\"id\":[1,]}\n", UNEXPECTED},
        {"key is no string", "{1:1}\n", UNEXPECTED},
        {"another request where a key should be", "{\"arguments\":{" PING "\n" PING, UNEXPECTED PONG},
        {"bad escape", "{\"id\":\"\\x\"}\n", ERROR("JSON parse error, invalid escape in string")},
        {"bad \\u", "{\"id\":\"\\u12g4\"}\n", ERROR("JSON parse error, invalid escape in string")},
        {"quote in \\u", "{\"id\":\"\\u12\"}\n", ERROR("JSON parse error, invalid escape in string")},
        {"no UTF-8", "{\"id\":\"\x80\"}\n", ERROR("JSON parse error, invalid UTF-8 sequence in string")},
        {"overlong UTF-8", "{\"id\":\"\xC0\xAF\"}\n", ERROR("JSON parse error, invalid UTF-8 sequence in string")},
        {"0xFE", "{\"id\":\"\xFE\"}\n", ERROR("JSON parse error, invalid UTF-8 sequence in string")},
        {"NaN", "{\"id\":NaN}\n", ERROR("JSON parse error, unexpected character")},
        {"nan", "{\"id\":nan}\n", ERROR("JSON parse error, invalid keyword or number")},
        {"True", "{\"id\":True}\n", ERROR("JSON parse error, unexpected character")},
        {"comment", "{/**/}\n", ERROR("JSON parse error, unexpected character")},
        {"leading zero", "{\"id\":01}\n", ERROR("JSON parse error, invalid keyword or number")},
        {"lonely minus", "{\"id\":-}\n", ERROR("JSON parse error, invalid keyword or number")},
        {"lonely dot", "{\"id\":1.}\n", ERROR("JSON parse error, invalid keyword or number")},
        {"lonely exponent", "{\"id\":1e}\n", ERROR("JSON parse error, invalid keyword or number")},
        {"plus", "{\"id\":+1}\n", ERROR("JSON parse error, unexpected character")},
};

static void test_framing(_unused_ void **state) {
        check_rows(framing, ELEMENTSOF(framing));
}

static void test_size_limit(_unused_ void **state) {
        static const size_t frame = sizeof("{\"execute\":\"guest-ping\",\"id\":\"\"}") - 1;

        for (size_t over = 0; over < 2; over++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, "{\"execute\":\"guest-ping\",\"id\":\"");
                say_repeated(&s, "x", FRAME_SIZE_MAX - frame + over);
                stage_say(&s, "\"}\n" PING);

                if (over)
                        assert_string_equal(stage_answer(&s), ERROR("JSON token size limit exceeded") PONG);
                else
                        assert_int_equal(s.said.size, strlen("{\"return\": {}, \"id\": \"\"}\n" PONG) +
                                                      FRAME_SIZE_MAX - frame);
                stage_done(&s);
        }
}

/* A double quote in single quotes needs an escape as JSON, so it counts twice. */
static void test_size_limit_of_escapes(_unused_ void **state) {
        static const size_t frame = sizeof("{'execute':'guest-ping','id':''}") - 1;

        for (size_t over = 0; over < 2; over++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, "{'execute':'guest-ping','id':'");
                say_repeated(&s, "\"", (FRAME_SIZE_MAX - frame) / 2 + over);
                stage_say(&s, "'}\n" PING);

                if (over)
                        assert_string_equal(stage_answer(&s), ERROR("JSON token size limit exceeded") PONG);
                else
                        assert_int_equal(s.said.size, strlen("{\"return\": {}, \"id\": \"\"}\n" PONG) +
                                                              (FRAME_SIZE_MAX - frame) / 2 * 2);
                stage_done(&s);
        }
}

static void test_depth_limit(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"guest-ping\",\"id\":");
        say_repeated(&s, "[", 31);
        say_repeated(&s, "]", 31);
        stage_say(&s, "}");
        assert_non_null(strstr(stage_answer(&s), "{\"return\": {}, \"id\": [[[["));
        stage_done(&s);

        stage_init(&s);
        say_repeated(&s, "[", 10000);
        say_repeated(&s, "]", 10000);
        stage_say(&s, "\n" PING);
        assert_string_equal(stage_answer(&s), ERROR("JSON nesting depth limit exceeded") PONG);
        stage_done(&s);
}

static void test_megabyte_of_garbage(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        say_repeated(&s, "{\"a\x01}]garbage", 80000);
        assert_string_equal(stage_answer(&s), ERROR("JSON parse error, control character in string"));
        assert_true(s.reader.text.allocated <= 1024);
        stage_done(&s);
}

static void test_every_single_byte(_unused_ void **state) {
        for (int c = 0; c < 256; c++) {
                const char ch = (char) c;
                Stage s;

                stage_init(&s);
                stage_hear(&s, &ch, 1);
                stage_say(&s, "\xFF" PING);
                assert_non_null(strstr(stage_answer(&s), PONG));
                assert_true(s.said.size == strlen(PONG) || s.said.size == strlen(NO_OBJECT PONG));
                stage_done(&s);
        }
}

static void test_half_request_expires(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        assert_false(frame_reader_half(&s.reader));
        stage_say(&s, "{\"execute\":");
        assert_true(frame_reader_half(&s.reader));
        assert_int_equal(s.reader.deadline, s.now + FRAME_HALF_USEC);

        s.now += FRAME_HALF_USEC - 1;
        frame_reader_expire(&s.reader, s.now);
        stage_say(&s, "\"guest-ping\"");
        assert_true(frame_reader_half(&s.reader)); /* the time counts from the first byte */

        s.now += 1;
        frame_reader_expire(&s.reader, s.now);
        assert_false(frame_reader_half(&s.reader));
        stage_say(&s, PING);
        assert_string_equal(stage_answer(&s), PONG);
        assert_int_equal(s.reader.deadline, UINT64_MAX);
        stage_done(&s);
}

static void test_disconnect(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"guest");
        frame_reader_reset(&s.reader);
        stage_say(&s, PING "garbage");
        frame_reader_reset(&s.reader);
        stage_say(&s, PING);
        assert_string_equal(stage_answer(&s), PONG NO_OBJECT PONG);
        stage_done(&s);
}

static void test_garbage_does_not_expire(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "x");
        frame_reader_expire(&s.reader, UINT64_MAX);
        stage_say(&s, PING "\n" PING);
        assert_string_equal(stage_answer(&s), NO_OBJECT PONG);
        stage_done(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_framing),
                cmocka_unit_test(test_size_limit),
                cmocka_unit_test(test_size_limit_of_escapes),
                cmocka_unit_test(test_depth_limit),
                cmocka_unit_test(test_megabyte_of_garbage),
                cmocka_unit_test(test_every_single_byte),
                cmocka_unit_test(test_half_request_expires),
                cmocka_unit_test(test_disconnect),
                cmocka_unit_test(test_garbage_does_not_expire),
        };

        return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
