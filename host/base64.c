/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/base64.h"

/* Decode four characters. Return: the number of bytes that they give, 1 to 3, or -EBADMSG. */
static int base64_decode_group(const char *text, uint8_t bytes[static 3]) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
        uint32_t bits = 0;

        for (size_t i = 0; i < n; i++) {
                const char *digit = memchr(digits, text[i], sizeof(digits) - 1);

                if (!digit)
                        return -EBADMSG;
                bits |= (uint32_t) (digit - digits) << (18 - 6 * i);
        }

        for (size_t i = 0; i < 3; i++)
                bytes[i] = (uint8_t) (bits >> (16 - 8 * i));

        /* RFC 4648, 3.5: a strict decoder refuses unused bits of the last character that are not zero. */
        if (bits & ((1U << (8 * (4 - n))) - 1))
                return -EBADMSG;

        return (int) n - 1;
}

int base64_decode(const char *text, size_t max, uint8_t *ret, size_t *ret_size) {
        size_t length = strlen(text), size = 0;

        assert(ret);
        assert(ret_size);

        if (length % 4 != 0)
                return -EBADMSG;

        for (size_t i = 0; i < length; i += 4) {
                uint8_t bytes[3];
                int n = base64_decode_group(text + i, bytes);

                if (n < 0 || (n < 3 && i + 4 < length))
                        return -EBADMSG;
                if (size + (size_t) n > max)
                        return -EMSGSIZE;

                memcpy(ret + size, bytes, (size_t) n);
                size += (size_t) n;
        }

        *ret_size = size;
        return 0;
}
