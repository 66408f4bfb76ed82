/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"

#define ZERO "0000000000000000000000000000000000000000"

static json_object *parse(const char *text) {
        json_object *o;

        assert_int_equal(json_parse(text, strlen(text), &o), 0);
        return o;
}

static void test_json(_unused_ void **state) {
        _cleanup_json_ json_object *o = NULL;
        Pcrs pcrs = data_pcrs("a"), again;

        /* The file has 19 PCRs in four banks. */
        for (Algorithm i = 0; i < ALGORITHM_SM3_256; i++)
                assert_int_equal(__builtin_popcount(pcrs.banks[i].present), 19);
        assert_false(pcrs_bank_exists(&pcrs, ALGORITHM_SM3_256));

        assert_int_equal(pcrs_to_json(&pcrs, &o), 0);
        assert_int_equal(pcrs_from_json(o, &again), 0);
        assert_true(pcrs_equal(&pcrs, &again, 0));
}

static void test_json_refused(_unused_ void **state) {
        static const char *const bad[] = {
                "[]", "null", "{\"sha256\":[]}", "{\"md5\":{}}", "{\"sha1\":{\"24\":\"" ZERO "\"}}",
                "{\"sha1\":{\"00\":\"" ZERO "\"}}", "{\"sha1\":{\"-1\":\"" ZERO "\"}}",
                "{\"sha1\":{\"\":\"" ZERO "\"}}",
                "{\"sha1\":{\"0\":\"" ZERO "00\"}}", "{\"sha1\":{\"0\":\"0g" ZERO "\"}}", "{\"sha1\":{\"0\":0}}",
                "{\"sha1\":{\"0\":\"" ZERO "\\u0000\"}}", "{\"sha256\":{\"0\":\"" ZERO "\"}}",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_object *o = parse(bad[i]);
                Pcrs pcrs;

                assert_int_equal(pcrs_from_json(o, &pcrs), -EBADMSG);
        }
}

static void test_equal(_unused_ void **state) {
        Pcrs a = data_pcrs("a"), b = a;

        b.banks[ALGORITHM_SHA1].digests[10][0] ^= 1;
        assert_false(pcrs_equal(&a, &b, 0));
        assert_true(pcrs_equal(&a, &b, PCR_MOVING));

        /* The bytes after the digest are no part of it. */
        b = a;
        b.banks[ALGORITHM_SHA1].digests[0][20] ^= 1;
        assert_true(pcrs_equal(&a, &b, 0));

        b.banks[ALGORITHM_SHA1].present &= ~1U;
        assert_false(pcrs_equal(&a, &b, PCR_MOVING));
        assert_true(pcrs_equal(&a, &b, 1));
}

static const struct {
        const char *text;
        uint32_t selection;
        const char *again; /* NULL: refused */
} selections[] = {
        {"0", 0x000001, "0"},
        {"0,1,7", 0x000083, "0,1,7"},
        {"0-7,14", 0x0040FF, "0-7,14"},
        {"23", 0x800000, "23"},
        {"0-23", 0xFFFFFF, "0-23"},
        {"7,0-7,3", 0x0000FF, "0-7"},
        {"5-5", 0x000020, "5"},
        {"1,0", 0x000003, "0,1"},
        {"9,10,11,23", 0x800E00, "9-11,23"},
        {"", 0, NULL},
        {",", 0, NULL},
        {"0,", 0, NULL},
        {",0", 0, NULL},
        {"24", 0, NULL},
        {"0-24", 0, NULL},
        {"7-0", 0, NULL},
        {"-1", 0, NULL},
        {"0-", 0, NULL},
        {"0--1", 0, NULL},
        {"00", 0, NULL},
        {"01", 0, NULL},
        {" 0", 0, NULL},
        {"0 ", 0, NULL},
        {"0;1", 0, NULL},
        {"0x1", 0, NULL},
        {"4294967296", 0, NULL},
        {"0-1-2", 0, NULL},
};

static void test_selection(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(selections); i++) {
                _cleanup_free_ char *text = NULL;
                uint32_t selection = 0;
                int r = pcr_selection_parse(selections[i].text, &selection);

                assert_int_equal(r, selections[i].again ? 0 : -EINVAL);
                if (r < 0)
                        continue;
                assert_int_equal(selection, selections[i].selection);
                text = pcr_selection_format(selection);
                assert_string_equal(text, selections[i].again);
        }
}

static void test_selection_json(_unused_ void **state) {
        _cleanup_json_ json_object *o = NULL;
        static const char *const bad[] = {"{}", "[24]", "[-1]", "[\"0\"]", "[0.5]", "[null]"};
        uint32_t selection;

        assert_int_equal(pcr_selection_to_json(0x800003, &o), 0);
        assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), "[0,1,23]");
        assert_int_equal(pcr_selection_from_json(o, &selection), 0);
        assert_int_equal(selection, 0x800003);

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_object *b = parse(bad[i]);

                assert_int_equal(pcr_selection_from_json(b, &selection), -EBADMSG);
        }
}

static void test_extend_and_composite(_unused_ void **state) {
        Pcrs pcrs = data_pcrs("a");
        uint8_t composite[32], expected[32], joined[64], pcr[20] = {}, digest[20];

        memcpy(joined, pcrs.banks[ALGORITHM_SHA256].digests[2], 32);
        memcpy(joined + 32, pcrs.banks[ALGORITHM_SHA256].digests[7], 32);
        assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {joined, 64}, 1, expected), 0);
        assert_int_equal(pcrs_composite(&pcrs, ALGORITHM_SHA256, 1U << 7 | 1U << 2, ALGORITHM_SHA256, composite), 0);
        assert_memory_equal(composite, expected, 32);

        pcrs.banks[ALGORITHM_SHA256].present &= ~(1U << 7);
        assert_int_equal(pcrs_composite(&pcrs, ALGORITHM_SHA256, 1U << 7, ALGORITHM_SHA256, composite), -ENODATA);
        assert_int_equal(pcrs_composite(&pcrs, ALGORITHM_SM3_256, 1, ALGORITHM_SHA256, composite), -ENODATA);

        /* PCR 3 holds a separator only. */
        assert_int_equal(algorithm_hash(ALGORITHM_SHA1, &(HashPart) {"\0\0\0", 4}, 1, digest), 0);
        assert_int_equal(pcr_extend(ALGORITHM_SHA1, pcr, digest), 0);
        assert_memory_equal(pcr, pcrs.banks[ALGORITHM_SHA1].digests[3], 20);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_json),           cmocka_unit_test(test_json_refused),
                cmocka_unit_test(test_equal),          cmocka_unit_test(test_selection),
                cmocka_unit_test(test_selection_json), cmocka_unit_test(test_extend_and_composite),
        };

        return cmocka_run_group_tests_name("pcrs", tests, NULL, NULL);
}
