/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/algorithm.h"

static const struct {
        const char *name;
        uint16_t id;
        size_t size;
} algorithm_rows[_ALGORITHM_MAX] = {
        [ALGORITHM_SHA1] = {"sha1", 0x0004, 20},     [ALGORITHM_SHA256] = {"sha256", 0x000B, 32},
        [ALGORITHM_SHA384] = {"sha384", 0x000C, 48}, [ALGORITHM_SHA512] = {"sha512", 0x000D, 64},
        [ALGORITHM_SM3_256] = {"sm3", 0x0012, 32},
};

static bool algorithm_is_valid(Algorithm algorithm) {
        return algorithm >= 0 && algorithm < _ALGORITHM_MAX;
}

Algorithm algorithm_from_string(const char *name) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (streq(algorithm_rows[i].name, name))
                        return i;

        /* tpm2-tools says sm3_256, and the kernel says sm3. */
        return streq(name, "sm3_256") ? ALGORITHM_SM3_256 : _ALGORITHM_INVALID;
}

Algorithm algorithm_from_id(uint16_t id) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (algorithm_rows[i].id == id)
                        return i;

        return _ALGORITHM_INVALID;
}

const char *algorithm_to_string(Algorithm algorithm) {
        assert(algorithm_is_valid(algorithm));

        return algorithm_rows[algorithm].name;
}

uint16_t algorithm_id(Algorithm algorithm) {
        assert(algorithm_is_valid(algorithm));

        return algorithm_rows[algorithm].id;
}

size_t algorithm_size(Algorithm algorithm) {
        assert(algorithm_is_valid(algorithm));

        return algorithm_rows[algorithm].size;
}

void hex_encode(const uint8_t *data, size_t size, char *ret) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < size; i++) {
                *ret++ = digits[data[i] >> 4];
                *ret++ = digits[data[i] & 0xF];
        }
        *ret = 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;

        return -EINVAL;
}

int hex_decode(const char *text, size_t size, uint8_t *ret) {
        if (strnlen(text, 2 * size + 1) != 2 * size)
                return -EINVAL;

        for (size_t i = 0; i < size; i++) {
                int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EINVAL;
                ret[i] = (uint8_t) (high << 4 | low);
        }

        return 0;
}
