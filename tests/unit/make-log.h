/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Event logs made by hand, for tests. Include it after cmocka.h.
 */

#include "tpm/eventlog.h"

static inline void put_number(Buffer *b, uint64_t value, size_t size) {
        uint8_t bytes[8];

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t) (value >> (8 * i));
        assert_int_equal(buffer_append(b, bytes, size), 0);
}

/* TCG_PCR_EVENT */
static inline void put_sha1_event(Buffer *b, uint32_t pcr, uint32_t type, const void *data, size_t size) {
        uint8_t digest[20] = {};

        if (type != EV_NO_ACTION)
                assert_int_equal(algorithm_hash(ALGORITHM_SHA1, &(HashPart) {data, size}, 1, digest), 0);
        put_number(b, pcr, 4);
        put_number(b, type, 4);
        assert_int_equal(buffer_append(b, digest, sizeof(digest)), 0);
        put_number(b, size, 4);
        assert_int_equal(buffer_append(b, data, size), 0);
}

/* The Spec ID event of a log with these banks (one bit each). */
static inline void put_header(Buffer *b, uint32_t banks) {
        _cleanup_buffer_ Buffer spec = BUFFER_NULL;

        assert_int_equal(buffer_append(&spec, "Spec ID Event03\0\0\0\0\0\0\2\0\2", 24), 0);
        put_number(&spec, (uint64_t) __builtin_popcount(banks), 4);
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (banks & 1U << i) {
                        put_number(&spec, algorithm_id(i), 2);
                        put_number(&spec, algorithm_size(i), 2);
                }
        put_number(&spec, 0, 1);
        put_sha1_event(b, 0, EV_NO_ACTION, spec.data, spec.size);
}

/* TCG_PCR_EVENT2, whose digests are those of the data. */
static inline void put_event(Buffer *b, uint32_t banks, uint32_t pcr, uint32_t type, const void *data, size_t size) {
        put_number(b, pcr, 4);
        put_number(b, type, 4);
        put_number(b, (uint64_t) __builtin_popcount(banks), 4);
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                uint8_t digest[DIGEST_SIZE_MAX];

                if (!(banks & 1U << i))
                        continue;
                assert_int_equal(algorithm_hash(i, &(HashPart) {data, size}, 1, digest), 0);
                put_number(b, algorithm_id(i), 2);
                assert_int_equal(buffer_append(b, digest, algorithm_size(i)), 0);
        }
        put_number(b, size, 4);
        assert_int_equal(buffer_append(b, data, size), 0);
}

static inline EventLog *parse_log(const Buffer *b) {
        EventLog *log;

        assert_int_equal(eventlog_parse(b->data, b->size, &log), 0);
        return log;
}
