/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/make-log.h"
#include "tpm/describe.h"

#define SHA256 (1U << ALGORITHM_SHA256)
#define BOTH (1U << ALGORITHM_SHA1 | SHA256)

static const struct {
        const char *name;
        size_t n_events;
} vectors[] = {{"a", 25}, {"e", 25}, {"d1", 25}, {"sea", 14}};

static void test_vectors(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
                _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.bin", vectors[i].name);
                _cleanup_(eventlog_freep) EventLog *log = parse_log(&b);

                assert_int_equal(log->status, EVENT_LOG_COMPLETE);
                assert_int_equal(log->format, EVENT_LOG_CRYPTO_AGILE);
                assert_int_equal(log->n_events, vectors[i].n_events);
                assert_int_equal(log->banks, 0xF);
                assert_null(log->reason);
                assert_true(eventlog_usable(log));
        }
}

/* Cuts a real log at each place: the events before the cut are unchanged. */
static void test_every_cut(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/a.bin");
        _cleanup_(eventlog_freep) EventLog *whole = parse_log(&b);

        for (size_t size = 0; size < b.size; size++) {
                const Buffer cut = {.data = b.data, .size = size};
                _cleanup_(eventlog_freep) EventLog *log = parse_log(&cut);
                bool boundary = false;

                for (size_t i = 0; i < whole->n_events; i++)
                        boundary = boundary || whole->events[i].offset == size;

                assert_true(log->n_events <= whole->n_events);
                if (boundary || size <= 4) /* four bytes of PCR 0 are nothing but zeros */
                        assert_true(log->status == EVENT_LOG_COMPLETE || log->n_events <= 1);
                else
                        assert_true(log->status == EVENT_LOG_TRUNCATED);
                for (size_t i = 0; i < log->n_events; i++)
                        assert_int_equal(log->events[i].offset, whole->events[i].offset);
        }
}

/* Replaces bytes of a log of two events, and compares status and reason. */
static const struct {
        size_t offset;
        size_t size;
        uint64_t value;
        EventLogStatus status;
        size_t n_events;
        const char *reason;
} changes[] = {
        /* the Spec ID event: pcr 0, type 4, digest 8, size 28, spec 32: algorithms 56, vendor information 68 */
        {28, 4, 0xFFFFFFFF, EVENT_LOG_MALFORMED, 0, "claims an event of 4294967295 bytes"},
        {28, 4, 1000, EVENT_LOG_TRUNCATED, 0, "it ends inside the record at byte 0"},
        {28, 4, 36, EVENT_LOG_MALFORMED, 0, "its header is longer than its own record"},
        {28, 4, 27, EVENT_LOG_MALFORMED, 0, "its header is longer than its own record"},
        {56, 4, 0, EVENT_LOG_MALFORMED, 0, "announces 0 algorithms"},
        {56, 4, 17, EVENT_LOG_MALFORMED, 0, "announces 17 algorithms"},
        {56, 4, 0xFFFFFFFF, EVENT_LOG_MALFORMED, 0, "announces 4294967295 algorithms"},
        {56, 4, 3, EVENT_LOG_MALFORMED, 0, "its header"},
        {62, 2, 21, EVENT_LOG_MALFORMED, 0, "algorithm 0x0004 with digests of 21 bytes"},
        {62, 2, 0, EVENT_LOG_MALFORMED, 0, "algorithm 0x0004 with digests of 0 bytes"},
        {62, 2, 0xFFFF, EVENT_LOG_MALFORMED, 0, "algorithm 0x0004 with digests of 65535 bytes"},
        {64, 4, 0x00140004, EVENT_LOG_MALFORMED, 0, "algorithm 0x0004 with digests of 20 bytes twice"},
        {60, 4, 0x00410099, EVENT_LOG_MALFORMED, 0, "algorithm 0x0099 with digests of 65 bytes"},
        {68, 1, 1, EVENT_LOG_MALFORMED, 0, "its header is longer than its own record"},
        {68, 1, 255, EVENT_LOG_MALFORMED, 0, "its header is longer than its own record"},
        /* the first event: pcr 69, type 73, count 77, sha1 81, sha256 103, size 137, data 141 */
        {69, 4, 24, EVENT_LOG_MALFORMED, 1, "the record at byte 69 names PCR 24"},
        {69, 4, 0xFFFFFFFF, EVENT_LOG_MALFORMED, 1, "names PCR 4294967295"},
        {77, 4, 0, EVENT_LOG_MALFORMED, 1, "has 0 digests, and the log's header announces 2"},
        {77, 4, 1, EVENT_LOG_MALFORMED, 1, "has 1 digests"},
        {77, 4, 3, EVENT_LOG_MALFORMED, 1, "has 3 digests"},
        {77, 4, 0xFFFFFFFF, EVENT_LOG_MALFORMED, 1, "has 4294967295 digests"},
        {81, 2, 11, EVENT_LOG_MALFORMED, 1, "a digest of algorithm 0x000b in place of 0x0004"},
        {103, 2, 12, EVENT_LOG_MALFORMED, 1, "a digest of algorithm 0x000c in place of 0x000b"},
        {137, 4, 0xFFFFFFFF, EVENT_LOG_MALFORMED, 1, "the record at byte 69 claims an event of 4294967295 bytes"},
        {137, 4, 0x400001, EVENT_LOG_MALFORMED, 1, "claims an event of 4194305 bytes"},
        {137, 4, 0x400000, EVENT_LOG_TRUNCATED, 1, "it ends inside the record at byte 69"},
        {137, 4, 200, EVENT_LOG_TRUNCATED, 1, "it ends inside the record at byte 69"},
        {137, 4, 3, EVENT_LOG_MALFORMED, 2, "the record at byte 144"},
        /* these are no defects */
        {73, 4, 0x12345678, EVENT_LOG_COMPLETE, 3, NULL},
        {83, 4, 0x12345678, EVENT_LOG_COMPLETE, 3, NULL},
        {141, 4, 0x12345678, EVENT_LOG_COMPLETE, 3, NULL},
};

static void test_changes(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                _cleanup_(eventlog_freep) EventLog *log = NULL;

                put_header(&b, BOTH);
                assert_int_equal(b.size, 69);
                put_event(&b, BOTH, 0, EV_SEPARATOR, "\xFF\xFF\xFF\xFF", 4);
                put_event(&b, BOTH, 7, EV_SEPARATOR, "\xFF\xFF\xFF\xFF", 4);
                for (size_t k = 0; k < changes[i].size; k++)
                        b.data[changes[i].offset + k] = (char) (changes[i].value >> (8 * k));

                log = parse_log(&b);
                assert_int_equal(log->status, changes[i].status);
                assert_int_equal(log->n_events, changes[i].n_events);
                if (changes[i].reason)
                        assert_non_null(strstr(log->reason, changes[i].reason));
                else
                        assert_null(log->reason);
        }
}

static void test_sha1_layout(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL, *cut = NULL;

        put_sha1_event(&b, 0, EV_S_CRTM_VERSION, "1\0", 2);
        put_sha1_event(&b, 4, EV_IPL, "grub_cmd: boot", 15);
        put_sha1_event(&b, 0, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_COMPLETE);
        assert_int_equal(log->format, EVENT_LOG_SHA1);
        assert_int_equal(log->n_events, 3);
        assert_int_equal(log->banks, 1U << ALGORITHM_SHA1);
        assert_int_equal(log->events[1].pcr, 4);
        assert_int_equal(log->events[1].size, 15);

        /* The last byte. */
        b.size--;
        cut = parse_log(&b);
        assert_int_equal(cut->status, EVENT_LOG_TRUNCATED);
        assert_int_equal(cut->n_events, 2);
        assert_int_equal(cut->offset, log->events[2].offset);
}

static void test_sha1_layout_pcr(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;

        put_sha1_event(&b, 24, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_MALFORMED);
        assert_int_equal(log->n_events, 0);
}

static void test_empty(_unused_ void **state) {
        static const uint8_t zero[4096];
        _cleanup_buffer_ Buffer header = BUFFER_NULL;

        put_header(&header, SHA256);
        for (size_t i = 0; i < 3; i++) {
                const Buffer b = i == 0 ? BUFFER_NULL
                               : i == 1 ? (Buffer) {.data = (char *) zero, .size = sizeof(zero)} : header;
                _cleanup_(eventlog_freep) EventLog *log = parse_log(&b);

                assert_int_equal(log->status, EVENT_LOG_EMPTY);
                assert_false(eventlog_usable(log));
        }
        assert_false(eventlog_usable(NULL));
}

static void test_unused_room(_unused_ void **state) {
        static const uint8_t zero[100];
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL, *more = NULL;

        put_header(&b, SHA256);
        put_event(&b, SHA256, 0, EV_SEPARATOR, "\0\0\0", 4);
        buffer_append(&b, zero, sizeof(zero));
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_COMPLETE);
        assert_int_equal(log->n_events, 2);

        /* Another byte after the zeros: they are no unused space. */
        buffer_append(&b, "\1", 1);
        more = parse_log(&b);
        assert_int_equal(more->status, EVENT_LOG_MALFORMED);
        assert_int_equal(more->n_events, 2);
}

static void test_limits(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL, *large = NULL;
        char *bytes = calloc(1, EVENT_LOG_SIZE_MAX + 1);

        put_header(&b, SHA256);
        for (size_t i = 0; i < EVENT_LOG_EVENTS_MAX; i++)
                put_event(&b, SHA256, 0, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_MALFORMED);
        assert_int_equal(log->n_events, EVENT_LOG_EVENTS_MAX);
        assert_non_null(strstr(log->reason, "more than 65536 events"));

        assert_int_equal(eventlog_parse(bytes, EVENT_LOG_SIZE_MAX + 1, &large), 0);
        assert_int_equal(large->status, EVENT_LOG_MALFORMED);
        assert_string_equal(large->reason, "it is larger than 4 MiB");
        free(bytes);
}

static void test_unknown_algorithm(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;

        /* SHA3-256 beside SHA-1: its digests are skipped. */
        put_header(&b, BOTH);
        put_event(&b, BOTH, 0, EV_SEPARATOR, "\0\0\0", 4);
        b.data[64] = b.data[103] = 0x27;
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_COMPLETE);
        assert_int_equal(log->banks, 1U << ALGORITHM_SHA1);
}

static const struct {
        uint32_t pcr, type;
        const char *data;
        size_t size;
        uint8_t locality;
} localities[] = {
        {0, EV_NO_ACTION, "StartupLocality\0\3", 17, 3},
        {0, EV_NO_ACTION, "StartupLocality\0\4", 17, 4},
        {0, EV_NO_ACTION, "StartupLocality\0\3\0", 18, 0},
        {0, EV_NO_ACTION, "StartupLocality\0", 16, 0},
        {1, EV_NO_ACTION, "StartupLocality\0\3", 17, 0},
        {0, EV_ACTION, "StartupLocality\0\3", 17, 0},
        {0, EV_EFI_HCRTM_EVENT, "HCRTM", 5, 4},
        {1, EV_EFI_HCRTM_EVENT, "HCRTM", 5, 0},
};

static void test_locality(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(localities); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                _cleanup_(eventlog_freep) EventLog *log = NULL;

                put_header(&b, SHA256);
                put_event(&b, SHA256, localities[i].pcr, localities[i].type, localities[i].data, localities[i].size);
                log = parse_log(&b);
                assert_int_equal(eventlog_startup_locality(log), localities[i].locality);
        }
}

/* Newer profiles have events that name no PCR. */
static void test_note_without_pcr(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;

        put_header(&b, SHA256);
        put_event(&b, SHA256, 0xFFFFFFFF, EV_NO_ACTION, "SP800-155 Event3", 16);
        put_event(&b, SHA256, 0, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        assert_int_equal(log->status, EVENT_LOG_COMPLETE);
        assert_int_equal(log->n_events, 3);
        assert_false(event_extends(log->events + 1));
}

static void test_unreadable(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = NULL;

        assert_int_equal(eventlog_new_unreadable(EVENT_LOG_CRYPTO_AGILE, "permission denied", &log), 0);
        assert_false(eventlog_usable(log));
        assert_string_equal(eventlog_status_to_string(log->status), "unreadable");
        assert_string_equal(log->reason, "permission denied");
        assert_string_equal(eventlog_format_to_string(log->format), "crypto-agile");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_every_cut),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_sha1_layout),
                cmocka_unit_test(test_sha1_layout_pcr),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_unused_room),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_unknown_algorithm),
                cmocka_unit_test(test_locality),
                cmocka_unit_test(test_note_without_pcr),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests_name("eventlog", tests, NULL, NULL);
}
