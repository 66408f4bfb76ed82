/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tpm/request.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define HALF "00112233445566778899aabbccddeeff"
#define QUOTE(nonce, bank, selection, hash)                                                                 \
        "{\"execute\":\"quote\",\"arguments\":{\"nonce\":" nonce ",\"bank\":" bank ",\"selection\":" selection \
        ",\"report_sha256\":" hash "}}"

static int parse(const char *text, TpmRequest *ret, Fault *fault) {
        return tpm_request_parse(text, strlen(text), ret, fault);
}

static void test_good(_unused_ void **state) {
        _cleanup_fault_ Fault fault = {};
        TpmRequest q;

        assert_int_equal(parse("{\"execute\": \"pcrs\"}", &q, &fault), 0);
        assert_true(q.verb == TPM_VERB_PCRS && q.bank == _ALGORITHM_INVALID);
        assert_int_equal(parse("{\"arguments\": {\"bank\": \"sha384\"}, \"execute\": \"pcrs\"}", &q, &fault), 0);
        assert_int_equal(q.bank, ALGORITHM_SHA384);
        assert_int_equal(parse(" {\"execute\":\"verdict\",\"arguments\":{}} ", &q, &fault), 0);
        assert_int_equal(q.verb, TPM_VERB_VERDICT);
        assert_int_equal(parse("{\"execute\":\"eventlog\"}", &q, &fault), 0);
        assert_true(q.offset == 0 && q.limit == UINT32_MAX);
        assert_int_equal(parse("{\"execute\":\"eventlog\",\"arguments\":{\"offset\":4294967295,\"limit\":1}}", &q,
                               &fault), 0);
        assert_true(q.offset == UINT32_MAX && q.limit == 1);

        assert_int_equal(parse(QUOTE("\"" HALF "\"", "\"sha1\"", "\"23,0-3\"", "\"" HASH "\""), &q, &fault), 0);
        assert_true(q.nonce_size == 16 && q.nonce[15] == 0xFF);
        assert_int_equal(q.selection, 1U << 23 | 0xF);
        assert_int_equal(q.report_hash[31], 0xFF);
        assert_int_equal(parse(QUOTE("\"" HASH HASH "\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), &q, &fault), 0);
        assert_int_equal(q.nonce_size, 64);
}

static const struct {
        const char *text, *desc; /* a part of it */
} bad[] = {
        {"", "not a JSON object"},
        {"{", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"null", "not a JSON object"},
        {"\"pcrs\"", "not a JSON object"},
        {"{\"execute\":\"pcrs\"}{\"execute\":\"pcrs\"}", "not a JSON object"},
        {"{'execute':'pcrs'}", "not a JSON object"},
        {"{}", "execute is missing"},
        {"{\"execute\":5}", "execute is not a text"},
        {"{\"execute\":null}", "execute is not a text"},
        {"{\"execute\":\"\"}", "no command \"\""},
        {"{\"execute\":\"PCRS\"}", "no command \"PCRS\""},
        {"{\"execute\":\"extend\"}", "no command \"extend\""},
        {"{\"execute\":\"a\\u001b[2J\"}", "no command \"a\\x1b[2J\""},
        {"{\"execute\":\"pcrs\",\"id\":1}", "no member \"id\""},
        {"{\"execute\":\"pcrs\",\"arguments\":null}", "arguments is not an object"},
        {"{\"execute\":\"pcrs\",\"arguments\":[]}", "arguments is not an object"},
        {"{\"execute\":\"pcrs\",\"arguments\":{\"Bank\":\"sha1\"}}", "no argument \"Bank\""},
        {"{\"execute\":\"pcrs\",\"arguments\":{\"offset\":1}}", "no argument \"offset\""},
        {"{\"execute\":\"pcrs\",\"arguments\":{\"bank\":\"md5\"}}", "bank is not one of"},
        {"{\"execute\":\"pcrs\",\"arguments\":{\"bank\":11}}", "bank is not one of"},
        {"{\"execute\":\"pcrs\",\"arguments\":{\"bank\":null}}", "bank is not one of"},
        {"{\"execute\":\"verdict\",\"arguments\":{\"baseline\":\"/etc/shadow\"}}", "no argument \"baseline\""},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"offset\":-1}}", "offset is not a whole number"},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"offset\":4294967296}}", "offset is not a whole number"},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"offset\":99999999999999999999}}", "offset is not a whole number"},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"offset\":1.5}}", "offset is not a whole number"},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"limit\":0}}", "limit is not a whole number"},
        {"{\"execute\":\"eventlog\",\"arguments\":{\"limit\":\"1\"}}", "limit is not a whole number"},
        {"{\"execute\":\"quote\"}", "argument bank is missing"},
        {"{\"execute\":\"quote\",\"arguments\":{\"bank\":\"sha1\"}}", "argument nonce is missing"},
        {"{\"execute\":\"quote\",\"arguments\":{\"bank\":\"sha1\",\"nonce\":\"" HALF "\"}}", "selection is missing"},
        {"{\"execute\":\"quote\",\"arguments\":{\"bank\":\"sha1\",\"nonce\":\"" HALF "\",\"selection\":\"0\"}}",
         "report is missing"},
        {QUOTE("\"\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is too short"},
        {QUOTE("\"00112233445566778899aabbccddee\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is too short"},
        {QUOTE("\"" HASH HASH "00\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is too long"},
        {QUOTE("\"" HALF "0\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is not a text of hex"},
        {QUOTE("\"" HALF "0x\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is not a text of hex"},
        {QUOTE("\"" HALF "\\u000000\"", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is not a text of hex"},
        {QUOTE("17", "\"sha1\"", "\"0\"", "\"" HASH "\""), "nonce is not a text of hex"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"\"", "\"" HASH "\""), "selection is not a list"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"24\"", "\"" HASH "\""), "selection is not a list"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"3-1\"", "\"" HASH "\""), "selection is not a list"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "[0]", "\"" HASH "\""), "selection is not a list"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"0\"", "\"" HALF "\""), "report_sha256 is not a SHA-256"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"0\"", "\"" HASH "00\""), "report_sha256 is not a SHA-256"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"0\"", "null"), "report_sha256 is not a SHA-256"},
        {QUOTE("\"" HALF "\"", "\"sha1\"", "\"0\"", "\"" HASH "\",\"report\":\"\""), "give only one of them"},
        {"{\"execute\":\"quote\",\"arguments\":{\"report\":1}}", "report is not a text"},
};

static void test_bad(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_fault_ Fault fault = {};
                TpmRequest q;

                if (parse(bad[i].text, &q, &fault) != FAULT || fault.class != FAULT_BAD_REQUEST ||
                    !strstr(fault.desc, bad[i].desc))
                        fail_msg("%s: %s", bad[i].text, strempty(fault.desc));
        }
}

static void test_long(_unused_ void **state) {
        static char text[TPM_REQUEST_SIZE_MAX + 1];
        _cleanup_fault_ Fault fault = {};
        TpmRequest q;

        memset(text, ' ', sizeof(text));
        memcpy(text, "{\"execute\":\"pcrs\"}", 18);
        assert_int_equal(tpm_request_parse(text, TPM_REQUEST_SIZE_MAX, &q, &fault), 0);
        assert_int_equal(tpm_request_parse(text, sizeof(text), &q, &fault), FAULT);
        assert_non_null(strstr(fault.desc, "longer than 524288 bytes"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
