/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tpm/algorithm.h"

static const struct {
        const char *name;
        uint16_t id;
        size_t size;
        const char *empty; /* the hash of nothing */
} algorithms[_ALGORITHM_MAX] = {
        [ALGORITHM_SHA1] = {"sha1", 4, 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        [ALGORITHM_SHA256] = {"sha256", 11, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        [ALGORITHM_SHA384] = {"sha384", 12, 48, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
                                                "274edebfe76f65fbd51ad2f14898b95b"},
        [ALGORITHM_SHA512] = {"sha512", 13, 64, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                                                "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
        [ALGORITHM_SM3_256] = {"sm3", 18, 32, "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"},
};

static void test_table(_unused_ void **state) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                assert_string_equal(algorithm_to_string(i), algorithms[i].name);
                assert_int_equal(algorithm_from_string(algorithms[i].name), i);
                assert_int_equal(algorithm_id(i), algorithms[i].id);
                assert_int_equal(algorithm_from_id(algorithms[i].id), i);
                assert_int_equal(algorithm_size(i), algorithms[i].size);
        }
}

static void test_unknown(_unused_ void **state) {
        static const char *const names[] = {"", "SHA256", "sha-256", "sha2", "sha2560", " sha256", "md5"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_int_equal(algorithm_from_string(names[i]), _ALGORITHM_INVALID);
        assert_int_equal(algorithm_from_string("sm3_256"), ALGORITHM_SM3_256);
        assert_int_equal(algorithm_from_id(0), _ALGORITHM_INVALID);
        assert_int_equal(algorithm_from_id(0x10), _ALGORITHM_INVALID);
        assert_int_equal(algorithm_from_id(0xFFFF), _ALGORITHM_INVALID);
}

static void test_hash(_unused_ void **state) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                uint8_t hash[DIGEST_SIZE_MAX], parts[DIGEST_SIZE_MAX], whole[DIGEST_SIZE_MAX];
                char hex[2 * DIGEST_SIZE_MAX + 1];
                int r = algorithm_hash(i, NULL, 0, hash);

                if (r == -EOPNOTSUPP && i == ALGORITHM_SM3_256)
                        continue;
                assert_int_equal(r, 0);
                hex_encode(hash, algorithm_size(i), hex);
                assert_string_equal(hex, algorithms[i].empty);

                assert_int_equal(algorithm_hash(i, (HashPart[]) {{"ab", 2}, {NULL, 0}, {"c", 1}}, 3, parts), 0);
                assert_int_equal(algorithm_hash(i, &(HashPart) {"abc", 3}, 1, whole), 0);
                assert_memory_equal(parts, whole, algorithm_size(i));
        }
}

static void test_hex(_unused_ void **state) {
        static const char *const bad[] = {"", "0", "00f", "00ff0", "00fg", " 0ff", "0x0f", ("00\xff" "f"), "00 f"};
        uint8_t bytes[2];
        char hex[5];

        assert_int_equal(hex_decode("00Ff", 2, bytes), 0);
        assert_memory_equal(bytes, "\x00\xff", 2);
        hex_encode(bytes, 2, hex);
        assert_string_equal(hex, "00ff");
        hex_encode(bytes, 0, hex);
        assert_string_equal(hex, "");

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(hex_decode(bad[i], 2, bytes), -EINVAL);
        assert_int_equal(hex_decode("", 0, bytes), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_hash),
                cmocka_unit_test(test_hex),
        };

        return cmocka_run_group_tests_name("algorithm", tests, NULL, NULL);
}
