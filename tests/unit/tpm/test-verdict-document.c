/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tpm/verdict.h"

static Verdict *compute(const VerdictInput *in) {
        Verdict *v;

        assert_int_equal(verdict_compute(in, &v), 0);
        return v;
}

static void assert_same_document(const Verdict *v) {
        _cleanup_json_ json_object *o = NULL, *p = NULL;
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL;
        _cleanup_(verdict_freep) Verdict *again = NULL;

        assert_int_equal(verdict_to_json(v, &o), 0);
        assert_int_equal(verdict_from_json(o, &again), 0);
        assert_int_equal(verdict_to_json(again, &p), 0);
        assert_int_equal(json_format(o, &a), 0);
        assert_int_equal(json_format(p, &b), 0);
        assert_string_equal(a.data, b.data);
}

static void test_document(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/a.bin");
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        _cleanup_(verdict_freep) Verdict *none = compute(&(VerdictInput) {.tpm = TPM_ABSENT}), *v = NULL;
        Pcrs pcrs = data_pcrs("a");

        assert_same_document(none);

        /* PCR 4 disagrees with the log, and its events are named. */
        pcrs.banks[ALGORITHM_SHA256].digests[4][0] ^= 1;
        assert_int_equal(eventlog_parse(b.data, b.size, &log), 0);
        v = compute(&(VerdictInput) {
                .tpm = TPM_20, .pcrs = &pcrs, .bank = _ALGORITHM_INVALID, .firmware = log, .boot_id = "b0"});
        assert_int_equal(v->n_events, 3);
        assert_same_document(v);
}

static void test_reread(_unused_ void **state) {
        static const char text[] =
                "{\"schema\":1,\"boot_id\":\"b0\",\"state\":\"measured\",\"reason\":\"r\",\"remedy\":null,"
                "\"bank\":\"sha256\",\"empty\":[2,3],\"secure_boot\":true,\"later\":{},"
                "\"log\":{\"status\":\"match\",\"reason\":null,\"bank\":\"sha1\",\"disagree\":[9],\"explained\":[5],"
                "\"banks\":{\"sha1\":{\"compared\":[0,9],\"disagree\":[9],\"explained\":[]}}},"
                "\"baseline\":{\"result\":\"warning\",\"reason\":\"w\",\"failed\":[],\"warned\":[8]},\"events\":[]}";
        _cleanup_json_ json_object *o = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;

        assert_int_equal(json_parse(text, strlen(text), &o), 0);
        assert_int_equal(verdict_from_json(o, &v), 0);
        assert_string_equal(v->boot_id, "b0");
        assert_int_equal(v->state, VERDICT_MEASURED);
        assert_int_equal(v->empty, 0xC);
        assert_int_equal(v->secure_boot, 1);
        assert_int_equal(v->log, VERDICT_LOG_MATCH);
        assert_int_equal(v->log_bank, ALGORITHM_SHA1);
        assert_int_equal(v->disagree, 1U << 9);
        assert_int_equal(v->explained, 1U << 5);
        assert_int_equal(v->banks[ALGORITHM_SHA1].compared, 0x201);
        assert_int_equal(v->baseline_warned, 1U << 8);
        assert_string_equal(verdict_code(v), "baseline-warning");
        assert_true(verdict_good(v));
}

/* Replaces a member of a good document. */
static const struct {
        const char *member, *inner; /* inner: a member of that one */
        const char *value;          /* NULL: taken out */
} damages[] = {
        {"schema", NULL, "2"},         {"schema", NULL, NULL},          {"state", NULL, "\"fine\""},
        {"state", NULL, NULL},         {"bank", NULL, "\"md5\""},       {"bank", NULL, NULL},
        {"empty", NULL, "[24]"},       {"empty", NULL, "null"},         {"secure_boot", NULL, "1"},
        {"secure_boot", NULL, NULL},   {"boot_id", NULL, "1"},          {"boot_id", NULL, NULL},
        {"reason", NULL, "null"},      {"reason", NULL, NULL},          {"remedy", NULL, "[]"},
        {"log", NULL, NULL},           {"log", NULL, "[]"},             {"log", "status", "\"ok\""},
        {"log", "bank", "1"},          {"log", "disagree", "{}"},       {"log", "explained", NULL},
        {"log", "banks", "[]"},        {"log", "banks", "{\"md5\":{}}"}, {"log", "banks", "{\"sha1\":{}}"},
        {"log", "reason", NULL},       {"baseline", NULL, NULL},        {"baseline", NULL, "1"},
        {"baseline", "result", "\"\""}, {"baseline", "failed", "[99]"}, {"baseline", "warned", NULL},
        {"events", NULL, NULL},        {"events", NULL, "{}"},          {"events", NULL, "[1]"},
        {"events", NULL, "[{\"pcr\":24,\"type\":\"\",\"description\":\"\",\"text\":\"\"}]"},
        {"events", NULL, "[{\"pcr\":2,\"type\":null,\"description\":\"\",\"text\":\"\"}]"},
        {"events", NULL, "[{\"pcr\":2,\"type\":\"\",\"description\":\"\"}]"},
};

static void test_damaged_document(_unused_ void **state) {
        _cleanup_(verdict_freep) Verdict *v = compute(&(VerdictInput) {.tpm = TPM_ABSENT});

        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                _cleanup_json_ json_object *o = NULL;
                json_object *target, *value = NULL;
                const char *name = damages[i].inner ? damages[i].inner : damages[i].member;
                Verdict *again = NULL;

                assert_int_equal(verdict_to_json(v, &o), 0);
                target = damages[i].inner ? json_object_object_get(o, damages[i].member) : o;
                json_object_object_del(target, name);
                if (damages[i].value) {
                        assert_int_equal(json_parse(damages[i].value, strlen(damages[i].value), &value), 0);
                        assert_int_equal(json_set(target, name, value), 0);
                }
                assert_int_equal(verdict_from_json(o, &again), -EBADMSG);
                assert_null(again);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_reread),
                cmocka_unit_test(test_damaged_document),
        };

        return cmocka_run_group_tests_name("verdict-document", tests, NULL, NULL);
}
