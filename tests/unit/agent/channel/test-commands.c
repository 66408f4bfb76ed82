/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands that the host may use, and what each is answered.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config.h"
#include "core/json.h"
#include "tests/unit/agent/channel/stage.h"

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

static void test_commands(_unused_ void **state) {
        check_rows(commands_rows, ELEMENTSOF(commands_rows));
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
                assert_true(s.said.size <= REPLY_SIZE_MAX);
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

static void test_left_out(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        free(s.changes);
        s.changes = strdup("{\"changes\":[],\"refusal\":null,\"left_out\":[{\"practice\":\"p\",\"reason\":\"r\"}]}");
        stage_say(&s, "{\"execute\":\"gtune-plan\"}");
        assert_string_equal(s.said.data, "{\"return\": {\"refusal\": null, \"left_out\": [{\"practice\":\"p\","
                                         "\"reason\":\"r\"}], \"changes\": [], \"offset\": 0, \"total\": 0, "
                                         "\"next\": null}}\n");
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
        assert_return_code(command_finish(SPAN_BUFFER(s.pending_id), NULL, "{\"started\": true}", &s.said), 0);
        assert_return_code(command_finish(SPAN_BUFFER(s.pending_id), "GenericError", "too \"often\"\n", &s.said), 0);
        assert_string_equal(stage_answer(&s),
                            "{\"return\": {\"started\": true}, \"id\": \"a\"}\n"
                            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"too \\\"often\\\"\\n\"}, \"id\": \"a\"}\n");
        stage_done(&s);
}

static void test_apply_without_id(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        s.allowed = true;
        stage_say(&s, "{\"execute\":\"gtune-apply\"}");
        assert_return_code(command_finish(SPAN_BUFFER(s.pending_id), NULL, "{\"started\": true}", &s.said), 0);
        assert_return_code(command_finish(SPAN_BUFFER(s.pending_id), "GenericError", "no", &s.said), 0);
        assert_string_equal(stage_answer(&s), "{\"return\": {\"started\": true}}\n" ERROR("no"));
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

static void test_tpm(_unused_ void **state) {
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
static void test_tpm_busy(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"gtune-pcrs\"}" PING "{\"execute\":\"gtune-pcrs\",\"id\":1}");
        assert_string_equal(stage_answer(&s), PONG "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                                                   "\"Another question to the TPM is still being answered\"}, \"id\": 1}\n");
        stage_done(&s);
}

#define QUOTE "{\"execute\":\"gtune-quote\",\"arguments\":{\"selection\":\"0\",\"nonce\":\"00ff\",\"bank\":\"sha1\"}}"

static const struct {
        const char *request;
        int outcome; /* when there is a report */
        const char *answer, *question;
        bool watches;
} later_rows[] = {
        {"{\"execute\":\"gtune-status\",\"id\":1}", COMMAND_ANSWERED, "{\"return\": {\"schema\": 1}, \"id\": 1}\n", "",
         false},
        {"{\"execute\":\"gtune-watch\",\"id\":2}", COMMAND_ANSWERED, "{\"return\": {\"schema\": 1}, \"id\": 2}\n", "",
         true},
        {"{\"execute\":\"gtune-plan\",\"arguments\":{\"offset\":2},\"id\":3}", COMMAND_ANSWERED,
         "{\"return\": {\"refusal\": null, \"changes\": [], \"offset\": 2, \"total\": 2, \"next\": null}, \"id\": 3}\n",
         "", false},
        {QUOTE, COMMAND_BACKGROUND, "", "quote \"nonce\": \"00ff\", \"bank\": \"sha1\", \"selection\": \"0\" and the report",
         false},
};

/* The report is being made: nothing is said or begun, as often as the request is tried, until there is one. */
static void test_later(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(later_rows); i++) {
                Stage s;

                stage_init(&s);
                stage_say(&s, PING);
                s.failure = -EAGAIN;
                stage_say(&s, later_rows[i].request);
                for (unsigned again = 0; again < 3; again++) {
                        assert_int_equal(s.outcome, COMMAND_LATER);
                        assert_string_equal(stage_answer(&s), PONG);
                        assert_string_equal(strempty(s.question.data), "");
                        assert_false(s.watching || s.busy);
                        stage_request(&s);
                }

                s.failure = 0;
                buffer_done(&s.said);
                stage_request(&s);
                assert_int_equal(s.outcome, later_rows[i].outcome);
                assert_string_equal(stage_answer(&s), later_rows[i].answer);
                assert_string_equal(strempty(s.question.data), later_rows[i].question);
                assert_int_equal(s.watching, later_rows[i].watches);
                stage_done(&s);
        }
}

/* What needs no report, or has errors, is answered at once. */
static void test_not_later(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        s.failure = -EAGAIN;
        stage_say(&s, PING "{\"execute\":\"guest-info\"}");
        assert_int_equal(s.outcome, COMMAND_ANSWERED);
        stage_say(&s, "{\"execute\":\"gtune-status\",\"arguments\":{\"x\":1}}");
        assert_int_equal(s.outcome, COMMAND_ANSWERED);
        assert_non_null(strstr(stage_answer(&s), ERROR("Parameter 'x' is unexpected")));
        stage_say(&s, "{\"execute\":\"gtune-pcrs\"}");
        assert_int_equal(s.outcome, COMMAND_BACKGROUND);

        /* The TPM is busy, which the report does not change. */
        stage_say(&s, QUOTE);
        assert_int_equal(s.outcome, COMMAND_ANSWERED);
        assert_non_null(strstr(stage_answer(&s), ERROR("Another question to the TPM is still being answered")));
        stage_done(&s);
}

/* A watch that is on stays on while the next report is made. */
static void test_watch_later(_unused_ void **state) {
        Stage s;

        stage_init(&s);
        stage_say(&s, "{\"execute\":\"gtune-watch\"}");
        s.failure = -EAGAIN;
        stage_say(&s, "{\"execute\":\"gtune-watch\"}");
        assert_int_equal(s.outcome, COMMAND_LATER);
        assert_true(s.watching);
        stage_done(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_pages),
                cmocka_unit_test(test_left_out),
                cmocka_unit_test(test_watch_ends),
                cmocka_unit_test(test_apply),
                cmocka_unit_test(test_apply_without_id),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_tpm),
                cmocka_unit_test(test_tpm_busy),
                cmocka_unit_test(test_later),
                cmocka_unit_test(test_not_later),
                cmocka_unit_test(test_watch_later),
        };

        return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
