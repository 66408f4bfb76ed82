/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tpm/baseline.h"

#define ZERO16 "00000000000000000000000000000000"
#define SHA1_ZERO ZERO16 "00000000"
#define FILE_OF(pcrs) "{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":" pcrs "}"
#define FILE_OF_VALUES(values) FILE_OF("{\"4\":{\"level\":\"must\",\"values\":[" values "]}}")
#define DIGEST(hex) "\"digest\":\"" hex "\""
#define GOOD_PCR "{\"level\":\"must\",\"values\":[{" DIGEST(SHA1_ZERO) "}]}"

static Baseline *parse(const char *text) {
        Baseline *baseline;
        char *error;

        assert_int_equal(baseline_parse(text, strlen(text), "/b.json", &baseline, &error), 0);
        assert_null(error);
        return baseline;
}

static const struct {
        const char *text;
        const char *error;
} refused[] = {
        {"", "it is not valid JSON"},
        {"nonsense", "it is not valid JSON"},
        {"{\"schema\":1", "it is not valid JSON"},
        {"[]", "it is not a JSON object"},
        {"null", "it is not a JSON object"},
        {"{}", "its \"schema\" is not 1"},
        {"{\"schema\":2,\"bank\":\"sha1\",\"pcrs\":{}}", "its \"schema\" is not 1"},
        {"{\"schema\":\"1\"}", "its \"schema\" is not 1"},
        {"{\"schema\":1}", "its \"bank\" is not sha1, sha256, sha384, sha512 or sm3"},
        {"{\"schema\":1,\"bank\":\"md5\"}", "its \"bank\" is not"},
        {"{\"schema\":1,\"bank\":\"sha1\"}", "it has no object \"pcrs\""},
        {"{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":[]}", "it has no object \"pcrs\""},
        {"{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":{},\"x\":1}", "it has an unknown member \"x\""},
        {"{\"\\u001b[31m\":1}", "it has an unknown member \"\\x1b[31m\""},
        {FILE_OF("{}"), "lists no PCR"},
        {FILE_OF("{\"24\":" GOOD_PCR "}"), "there is no PCR \"24\": expected \"0\" to \"23\""},
        {FILE_OF("{\"04\":" GOOD_PCR "}"), "there is no PCR \"04\""},
        {FILE_OF("{\"-1\":" GOOD_PCR "}"), "there is no PCR \"-1\""},
        {FILE_OF("{\"\\n\":" GOOD_PCR "}"), "there is no PCR \"\\x0a\""},
        {FILE_OF("{\"4\":" GOOD_PCR ",\"4\":" GOOD_PCR "}"), "a member or a PCR is there twice"},
        {FILE_OF("{\"4\":[]}"), "PCR 4 is not an object with \"level\" and \"values\""},
        {FILE_OF("{\"4\":{}}"), "PCR 4: its level is not must, warn or ignore"},
        {FILE_OF("{\"4\":{\"level\":\"Must\",\"values\":[]}}"), "PCR 4: its level is not must, warn or ignore"},
        {FILE_OF("{\"4\":{\"level\":1,\"values\":[]}}"), "PCR 4: its level is not"},
        {FILE_OF("{\"4\":{\"level\":\"must\"}}"), "PCR 4: expected 1 to 64 values"},
        {FILE_OF("{\"4\":{\"level\":\"must\",\"values\":[]}}"), "PCR 4: expected 1 to 64 values"},
        {FILE_OF("{\"4\":{\"level\":\"must\",\"values\":[],\"vals\":1}}"), "PCR 4 has an unknown member \"vals\""},
        {FILE_OF_VALUES("\"00\""), "PCR 4: a value is not an object with a \"digest\""},
        {FILE_OF_VALUES("{}"), "PCR 4: a digest is not the 40 hex digits that sha1"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO "00") "}"), "PCR 4: a digest is not"},
        {FILE_OF_VALUES("{" DIGEST(ZERO16) "}"), "PCR 4: a digest is not"},
        {FILE_OF_VALUES("{" DIGEST(ZERO16 "0000000g") "}"), "PCR 4: a digest is"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO "\\u0000") "}"), "PCR 4: a digest is"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO) "},{" DIGEST(SHA1_ZERO) "}"),
         "PCR 4: the digest 0000000000000000... is there twice"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO) ",\"label\":1}"),
         "PCR 4: a label is not a text of at most 128 printable ASCII characters"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO) ",\"label\":\"\\u001b\"}"),
         "PCR 4: a label"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO) ",\"label\":null}"), "PCR 4: a label"},
        {FILE_OF_VALUES("{" DIGEST(SHA1_ZERO) ",\"lable\":\"x\"}"),
         "PCR 4 has an unknown member \"lable\""},
};

static void test_refused(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_free_ char *error = NULL;
                Baseline *baseline = NULL;
                int r = baseline_parse(refused[i].text, strlen(refused[i].text), "/b.json", &baseline, &error);

                assert_int_equal(r, -EBADMSG);
                assert_null(baseline);
                assert_true(startswith(error, "/b.json: ") != NULL);
                assert_non_null(strstr(error, refused[i].error));
        }
}

static void test_limits(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char *large = malloc(BASELINE_SIZE_MAX + 1);
        _cleanup_free_ char *error = NULL, *error2 = NULL;
        Baseline *baseline = NULL;

        memset(large, ' ', BASELINE_SIZE_MAX + 1);
        assert_int_equal(baseline_parse(large, BASELINE_SIZE_MAX + 1, "f", &baseline, &error), -EBADMSG);
        assert_string_equal(error, "f: it is larger than 256 KiB");
        free(large);

        buffer_puts(&b, "{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":{\"0\":{\"level\":\"warn\",\"values\":[");
        for (unsigned i = 0; i <= BASELINE_VALUES_MAX; i++)
                buffer_printf(&b, "%s{\"digest\":\"%040x\"}", i > 0 ? "," : "", i);
        buffer_puts(&b, "]}}}");
        assert_int_equal(baseline_parse(b.data, b.size, "f", &baseline, &error2), -EBADMSG);
        assert_string_equal(error2, "f: PCR 0: expected 1 to 64 values");
}

static void test_defaults(_unused_ void **state) {
        static const BaselineLevel levels[PCR_COUNT] = {
                [0] = BASELINE_MUST,   [1] = BASELINE_IGNORE, [2] = BASELINE_MUST, [3] = BASELINE_IGNORE,
                [4] = BASELINE_MUST,   [5] = BASELINE_IGNORE, [6] = BASELINE_IGNORE, [7] = BASELINE_MUST,
                [8] = BASELINE_WARN,   [9] = BASELINE_WARN,   [14] = BASELINE_WARN,
        };

        for (unsigned i = 0; i < PCR_COUNT; i++)
                assert_int_equal(baseline_default_level(i), i < 10 || i == 14 ? levels[i] : _BASELINE_LEVEL_INVALID);
        assert_int_equal(baseline_default_level(1000), _BASELINE_LEVEL_INVALID);
}

static void test_make_and_format(_unused_ void **state) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL, *again = NULL, *none = NULL;
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL;
        Pcrs pcrs = data_pcrs("a");
        BaselineCheck check;

        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SHA256, "first boot", &baseline), 0);
        baseline_check(baseline, &pcrs, &check);
        assert_int_equal(check.result, BASELINE_OK);
        assert_string_equal(check.pcrs[4].match->label, "first boot");
        assert_int_equal(check.pcrs[11].outcome, BASELINE_NOT_LISTED);

        assert_int_equal(baseline_format(baseline, &a), 0);
        assert_true(startswith(a.data, "{\n  \"schema\": 1,\n  \"bank\": \"sha256\",\n  \"pcrs\": {\n    \"0\": {\n"
                                       "      \"level\": \"must\",\n      \"values\": [\n        {\n"
                                       "          \"digest\": \"") != NULL);
        again = parse(a.data);
        assert_int_equal(baseline_format(again, &b), 0);
        assert_string_equal(a.data, b.data);

        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SHA256, "a\nb", &none), -EINVAL);
        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SM3_256, NULL, &none), -ENODATA);
        pcrs.banks[ALGORITHM_SHA1].present &= ~(1U << 14);
        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SHA1, NULL, &none), -ENODATA);
}

static void test_add(_unused_ void **state) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        Pcrs a = data_pcrs("a"), d = data_pcrs("d1");
        BaselineCheck check;
        uint32_t added;

        assert_int_equal(baseline_make(&a, ALGORITHM_SHA256, "off", &baseline), 0);
        baseline_check(baseline, &d, &check);
        assert_int_equal(check.result, BASELINE_FAILURE);
        assert_true(check.failed & 1U << 4);

        assert_int_equal(baseline_add(baseline, &d, "on", &added), 0);
        assert_true(added & 1U << 4);
        assert_false(added & 1U << 2);
        baseline_check(baseline, &d, &check);
        assert_int_equal(check.result, BASELINE_OK);
        assert_string_equal(check.pcrs[4].match->label, "on");
        assert_string_equal(check.pcrs[2].match->label, "off");
        baseline_check(baseline, &a, &check);
        assert_int_equal(check.result, BASELINE_OK);

        /* A value that the baseline has is not added again. */
        assert_int_equal(baseline_add(baseline, &d, "again", &added), 0);
        assert_int_equal(added, 0);
        assert_int_equal(baseline->pcrs[4].n_values, 2);

        assert_int_equal(baseline_add(baseline, &d, "\x7f", &added), -EINVAL);
        d.banks[ALGORITHM_SHA256].present &= ~1U;
        assert_int_equal(baseline_add(baseline, &d, NULL, &added), -ENODATA);
}

static void test_add_limit(_unused_ void **state) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        Pcrs pcrs = data_pcrs("a");
        uint32_t added;

        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SHA1, NULL, &baseline), 0);
        for (uint8_t i = 0; i < BASELINE_VALUES_MAX - 1; i++) {
                pcrs.banks[ALGORITHM_SHA1].digests[8][0] = (uint8_t) (i + 1);
                assert_int_equal(baseline_add(baseline, &pcrs, NULL, &added), 0);
                assert_int_equal(added, 1U << 8);
        }
        pcrs.banks[ALGORITHM_SHA1].digests[8][0] = 0xFF;
        pcrs.banks[ALGORITHM_SHA1].digests[0][0] ^= 1;
        assert_int_equal(baseline_add(baseline, &pcrs, NULL, &added), -E2BIG);
        assert_int_equal(baseline->pcrs[0].n_values, 1);
}

/* A PCR of each level that has another value. */
static const struct {
        uint32_t changed;
        uint32_t absent;
        BaselineResult result;
        uint32_t failed, warned;
} checks[] = {
        {0, 0, BASELINE_OK, 0, 0},
        {1U << 1 | 1U << 3 | 1U << 5 | 1U << 6, 0, BASELINE_OK, 0, 0},
        {1U << 10 | 1U << 11 | 1U << 23, 0, BASELINE_OK, 0, 0},
        {1U << 8, 0, BASELINE_WARNING, 0, 1U << 8},
        {1U << 9 | 1U << 14 | 1U << 1, 0, BASELINE_WARNING, 0, 1U << 9 | 1U << 14},
        {1U << 4, 0, BASELINE_FAILURE, 1U << 4, 0},
        {1U << 0 | 1U << 8, 0, BASELINE_FAILURE, 1U << 0, 1U << 8},
        {0, 1U << 7, BASELINE_FAILURE, 1U << 7, 0},
        {0, 1U << 14, BASELINE_WARNING, 0, 1U << 14},
        {0, 1U << 1, BASELINE_OK, 0, 0},
        {0, PCR_ALL, BASELINE_FAILURE, 0x95, 0x4300},
};

static void test_check(_unused_ void **state) {
        Pcrs saved = data_pcrs("a");
        _cleanup_(baseline_freep) Baseline *baseline = NULL;

        assert_int_equal(baseline_make(&saved, ALGORITHM_SHA384, NULL, &baseline), 0);
        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                Pcrs pcrs = saved;
                BaselineCheck check;

                for (unsigned k = 0; k < PCR_COUNT; k++)
                        if (checks[i].changed & 1U << k)
                                pcrs.banks[ALGORITHM_SHA384].digests[k][47] ^= 1;
                pcrs.banks[ALGORITHM_SHA384].present &= ~checks[i].absent;

                baseline_check(baseline, &pcrs, &check);
                assert_int_equal(check.result, checks[i].result);
                assert_int_equal(check.failed, checks[i].failed);
                assert_int_equal(check.warned, checks[i].warned);
                if (checks[i].changed & 1U << 1)
                        assert_int_equal(check.pcrs[1].outcome, BASELINE_MISMATCH);
        }
}

static void test_check_json(_unused_ void **state) {
        _cleanup_(baseline_freep) Baseline *baseline = parse(
                "{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":{\"23\":{\"level\":\"warn\",\"values\":"
                "[{\"digest\":\"" ZERO16 "00000001\",\"label\":\"one\"}]}}}");
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        Pcrs pcrs = data_pcrs("a");
        BaselineCheck check;

        baseline_check(baseline, &pcrs, &check);
        assert_int_equal(baseline_check_to_json(baseline, &check, &o), 0);
        assert_int_equal(json_format(o, &b), 0);
        assert_string_equal(b.data, "{\"bank\":\"sha1\",\"result\":\"warning\",\"pcrs\":{\"23\":{\"level\":\"warn\","
                                    "\"outcome\":\"mismatch\",\"label\":null,\"actual\":\"" SHA1_ZERO "\","
                                    "\"expected\":[{\"digest\":\"" ZERO16 "00000001\",\"label\":\"one\"}]}}}");
}

static void test_names(_unused_ void **state) {
        for (BaselineResult i = 0; i < _BASELINE_RESULT_MAX; i++)
                assert_int_equal(baseline_result_from_string(baseline_result_to_string(i)), i);
        assert_int_equal(baseline_result_from_string("fine"), _BASELINE_RESULT_INVALID);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),         cmocka_unit_test(test_limits),
                cmocka_unit_test(test_defaults),        cmocka_unit_test(test_make_and_format),
                cmocka_unit_test(test_add),             cmocka_unit_test(test_add_limit),
                cmocka_unit_test(test_check),           cmocka_unit_test(test_check_json),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}
