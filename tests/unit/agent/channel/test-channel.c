/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The channel and its commands (README, "The channel"): bytes of the host in, lines out. Each row is one conversation.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/channel/commands.h"
#include "agent/channel/frame.h"
#include "agent/channel/reply.h"
#include "config.h"
#include "core/json.h"

#define PING "{\"execute\":\"guest-ping\"}"
#define PONG "{\"return\": {}}\n"
#define ERROR(desc) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
#define NO_OBJECT ERROR("QMP input must be a JSON object")
#define UNEXPECTED ERROR("JSON parse error, unexpected token")

/* ---- a host that is played, and an agent that answers it ---- */

typedef struct Stage {
        Channel channel;
        Agent agent;
        Buffer said;   /* all lines of the agent */
        Buffer later;  /* the request that is answered later */
        Buffer question; /* for gtune-tpm: verb, arguments, and whether the report is signed */
        bool busy;
        char *report, *changes;
        int failure;
        bool allowed, watching, applied;
        uint64_t now;
} Stage;

static int stage_report(void *userdata, Span *ret) {
        Stage *s = userdata;

        *ret = (Span) {.data = s->report, .size = strlen(s->report)};
        return s->failure;
}

static int stage_changes(void *userdata, Span *ret) {
        Stage *s = userdata;

        *ret = (Span) {.data = s->changes, .size = strlen(s->changes)};
        return s->failure;
}

static bool stage_allowed(void *userdata) {
        return ((Stage *) userdata)->allowed;
}

static void stage_apply(void *userdata) {
        ((Stage *) userdata)->applied = true;
}

static void stage_watch(void *userdata, bool on) {
        ((Stage *) userdata)->watching = on;
}

static int stage_tpm(void *userdata, const char *verb, Buffer *arguments, bool signs_report) {
        Stage *s = userdata;

        if (s->busy)
                return -EBUSY;

        s->busy = true;
        assert_return_code(buffer_printf(&s->question, "%s %s%s", verb, strempty(arguments->data),
                                         signs_report ? " and the report" : ""), 0);
        return 0;
}

static void stage_init(Stage *s) {
        *s = (Stage) {
                .channel = CHANNEL_NULL,
                .agent = {stage_report, stage_changes, stage_allowed, stage_apply, stage_watch, stage_tpm, s},
                .now = 1000,
        };
        s->report = strdup("{\"schema\": 1}");
        s->changes = strdup("{\"changes\":[{\"n\":0},{\"n\":1}],\"refusal\":null}");
}

static void stage_done(Stage *s) {
        channel_done(&s->channel);
        buffer_done(&s->said);
        buffer_done(&s->later);
        buffer_done(&s->question);
        free(s->report);
        free(s->changes);
}

static void stage_event(Stage *s, int event) {
        if (event == CHANNEL_REQUEST && command_answer(channel_text(&s->channel), &s->agent, &s->said) == COMMAND_LATER)
                assert_return_code(buffer_append(&s->later, channel_text(&s->channel).data,
                                                 channel_text(&s->channel).size), 0);
        if (event == CHANNEL_GARBAGE)
                assert_return_code(reply_error(&s->said, "GenericError", channel_error(&s->channel), SPAN_NULL), 0);
        if (event == CHANNEL_FLUSH)
                s->watching = false;
}

static void stage_hear(Stage *s, const char *data, size_t size) {
        while (size > 0) {
                size_t used;
                int event = channel_feed(&s->channel, data, size, s->now, &used);

                assert_true(event >= 0);
                stage_event(s, event);
                data += used;
                size -= used;
        }
}

static void stage_say(Stage *s, const char *text) {
        stage_hear(s, text, strlen(text));
}

static const char *stage_answer(const Stage *s) {
        return strempty(s->said.data);
}

/* ---- conversations ---- */

typedef struct Row {
        const char *name, *input, *output;
} Row;

static const Row framing[] = {
        {"no newline is needed", PING, PONG},
        {"a newline does not matter", PING "\n", PONG},
        {"two in one write", PING PING, PONG PONG},
        {"white space between requests", " \r\n\t" PING " \n\n" PING "\n", PONG PONG},
        {"a newline inside does not end it", "{\"execute\":\n\t\"guest-ping\"\r\n}", PONG},
        {"braces in a string", "{\"execute\":\"guest-ping\",\"id\":\"}{][\\\"}\"}", "{\"return\": {}, \"id\": \"}{][\\\"}\"}\n"},
        {"a half request says nothing", "{\"execute\":\"guest-ping\"", ""},
        {"only double quotes", "{'execute':'guest-ping'}\n" PING, ERROR("JSON parse error, unexpected character") PONG},
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

static const Row envelope[] = {
        {"a list is no object", "[1,{\"a\":2}]" PING, NO_OBJECT PONG},
        {"empty object", "{}", ERROR("QMP input lacks member 'execute'")},
        {"unknown member", "{\"execute\":\"guest-ping\",\"foo\":1}", ERROR("QMP input member 'foo' is unexpected")},
        {"unknown member with an id", "{\"id\":7,\"exec-oob\":\"guest-ping\"}",
         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input member 'exec-oob' is unexpected\"}, \"id\": 7}\n"},
        {"execute is no string", "{\"execute\":1}", ERROR("QMP input member 'execute' must be a string")},
        {"arguments are no object", "{\"execute\":\"guest-ping\",\"arguments\":[]}",
         ERROR("QMP input member 'arguments' must be an object")},
        {"unknown command", "{\"execute\":\"guest-exec\"}" PING,
         "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command guest-exec has not been found\"}}\n" PONG},
        {"duplicate member", "{\"execute\":\"guest-ping\",\"execute\":\"guest-ping\"}",
         ERROR("JSON parse error, duplicate key")},
        {"duplicate id", "{\"id\":1,\"id\":2,\"execute\":\"guest-ping\"}", ERROR("JSON parse error, duplicate key")},
        {"an escaped name", "{\"\\u0065xecute\":\"guest\\u002dping\"}", PONG},
        {"a name with NUL", "{\"execute\\u0000\":\"guest-ping\"}", ERROR("QMP input member '' is unexpected")},
        {"empty arguments", "{\"execute\":\"guest-ping\",\"arguments\":{}}", PONG},
        {"unexpected argument", "{\"execute\":\"guest-ping\",\"arguments\":{\"zz\":1}}", ERROR("Parameter 'zz' is unexpected")},
        {"missing argument", "{\"execute\":\"guest-sync\"}", ERROR("Parameter 'id' is missing")},
        {"wrong type", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"1\"}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"a float is no integer", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1.0}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"beyond 64 bits", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":9223372036854775808}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"a list is no integer", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":[1]}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"argument twice", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1,\"id\":2}}",
         ERROR("Parameter 'id' is unexpected")},
        {"a name is cut", "{\"execute\":\"guest-ping\",\"" "0123456789012345678901234567890123456789012345678901234567890123456789"
         "\":1}", ERROR("QMP input member '0123456789012345678901234567890123456789012345678901234567890123' is unexpected")},
};

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

static const Row commands_rows[] = {
        {"guest-sync", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":-9223372036854775808}}",
         "{\"return\": -9223372036854775808}\n"},
        {"guest-sync-delimited", "\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":12}}\n",
         "\xFF{\"return\": 12}\n"},
        {"guest-info",
         "{\"execute\":\"guest-info\"}",
         "{\"return\": {\"version\": \"" PACKAGE_VERSION "\", \"supported_commands\": ["
         "{\"name\": \"guest-sync\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"guest-sync-delimited\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"guest-ping\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"guest-info\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-status\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-plan\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-pcrs\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-eventlog\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-quote\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-watch\", \"enabled\": true, \"success-response\": true}, "
         "{\"name\": \"gtune-apply\", \"enabled\": false, \"success-response\": true}]}}\n"},
        {"gtune-status", "{\"execute\":\"gtune-status\",\"id\":1}", "{\"return\": {\"schema\": 1}, \"id\": 1}\n"},
        {"gtune-plan", "{\"execute\":\"gtune-plan\"}",
         "{\"return\": {\"refusal\": null, \"changes\": [{\"n\":0}, {\"n\":1}], \"offset\": 0, \"total\": 2, \"next\": null}}\n"},
        {"gtune-plan from 1", "{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":1}}",
         "{\"return\": {\"refusal\": null, \"changes\": [{\"n\":1}], \"offset\": 1, \"total\": 2, \"next\": null}}\n"},
        {"gtune-plan at the end", "{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":2}}",
         "{\"return\": {\"refusal\": null, \"changes\": [], \"offset\": 2, \"total\": 2, \"next\": null}}\n"},
        {"gtune-plan beyond the end", "{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":3}}",
         ERROR("Parameter 'offset' is beyond the end of the list")},
        {"gtune-plan before the beginning", "{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":-1}}",
         ERROR("Parameter 'offset' is beyond the end of the list")},
};

static void check_rows(const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                Stage whole, bytes;

                print_message("    %s\n", rows[i].name);
                stage_init(&whole);
                stage_say(&whole, rows[i].input);
                assert_string_equal(stage_answer(&whole), rows[i].output);

                /* However the bytes are cut, the answers are the same. */
                stage_init(&bytes);
                for (const char *p = rows[i].input; *p; p++)
                        stage_hear(&bytes, p, 1);
                assert_string_equal(stage_answer(&bytes), rows[i].output);

                stage_done(&whole);
                stage_done(&bytes);
        }
}

static void test_framing(_unused_ void **state) {
        check_rows(framing, ELEMENTSOF(framing));
}

static void test_envelope(_unused_ void **state) {
        check_rows(envelope, ELEMENTSOF(envelope));
}

static void test_ids(_unused_ void **state) {
        check_rows(ids, ELEMENTSOF(ids));
}

static void test_commands(_unused_ void **state) {
        check_rows(commands_rows, ELEMENTSOF(commands_rows));
}

/* ---- limits ---- */

static void say_repeated(Stage *s, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                stage_say(s, text);
}

static void test_size_limit(_unused_ void **state) {
        static const size_t frame = sizeof("{\"execute\":\"guest-ping\",\"id\":\"\"}") - 1;

        for (size_t over = 0; over < 2; over++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, "{\"execute\":\"guest-ping\",\"id\":\"");
                say_repeated(&s, "x", CHANNEL_REQUEST_MAX - frame + over);
                stage_say(&s, "\"}\n" PING);

                if (over)
                        assert_string_equal(stage_answer(&s), ERROR("JSON token size limit exceeded") PONG);
                else
                        assert_int_equal(s.said.size, strlen("{\"return\": {}, \"id\": \"\"}\n" PONG) +
                                                      CHANNEL_REQUEST_MAX - frame);
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
        assert_true(s.channel.text.allocated <= 1024);
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

static void test_reply_limit(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        free(s.report);
        s.report = calloc(1, CHANNEL_REPLY_MAX + 1);
        memset(s.report, ' ', CHANNEL_REPLY_MAX);
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
        assert_true(s.said.size > 3 * 65000 && s.said.size <= CHANNEL_REPLY_MAX);
        stage_done(&s);
}

static void make_changes(Stage *s, size_t n) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (size_t i = 0; i < n; i++)
                assert_return_code(buffer_printf(&b, "%s{\"n\":%zu,\"path\":\"/boot/efi/EFI/\xC3\xA9/%0100d\"}",
                                                 i == 0 ? "{\"changes\":[" : ",", i, 0), 0);
        assert_return_code(buffer_puts(&b, "]}"), 0);
        free(s->changes);
        s->changes = strdup(b.data);
}

/* Every change comes exactly once, whatever the pages are. */
static void test_pages(_unused_ void **state) {
        size_t seen = 0, pages = 0, next = 0;
        Stage s;

        stage_init(&s);
        make_changes(&s, 5000);
        for (bool more = true; more; pages++) {
                _cleanup_json_ json_object *answer = NULL;
                json_object *o, *list;
                char request[128];

                buffer_done(&s.said);
                (void) snprintf(request, sizeof(request),
                                "{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":%zu},\"id\":\"\xC3\xA9\"}", next);
                stage_say(&s, request);
                assert_true(s.said.size <= CHANNEL_REPLY_MAX);
                assert_return_code(json_parse(s.said.data, s.said.size, &answer), 0);
                assert_true(json_object_object_get_ex(answer, "return", &o));
                list = json_get_array(o, "changes");
                for (size_t i = 0; i < json_object_array_length(list); i++, seen++) {
                        json_object *n;

                        assert_true(json_object_object_get_ex(json_object_array_get_idx(list, i), "n", &n));
                        assert_int_equal(json_object_get_int64(n), seen);
                }
                assert_true(json_object_object_get_ex(o, "next", &o) || true);
                more = o != NULL;
                next = more ? (size_t) json_object_get_int64(o) : 0;
        }

        assert_int_equal(seen, 5000);
        assert_true(pages > 2);
        stage_done(&s);
}

/* ---- what happens over time ---- */

static void test_half_request_expires(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        assert_false(channel_half(&s.channel));
        stage_say(&s, "{\"execute\":");
        assert_true(channel_half(&s.channel));
        assert_int_equal(s.channel.deadline, s.now + CHANNEL_HALF_USEC);

        s.now += CHANNEL_HALF_USEC - 1;
        channel_expire(&s.channel, s.now);
        stage_say(&s, "\"guest-ping\"");
        assert_true(channel_half(&s.channel)); /* the time counts from the first byte */

        s.now += 1;
        channel_expire(&s.channel, s.now);
        assert_false(channel_half(&s.channel));
        stage_say(&s, PING);
        assert_string_equal(stage_answer(&s), PONG);
        assert_int_equal(s.channel.deadline, UINT64_MAX);
        stage_done(&s);
}

static void test_disconnect(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"guest");
        channel_reset(&s.channel);
        stage_say(&s, PING "garbage");
        channel_reset(&s.channel);
        stage_say(&s, PING);
        assert_string_equal(stage_answer(&s), PONG NO_OBJECT PONG);
        stage_done(&s);
}

static void test_garbage_does_not_expire(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "x");
        channel_expire(&s.channel, UINT64_MAX);
        stage_say(&s, PING "\n" PING);
        assert_string_equal(stage_answer(&s), NO_OBJECT PONG);
        stage_done(&s);
}

static void test_watch_ends(_unused_ void **state) {
        static const char *const ends[] = {
                "\xFF",
                "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}",
                "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":1}}",
        };
        static const char *const others[] = {PING, "garbage\n", "{\"execute\":\"guest-sync\"}"};

        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, "{\"execute\":\"gtune-watch\",\"id\":9}");
                assert_string_equal(stage_answer(&s), "{\"return\": {\"schema\": 1}, \"id\": 9}\n");
                assert_true(s.watching);
                for (size_t j = 0; j < ELEMENTSOF(others); j++)
                        stage_say(&s, others[j]);
                assert_true(s.watching);
                stage_say(&s, ends[i]);
                assert_false(s.watching);
                stage_done(&s);
        }
}

static void test_apply(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        s.allowed = true;
        stage_say(&s, "{\"execute\":\"guest-info\"}");
        assert_non_null(strstr(stage_answer(&s), "{\"name\": \"gtune-apply\", \"enabled\": true"));
        buffer_done(&s.said);

        stage_say(&s, "{\"execute\":\"gtune-apply\",\"id\":\"a\"}");
        assert_true(s.applied);
        assert_string_equal(stage_answer(&s), "");
        assert_return_code(command_later(SPAN_BUFFER(s.later), NULL, "{\"started\": true}", &s.said), 0);
        assert_return_code(command_later(SPAN_BUFFER(s.later), "GenericError", "too \"often\"\n", &s.said), 0);
        assert_string_equal(stage_answer(&s),
                            "{\"return\": {\"started\": true}, \"id\": \"a\"}\n"
                            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"too \\\"often\\\"\\n\"}, \"id\": \"a\"}\n");
        stage_done(&s);
}

static void test_failure(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        s.failure = -ENOMEM;
        stage_say(&s, "{\"execute\":\"gtune-status\"}{\"execute\":\"gtune-plan\"}");
        assert_string_equal(stage_answer(&s),
                            ERROR("There is no report: Cannot allocate memory")
                            ERROR("There is no plan: Cannot allocate memory"));
        stage_done(&s);
}

/* ---- questions to the TPM ---- */

static const struct {
        const char *request, *question, *answer;
} tpm_rows[] = {
        {"{\"execute\":\"gtune-pcrs\"}", "pcrs ", ""},
        {"{\"execute\":\"gtune-pcrs\",\"arguments\":{\"bank\":\"sha256\"}}", "pcrs \"bank\": \"sha256\"", ""},
        {"{\"execute\":\"gtune-eventlog\",\"arguments\":{\"offset\":7}}", "eventlog \"offset\": 7", ""},
        {"{\"execute\":\"gtune-quote\",\"arguments\":{\"selection\":\"0-7,14\",\"nonce\":\"00ff\",\"bank\":\"sha1\"}}",
         "quote \"nonce\": \"00ff\", \"bank\": \"sha1\", \"selection\": \"0-7,14\" and the report", ""},
        {"{\"execute\":\"gtune-quote\"}", "", ERROR("Parameter 'nonce' is missing")},
        {"{\"execute\":\"gtune-pcrs\",\"arguments\":{\"bank\":\"a\\\"b\"}}", "",
         ERROR("Invalid parameter type for 'bank', expected: string of at most 128 letters, digits and \\\",-_\\\"")},
        {"{\"execute\":\"gtune-pcrs\",\"arguments\":{\"bank\":1}}", "",
         ERROR("Invalid parameter type for 'bank', expected: string of at most 128 letters, digits and \\\",-_\\\"")},
        {"{\"execute\":\"gtune-pcrs\",\"arguments\":{\"nonce\":\"00\"}}", "",
         ERROR("Parameter 'nonce' is unexpected")},
};

static void test_tpm(void **state) {
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(tpm_rows); i++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, tpm_rows[i].request);
                assert_string_equal(strempty(s.question.data), tpm_rows[i].question);
                assert_string_equal(stage_answer(&s), tpm_rows[i].answer);
                stage_done(&s);
        }
}

/* Others are answered meanwhile, but not a second one to the TPM. */
static void test_tpm_busy(void **state) {
        Stage s;

        (void) state;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"gtune-pcrs\"}" PING "{\"execute\":\"gtune-pcrs\",\"id\":1}");
        assert_string_equal(stage_answer(&s), PONG "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                                                   "\"Another question to the TPM is still being answered\"}, \"id\": 1}\n");
        stage_done(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tpm),
                cmocka_unit_test(test_tpm_busy),
                cmocka_unit_test(test_framing),
                cmocka_unit_test(test_envelope),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_size_limit),
                cmocka_unit_test(test_depth_limit),
                cmocka_unit_test(test_megabyte_of_garbage),
                cmocka_unit_test(test_every_single_byte),
                cmocka_unit_test(test_reply_limit),
                cmocka_unit_test(test_large_id),
                cmocka_unit_test(test_pages),
                cmocka_unit_test(test_half_request_expires),
                cmocka_unit_test(test_disconnect),
                cmocka_unit_test(test_garbage_does_not_expire),
                cmocka_unit_test(test_watch_ends),
                cmocka_unit_test(test_apply),
                cmocka_unit_test(test_failure),
        };

        return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
