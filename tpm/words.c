/* SPDX-License-Identifier: Apache-2.0 */

#include "tpm/words.h"

static bool words_is_plain(unsigned c) {
        return c >= 0x20 && c < 0x7F;
}

int words_bytes(Buffer *b, const uint8_t *data, size_t size) {
        size_t start = b->size;
        int r;

        while (size > 0 && data[size - 1] == 0)
                size--;

        for (size_t i = 0; i < size; i++) {
                if (b->size - start >= EVENT_DESCRIPTION_MAX)
                        return buffer_puts(b, "...");
                r = words_is_plain(data[i]) ? buffer_append(b, data + i, 1) : buffer_printf(b, "\\x%02x", data[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

int words_utf16(Buffer *b, const uint8_t *data, size_t size) {
        size_t start = b->size;
        int r;

        for (size_t i = 0; i + 1 < size; i += 2) {
                unsigned c = data[i] | (unsigned) data[i + 1] << 8;

                if (c == 0)
                        break;
                if (b->size - start >= EVENT_DESCRIPTION_MAX)
                        return buffer_puts(b, "...");
                r = words_is_plain(c) ? buffer_append(b, data + i, 1) : buffer_printf(b, "\\u%04x", c);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A command line may begin with a letter that is not ASCII, and the rest is taken for what it is. */
static bool words_are_mostly_utf16(const uint8_t *data, size_t size) {
        size_t n = 0, n_plain = 0;

        for (size_t i = 0; i + 1 < size && (data[i] != 0 || data[i + 1] != 0); i += 2) {
                n++;
                n_plain += words_is_plain(data[i]) && data[i + 1] == 0;
        }

        return n_plain >= 2 && 2 * n_plain >= n;
}

bool words_are_utf16(const uint8_t *data, size_t size) {
        if (size >= 4 && size % 2 == 0 && words_is_plain(data[0]) && data[1] == 0 && data[3] == 0)
                return true;

        return words_are_mostly_utf16(data, size);
}

int words_guess(Buffer *b, const uint8_t *data, size_t size) {
        return words_are_utf16(data, size) ? words_utf16(b, data, size) : words_bytes(b, data, size);
}
