/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading numbers and bytes from data that may be hostile. A read beyond the end sets "failed", and it stays set: all
 * later reads return 0 or NULL, so that a caller checks "failed" once, after the last field of a structure.
 */

#include "core/util.h"

typedef struct Reader {
        const uint8_t *data;
        size_t size;
        size_t offset; /* never above size */
        bool failed;
} Reader;

/** reader_of() - make a reader of bytes, which must live as long as the reader */
static inline Reader reader_of(const void *data, size_t size) {
        return (Reader) {.data = data, .size = size};
}

/** reader_left() - the number of bytes that were not read yet */
static inline size_t reader_left(const Reader *r) {
        return r->size - r->offset;
}

/** reader_take() - the next bytes; NULL if fewer are left, and also if the reader has no data at all */
static inline const uint8_t *reader_take(Reader *r, size_t size) {
        const uint8_t *p;

        if (r->failed || size > reader_left(r)) {
                r->failed = true;
                return NULL;
        }

        p = r->data ? r->data + r->offset : NULL;
        r->offset += size;
        return p;
}

static inline uint64_t reader_number(Reader *r, size_t size, bool big_endian) {
        const uint8_t *p = reader_take(r, size);
        uint64_t value = 0;

        for (size_t i = 0; p && i < size; i++)
                value = value << 8 | p[big_endian ? i : size - 1 - i];

        return value;
}

/* Little endian, as in the event log and in EFI structures. */
static inline uint8_t reader_u8(Reader *r) {
        return (uint8_t) reader_number(r, 1, false);
}

static inline uint16_t reader_le16(Reader *r) {
        return (uint16_t) reader_number(r, 2, false);
}

static inline uint32_t reader_le32(Reader *r) {
        return (uint32_t) reader_number(r, 4, false);
}

static inline uint64_t reader_le64(Reader *r) {
        return reader_number(r, 8, false);
}

/* Big endian, as a TPM marshals numbers. */
static inline uint16_t reader_be16(Reader *r) {
        return (uint16_t) reader_number(r, 2, true);
}

static inline uint32_t reader_be32(Reader *r) {
        return (uint32_t) reader_number(r, 4, true);
}

static inline uint64_t reader_be64(Reader *r) {
        return reader_number(r, 8, true);
}
