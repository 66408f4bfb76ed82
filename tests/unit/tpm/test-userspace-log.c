/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tpm/describe.h"
#include "tpm/userspace-log.h"

#define SHA256_OF_ENTER_INITRD "51e6b92f405d1f98d96e3de343d61d420ad6923b25de21d766f9298192f14fed"
#define DIGESTS "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" SHA256_OF_ENTER_INITRD "\"}]"
#define GOOD "\x1e{\"pcr\":11," DIGESTS ",\"content_type\":\"systemd\",\"content\":{\"eventType\":\"phase\"," \
             "\"bootId\":\"b0\",\"timestamp\":123456,\"string\":\"enter-initrd\"}}\n"
#define NV "\x1e{\"nv_index\":30474240," DIGESTS ",\"content_type\":\"systemd\",\"content\":{}}\n"

static EventLog *parse(const char *text, size_t size) {
        EventLog *log;

        assert_int_equal(userspace_log_parse(text, size, &log), 0);
        return log;
}

static const struct {
        const char *text;
        EventLogStatus status;
        size_t n_events;
} logs[] = {
        {"", EVENT_LOG_EMPTY, 0},
        {GOOD, EVENT_LOG_COMPLETE, 1},
        {GOOD GOOD GOOD, EVENT_LOG_COMPLETE, 3},
        {NV, EVENT_LOG_EMPTY, 0},
        {GOOD NV GOOD, EVENT_LOG_COMPLETE, 2},
        {"\x1e{\"rtmr\":2," DIGESTS "}\n", EVENT_LOG_EMPTY, 0},
        {"\x1e{" DIGESTS ",\"content\":{\"nvIndexName\":\"login\"}}\n", EVENT_LOG_EMPTY, 0},
        {"\x1e{\"pcr\":23," DIGESTS "}\n", EVENT_LOG_COMPLETE, 1},
        {"\x1e{\"pcr\":0,\"digests\":[]}\n", EVENT_LOG_COMPLETE, 1},
        {"\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha3_256\",\"digest\":\"00\"}]}\n", EVENT_LOG_COMPLETE, 1},
        {"\x1e{\"pcr\":0," DIGESTS "}", EVENT_LOG_COMPLETE, 1},

        {GOOD "\x1e{\"pcr\":0," DIGESTS, EVENT_LOG_TRUNCATED, 1},
        {GOOD "\x1e", EVENT_LOG_TRUNCATED, 1},
        {GOOD "\x1e\n", EVENT_LOG_MALFORMED, 1},
        {"\n" GOOD, EVENT_LOG_MALFORMED, 0},
        {"{\"pcr\":0," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e[]\n", EVENT_LOG_MALFORMED, 0},
        {"\x1enull\n", EVENT_LOG_MALFORMED, 0},
        {GOOD "\x1enonsense\n" GOOD, EVENT_LOG_MALFORMED, 1},
        {"\x1e{" DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":24," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":-1," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":4294967296," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":\"11\"," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":1.5," DIGESTS "}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0,\"digests\":{}}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0,\"digests\":[0]}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha256\"}]}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"00\"}]}\n", EVENT_LOG_MALFORMED, 0},
        {"\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"" SHA256_OF_ENTER_INITRD "\"}]}\n",
         EVENT_LOG_MALFORMED, 0},
};

static void test_logs(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(logs); i++) {
                _cleanup_(eventlog_freep) EventLog *log = parse(logs[i].text, strlen(logs[i].text));

                assert_int_equal(log->format, EVENT_LOG_USERSPACE);
                assert_int_equal(log->status, logs[i].status);
                assert_int_equal(log->n_events, logs[i].n_events);
                assert_int_equal(log->reason != NULL,
                                 log->status == EVENT_LOG_TRUNCATED || log->status == EVENT_LOG_MALFORMED);
        }
}

static void test_event(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = parse(GOOD, strlen(GOOD));
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        EventText text;
        char hex[65];

        assert_int_equal(log->banks, 1U << ALGORITHM_SHA256);
        assert_int_equal(log->events[0].pcr, 11);
        assert_string_equal(log->events[0].kind, "phase");
        assert_int_equal(log->events[0].size, strlen("enter-initrd"));
        assert_memory_equal(log->events[0].data, "enter-initrd", strlen("enter-initrd"));
        assert_null(log->events[0].digests[ALGORITHM_SHA1]);
        hex_encode(log->events[0].digests[ALGORITHM_SHA256], 32, hex);
        assert_string_equal(hex, SHA256_OF_ENTER_INITRD);

        assert_true(event_extends(log->events));
        assert_int_equal(event_describe(log->events, &b), 0);
        assert_string_equal(b.data, "systemd phase: enter-initrd");
        assert_string_equal(event_type_name(log->events), "systemd");

        assert_int_equal(event_text(log->events, ALGORITHM_SHA256, &text), 0);
        assert_int_equal(text, EVENT_TEXT_VERIFIED);
}

/* A digest that is there twice, and texts that are as long as their records. */
static void test_memory(_unused_ void **state) {
        static const char twice[] = "\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":"
                                    "\"0000000000000000000000000000000000000000\"},{\"hashAlg\":\"sha1\",\"digest\":"
                                    "\"0000000000000000000000000000000000000000\"}]}\n";
        _cleanup_(eventlog_freep) EventLog *log = parse(twice, strlen(twice)), *many = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(log->status, EVENT_LOG_MALFORMED);

        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(buffer_puts(&b, "\x1e{\"pcr\":0,\"digests\":[],\"content\":{\"string\":"
                                                 "\"\xE2\x82\xAC\\u20ac\\n\",\"eventType\":\"x\"}}"), 0);
        many = parse(b.data, b.size);
        assert_int_equal(many->status, EVENT_LOG_COMPLETE);
        assert_int_equal(many->n_events, 1000);
        assert_memory_equal(many->events[999].data, "\xE2\x82\xAC\xE2\x82\xAC\n", 7);
}

static void test_every_cut(_unused_ void **state) {
        static const char text[] = GOOD GOOD;

        for (size_t size = 0; size < strlen(text); size++) {
                char *copy = malloc(size + 1); /* of exact size, for the sanitizer */
                _cleanup_(eventlog_freep) EventLog *log = NULL;

                memcpy(copy, text, size);
                log = parse(copy, size);
                assert_int_equal(log->n_events, size < strlen(GOOD) - 1 ? 0 : size < 2 * strlen(GOOD) - 1 ? 1 : 2);
                free(copy);
        }
}

static void test_limit(_unused_ void **state) {
        char *bytes = calloc(1, EVENT_LOG_SIZE_MAX + 1);
        _cleanup_(eventlog_freep) EventLog *log = parse(bytes, EVENT_LOG_SIZE_MAX + 1);

        assert_int_equal(log->status, EVENT_LOG_MALFORMED);
        free(bytes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_logs),      cmocka_unit_test(test_event), cmocka_unit_test(test_memory),
                cmocka_unit_test(test_every_cut), cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests_name("userspace-log", tests, NULL, NULL);
}
