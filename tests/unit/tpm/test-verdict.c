/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/make-log.h"
#include "tpm/userspace-log.h"
#include "tpm/verdict.h"

/* A PCR that holds one of these values has no measurement. */
static const struct {
        Algorithm bank;
        PcrContent content;
        const char *digest;
} constants[] = {
        {ALGORITHM_SHA1, PCR_CONTENT_SEPARATOR, "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236"},
        {ALGORITHM_SHA1, PCR_CONTENT_SEPARATOR, "3a3f780f11a4b49969fcaa80cd6e3957c33b2275"},
        {ALGORITHM_SHA1, PCR_CONTENT_SEPARATOR, "ace89467f5fdb985ac17fbb2163e94da9b16a2ef"},
        {ALGORITHM_SHA256, PCR_CONTENT_SEPARATOR, "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969"},
        {ALGORITHM_SHA256, PCR_CONTENT_SEPARATOR, "e21b703ee69c77476bccb43ec0336a9a1b2914b378944f7b00a10214ca8fea93"},
        {ALGORITHM_SHA256, PCR_CONTENT_SEPARATOR, "486b106959e77e23f464fb8f443b36d47c32d396c08591c634fe92847c5b65c9"},
        {ALGORITHM_SHA256, PCR_CONTENT_SEPARATOR, "8d22c738fcd1730fb0789cb09c0f72a0012baa3ea867723b26772c9ca0ae6571"},
        {ALGORITHM_SHA256, PCR_CONTENT_SEPARATOR, "b0434b8bde2f6089dfa0ba8f01f7d5ef6a0a54accdd23eb24d773af86d4f3f5c"},
        {ALGORITHM_SHA256, PCR_CONTENT_START, "3345a4e7857aa5ae65e97702ade84a3755fd6144724779536b5773128676c99c"},
        {ALGORITHM_SHA256, PCR_CONTENT_START, "0000000000000000000000000000000000000000000000000000000000000000"},
        {ALGORITHM_SHA256, PCR_CONTENT_MEASURED, "0000000000000000000000000000000000000000000000000000000000000001"},
        {ALGORITHM_SHA384, PCR_CONTENT_SEPARATOR, "518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae4d"
                                                  "50529d96fe4d1afdafb65e7f95bf23c4"},
        {ALGORITHM_SHA512, PCR_CONTENT_SEPARATOR, "27ec091533c4b9eea38dd14c3a3ecdef0a99c1e564cbe66dfe008250154e7839"
                                                  "b0b75228fe8debcc4ca330e6aebc1abc74070bc9c9c1e26b939c9d916e45e13c"},
        {ALGORITHM_SM3_256, PCR_CONTENT_SEPARATOR, "0d72b0164e4fa67d6b43d3cb8ead734737e479767e0d545eff22c6fe6275b357"},
};

static void test_constants(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(constants); i++) {
                uint8_t digest[DIGEST_SIZE_MAX];
                PcrContent content;

                assert_int_equal(hex_decode(constants[i].digest, algorithm_size(constants[i].bank), digest), 0);
                for (unsigned pcr = 0; pcr < 8; pcr++) {
                        int r = pcr_content(constants[i].bank, pcr, digest, &content);

                        if (r == -EOPNOTSUPP && constants[i].bank == ALGORITHM_SM3_256)
                                continue;
                        assert_int_equal(r, 0);
                        assert_int_equal(content, constants[i].content);
                }
        }
}

/* A TPM that was started from another locality: only PCR 0 has another start value. */
static void test_localities(_unused_ void **state) {
        for (uint8_t locality = 3; locality <= 4; locality++) {
                uint8_t pcr[32] = {[31] = locality}, digest[32];
                PcrContent content;

                assert_int_equal(pcr_content(ALGORITHM_SHA256, 0, pcr, &content), 0);
                assert_int_equal(content, PCR_CONTENT_START);
                assert_int_equal(pcr_content(ALGORITHM_SHA256, 1, pcr, &content), 0);
                assert_int_equal(content, PCR_CONTENT_MEASURED);

                assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {"\0\0\0", 4}, 1, digest), 0);
                assert_int_equal(pcr_extend(ALGORITHM_SHA256, pcr, digest), 0);
                assert_int_equal(pcr_content(ALGORITHM_SHA256, 0, pcr, &content), 0);
                assert_int_equal(content, PCR_CONTENT_SEPARATOR);
        }
}

static Verdict *compute(const VerdictInput *in) {
        Verdict *v;

        assert_int_equal(verdict_compute(in, &v), 0);
        assert_non_null(v->reason);
        return v;
}

/* The PCRs of a TPM after a reset: zeros in these banks. */
static Pcrs fresh_pcrs(uint32_t banks) {
        Pcrs pcrs = {};

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (banks & 1U << i)
                        pcrs.banks[i].present = PCR_ALL;
        return pcrs;
}

static void extend(Pcrs *pcrs, Algorithm bank, uint32_t selection, const char *data, size_t size) {
        uint8_t digest[DIGEST_SIZE_MAX];

        assert_int_equal(algorithm_hash(bank, &(HashPart) {data, size}, 1, digest), 0);
        for (unsigned i = 0; i < PCR_COUNT; i++)
                if (selection & 1U << i)
                        assert_int_equal(pcr_extend(bank, pcrs->banks[bank].digests[i], digest), 0);
}

/* The steps of a firmware in one bank of a TPM with the banks SHA-1 and SHA-256. */
static const struct {
        TpmPresence tpm;
        Algorithm wanted;
        Algorithm bank;      /* that is extended */
        uint32_t measured;   /* PCRs with a measurement */
        uint32_t separator;  /* then a separator in these */
        bool os_separator;   /* then systemd's in 0 to 7 */
        VerdictState state;
        Algorithm chosen;
        const char *reason;
} ladder[] = {
        {TPM_ABSENT, -1, ALGORITHM_SHA256, 0xFF, 0xFF, false, VERDICT_NO_TPM, -1, "this machine has no TPM"},
        {TPM_NO_DRIVER, -1, ALGORITHM_SHA256, 0xFF, 0xFF, false, VERDICT_TPM_NO_DRIVER, -1, "the firmware announces a TPM"},
        {TPM_12, -1, ALGORITHM_SHA256, 0xFF, 0xFF, false, VERDICT_TPM12, -1, "has a TPM 1.2"},
        {TPM_20, -1, ALGORITHM_SHA256, 0, 0, false, VERDICT_NOT_MEASURED, ALGORITHM_SHA256, "did not measure"},
        {TPM_20, ALGORITHM_SHA1, ALGORITHM_SHA256, 0, 0, false, VERDICT_NOT_MEASURED, ALGORITHM_SHA1, "every bank"},
        {TPM_20, -1, ALGORITHM_SHA256, 0, 0, true, VERDICT_NOT_MEASURED, ALGORITHM_SHA256, "did not measure"},
        {TPM_20, -1, ALGORITHM_SHA1, 0xFF, 0xFF, false, VERDICT_WRONG_BANK, ALGORITHM_SHA256,
         "another bank than sha256"},
        {TPM_20, -1, ALGORITHM_SHA1, 0, 0xFF, false, VERDICT_WRONG_BANK, ALGORITHM_SHA256, "another bank than sha256"},
        {TPM_20, ALGORITHM_SHA1, ALGORITHM_SHA256, 0xFF, 0xFF, false, VERDICT_WRONG_BANK, ALGORITHM_SHA1, "than sha1"},
        {TPM_20, ALGORITHM_SHA384, ALGORITHM_SHA256, 0xFF, 0xFF, false, VERDICT_WRONG_BANK, ALGORITHM_SHA384,
         "the sha384 bank is not active in this TPM"},
        {TPM_20, -1, ALGORITHM_SHA256, 0, 0xFF, false, VERDICT_SEPARATOR_ONLY, ALGORITHM_SHA256, "measured nothing"},
        {TPM_20, -1, ALGORITHM_SHA256, 0, 0xFF, true, VERDICT_SEPARATOR_ONLY, ALGORITHM_SHA256, "measured nothing"},
        {TPM_20, -1, ALGORITHM_SHA256, 0, 0x0F, false, VERDICT_SEPARATOR_ONLY, ALGORITHM_SHA256, "measured nothing"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x16, 0xFF, false, VERDICT_PARTIAL, ALGORITHM_SHA256, "PCR 0,7 (sha256)"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x81, 0xFF, false, VERDICT_PARTIAL, ALGORITHM_SHA256, "PCR 4 (sha256)"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x81, 0, false, VERDICT_PARTIAL, ALGORITHM_SHA256, "PCR 4 (sha256)"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x11, 0xFF, true, VERDICT_PARTIAL, ALGORITHM_SHA256, "PCR 7 (sha256)"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x91, 0xFF, false, VERDICT_MEASURED, ALGORITHM_SHA256, "there is no event log"},
        {TPM_20, -1, ALGORITHM_SHA256, 0x91, 0xFF, true, VERDICT_MEASURED, ALGORITHM_SHA256, "there is no event log"},
        {TPM_20, ALGORITHM_SHA1, ALGORITHM_SHA1, 0xFF, 0xFF, false, VERDICT_MEASURED, ALGORITHM_SHA1, "(sha1)"},
};

static void test_ladder(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(ladder); i++) {
                _cleanup_(verdict_freep) Verdict *v = NULL;
                Pcrs pcrs = fresh_pcrs(1U << ALGORITHM_SHA1 | 1U << ALGORITHM_SHA256);
                const VerdictInput in = {
                        .tpm = ladder[i].tpm,
                        .pcrs = ladder[i].tpm == TPM_20 ? &pcrs : NULL,
                        .bank = ladder[i].wanted < 0 ? _ALGORITHM_INVALID : ladder[i].wanted,
                };

                extend(&pcrs, ladder[i].bank, ladder[i].measured, "code", 4);
                extend(&pcrs, ladder[i].bank, ladder[i].separator, "\0\0\0", 4);
                if (ladder[i].os_separator)
                        extend(&pcrs, ladder[i].bank, 0xFF, "os-separator", strlen("os-separator"));

                v = compute(&in);
                assert_int_equal(v->state, ladder[i].state);
                assert_int_equal(v->bank, ladder[i].chosen < 0 ? _ALGORITHM_INVALID : ladder[i].chosen);
                assert_non_null(strstr(v->reason, ladder[i].reason));
                assert_int_equal(verdict_good(v), ladder[i].state == VERDICT_MEASURED);
                assert_string_equal(verdict_code(v), ladder[i].state == VERDICT_MEASURED
                                                             ? "log-absent"
                                                             : verdict_state_to_string(ladder[i].state));
        }
}

static void test_unreadable(_unused_ void **state) {
        Pcrs none = {}, some = fresh_pcrs(1U << ALGORITHM_SHA256);
        const VerdictInput inputs[] = {
                {.tpm = TPM_20, .bank = _ALGORITHM_INVALID, .pcrs_reason = "permission denied"},
                {.tpm = TPM_20, .bank = _ALGORITHM_INVALID, .pcrs = &none},
                {.tpm = TPM_20, .bank = ALGORITHM_SHA256, .pcrs = &some},
        };

        some.banks[ALGORITHM_SHA256].present &= ~(1U << 5);
        some.banks[ALGORITHM_SHA256].digests[0][1] = 1;
        for (size_t i = 0; i < ELEMENTSOF(inputs); i++) {
                _cleanup_(verdict_freep) Verdict *v = compute(inputs + i);

                assert_int_equal(v->state, VERDICT_UNREADABLE);
                if (i == 0)
                        assert_string_equal(v->reason, "the PCRs of the TPM could not be read: permission denied");
        }
}

static EventLog *vector_log(const char *name) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.bin", name);

        return parse_log(&b);
}

/* SeaBIOS does not measure itself: no bank is "measured". */
static void test_vectors(_unused_ void **state) {
        static const struct {
                const char *name;
                VerdictState state;
                uint32_t empty;
                int secure_boot;
        } cases[] = {
                {"a", VERDICT_MEASURED, 0x4C, 0},
                {"e", VERDICT_MEASURED, 0x4C, 0},
                {"d1", VERDICT_MEASURED, 0x4C, 0},
                {"sea", VERDICT_PARTIAL, 0xE9, -1},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (Algorithm bank = 0; bank < ALGORITHM_SM3_256; bank++) {
                        _cleanup_(eventlog_freep) EventLog *log = vector_log(cases[i].name);
                        _cleanup_(verdict_freep) Verdict *v = NULL;
                        const Pcrs pcrs = data_pcrs(cases[i].name);

                        v = compute(&(VerdictInput) {.tpm = TPM_20, .pcrs = &pcrs, .bank = bank, .firmware = log});
                        assert_int_equal(v->state, cases[i].state);
                        assert_int_equal(v->log, VERDICT_LOG_MATCH);
                        assert_int_equal(v->log_bank, bank);
                        assert_int_equal(v->empty, cases[i].empty);
                        assert_int_equal(v->secure_boot, cases[i].secure_boot);
                        assert_int_equal(v->disagree, 0);
                        assert_int_equal(v->n_events, 0);
                        assert_true(streq_ptr(verdict_code(v), cases[i].state == VERDICT_MEASURED ? NULL : "partial"));
                }
}

static void test_mismatch(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a");
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Pcrs pcrs = data_pcrs("a");

        extend(&pcrs, ALGORITHM_SHA256, 1U << 4 | 1U << 9, "something", 9);
        v = compute(&(VerdictInput) {.tpm = TPM_20, .pcrs = &pcrs, .bank = ALGORITHM_SHA256, .firmware = log});
        assert_int_equal(v->state, VERDICT_MEASURED);
        assert_int_equal(v->log, VERDICT_LOG_MISMATCH);
        assert_int_equal(v->disagree, 1U << 4 | 1U << 9);
        assert_int_equal(v->banks[ALGORITHM_SHA1].differ, 0);
        assert_string_equal(v->reason, "the event log does not lead to the value of PCR 4 (sha256)");
        assert_string_equal(verdict_code(v), "log-mismatch");
        assert_int_equal(v->secure_boot, -1); /* nothing in it is proven */
        assert_false(verdict_good(v));

        /* The events of PCR 4: image, action, separator; of PCR 9: command line and initrd. */
        assert_int_equal(v->n_events, 5);
        assert_int_equal(v->events[0].pcr, 4);
        assert_string_equal(v->events[0].description, "EFI program kernel, 8247232 bytes");
        assert_string_equal(v->events[1].text, "verified");
        assert_string_equal(v->events[3].type, "EV_EVENT_TAG");
}

/* A disagreement above PCR 7 is reported, and does not change the verdict. */
static void test_later_pcrs(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a");
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Pcrs pcrs = data_pcrs("a");

        extend(&pcrs, ALGORITHM_SHA256, 1U << 9 | 1U << 11, "systemd", 7);
        v = compute(&(VerdictInput) {.tpm = TPM_20, .pcrs = &pcrs, .bank = _ALGORITHM_INVALID, .firmware = log});
        assert_int_equal(v->log, VERDICT_LOG_MATCH);
        assert_int_equal(v->disagree, 1U << 9);
        assert_true(verdict_good(v));
        assert_int_equal(v->n_events, 2);
}

static void test_log_states(_unused_ void **state) {
        _cleanup_buffer_ Buffer whole = data_read("/eventlogs/a.bin"), header = BUFFER_NULL, sha1 = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *cut = NULL, *empty = NULL, *unreadable = NULL, *other = NULL;
        Pcrs pcrs = data_pcrs("a");
        const struct {
                EventLog *log;
                VerdictLog expected;
                const char *code, *reason;
        } *c, cases[] = {
                {NULL, VERDICT_LOG_ABSENT, "log-absent", "there is no event log"},
                {empty = parse_log(&header), VERDICT_LOG_ABSENT, "log-absent", "there is no event log"},
                {cut = parse_log(&(Buffer) {.data = whole.data, .size = 1000}), VERDICT_LOG_UNUSABLE, "log-unusable",
                 "the event log is truncated: it ends inside the record at byte"},
                {(eventlog_new_unreadable(EVENT_LOG_CRYPTO_AGILE, "larger than 4 MiB", &unreadable), unreadable),
                 VERDICT_LOG_UNUSABLE, "log-unusable", "the event log is unreadable: larger than 4 MiB"},
                {(put_sha1_event(&sha1, 0, EV_SEPARATOR, "\0\0\0", 4), other = parse_log(&sha1)), VERDICT_LOG_ABSENT,
                 "log-absent", "the event log has no digests of a bank that this TPM has"},
        };

        pcrs.banks[ALGORITHM_SHA1].present = 0;
        for (c = cases; c < cases + ELEMENTSOF(cases); c++) {
                const VerdictInput in = {
                        .tpm = TPM_20,
                        .pcrs = &pcrs,
                        .bank = _ALGORITHM_INVALID,
                        .firmware = c->log,
                };
                _cleanup_(verdict_freep) Verdict *v = compute(&in);

                assert_int_equal(v->state, VERDICT_MEASURED);
                assert_int_equal(v->log, c->expected);
                assert_string_equal(verdict_code(v), c->code);
                assert_non_null(strstr(v->reason, c->reason));
                assert_int_equal(verdict_good(v), c->expected == VERDICT_LOG_ABSENT);
        }
}

/*
 * A log in the layout of TPM 1.2 says nothing of the SHA-256 bank. In its own bank it agrees or not. The log is that of a
 * Debian 10 guest on Google Cloud (google/go-eventlog, Apache-2.0); the PCRs of the SHA-256 bank are made up.
 */
static void test_sha1_log(_unused_ void **state) {
        static const struct {
                Algorithm bank;
                bool changed; /* PCR 4 of the SHA-1 bank is another one */
                VerdictLog log;
                const char *code, *reason;
        } cases[] = {
                {ALGORITHM_SHA256, false, VERDICT_LOG_ABSENT, "log-absent",
                 "this boot was measured (sha256); the event log has no sha256 digests, and leads to the PCRs of the "
                 "sha1 bank only"},
                {ALGORITHM_SHA256, true, VERDICT_LOG_MISMATCH, "log-mismatch",
                 "the event log does not lead to the value of PCR 4 (sha1)"},
                {ALGORITHM_SHA1, false, VERDICT_LOG_MATCH, NULL,
                 "this boot was measured (sha1), and the event log leads to the same PCRs"},
                {ALGORITHM_SHA1, true, VERDICT_LOG_MISMATCH, "log-mismatch",
                 "the event log does not lead to the value of PCR 4 (sha1)"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(eventlog_freep) EventLog *log = vector_log("google-cloud");
                _cleanup_(verdict_freep) Verdict *v = NULL;
                Pcrs pcrs = data_pcrs("google-cloud");

                if (cases[i].changed)
                        extend(&pcrs, ALGORITHM_SHA1, 1U << 4, "something", 9);
                v = compute(&(VerdictInput) {
                        .tpm = TPM_20, .pcrs = &pcrs, .bank = cases[i].bank, .firmware = log});
                assert_int_equal(v->state, VERDICT_MEASURED);
                assert_int_equal(v->log, cases[i].log);
                assert_int_equal(v->log_bank, ALGORITHM_SHA1);
                assert_true(streq_ptr(verdict_code(v), cases[i].code));
                assert_string_equal(v->reason, cases[i].reason);
                assert_int_equal(v->secure_boot >= 0, cases[i].log == VERDICT_LOG_MATCH);
        }
}

static void test_userspace(_unused_ void **state) {
        static const char broken[] = "\x1e{}\n";
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a"), *userspace = NULL;
        _cleanup_(verdict_freep) Verdict *with = NULL, *without = NULL, *damaged = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        Pcrs pcrs = data_pcrs("a");
        VerdictInput in = {.tpm = TPM_20, .pcrs = &pcrs, .bank = _ALGORITHM_INVALID, .firmware = log};

        for (unsigned pcr = 0; pcr < 8; pcr++) {
                buffer_printf(&b, "\x1e{\"pcr\":%u,\"digests\":[", pcr);
                for (Algorithm bank = 0; bank < ALGORITHM_SM3_256; bank++) {
                        uint8_t digest[DIGEST_SIZE_MAX];
                        char hex[2 * DIGEST_SIZE_MAX + 1];

                        algorithm_hash(bank, &(HashPart) {"os-separator", 12}, 1, digest);
                        hex_encode(digest, algorithm_size(bank), hex);
                        buffer_printf(&b, "%s{\"hashAlg\":\"%s\",\"digest\":\"%s\"}", bank > 0 ? "," : "",
                                      algorithm_to_string(bank), hex);
                        extend(&pcrs, bank, 1U << pcr, "os-separator", 12);
                }
                buffer_puts(&b, "],\"content\":{\"eventType\":\"os-separator\",\"string\":\"os-separator\"}}\n");
        }

        without = compute(&in);
        assert_int_equal(without->log, VERDICT_LOG_MATCH);
        assert_int_equal(without->explained, 0xFF);

        assert_int_equal(userspace_log_parse(b.data, b.size, &userspace), 0);
        in.userspace = userspace;
        with = compute(&in);
        assert_int_equal(with->state, VERDICT_MEASURED);
        assert_int_equal(with->log, VERDICT_LOG_MATCH);
        assert_int_equal(with->explained, 0);
        assert_null(with->log_reason);

        eventlog_free(userspace);
        assert_int_equal(userspace_log_parse(broken, strlen(broken), &userspace), 0);
        in.userspace = userspace;
        damaged = compute(&in);
        assert_int_equal(damaged->log, VERDICT_LOG_MATCH);
        assert_string_equal(damaged->log_reason,
                            "systemd's measurement log is malformed: there is no valid record (byte 0)");
}

static void test_baseline(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("d1");
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_(verdict_freep) Verdict *failure = NULL, *warning = NULL, *invalid = NULL;
        Pcrs a = data_pcrs("a"), d1 = data_pcrs("d1");
        VerdictInput in = {.tpm = TPM_20, .pcrs = &d1, .bank = _ALGORITHM_INVALID, .firmware = log};

        assert_int_equal(baseline_make(&a, ALGORITHM_SHA256, NULL, &baseline), 0);
        in.baseline = baseline;
        failure = compute(&in);
        assert_int_equal(failure->baseline, BASELINE_FAILURE);
        assert_int_equal(failure->log, VERDICT_LOG_MATCH);
        assert_string_equal(verdict_code(failure), "baseline-mismatch");
        assert_true(failure->n_events > 0);
        assert_false(verdict_good(failure));
        assert_true(startswith(failure->reason, "the baseline allows no such value of PCR 0,4 (sha256)") != NULL);

        for (unsigned i = 0; i < 8; i++)
                baseline->pcrs[i].level = BASELINE_WARN;
        warning = compute(&in);
        assert_int_equal(warning->baseline, BASELINE_WARNING);
        assert_string_equal(verdict_code(warning), "baseline-warning");
        assert_true(verdict_good(warning));

        in.baseline = NULL;
        in.baseline_error = "/b.json: it is not valid JSON";
        invalid = compute(&in);
        assert_int_equal(invalid->baseline, BASELINE_INVALID);
        assert_string_equal(verdict_code(invalid), "baseline-invalid");
        assert_string_equal(invalid->reason, "/b.json: it is not valid JSON");
        assert_false(verdict_good(invalid));
}

/* The number of events is limited, and each PCR gets the same number of its last events. */
static void test_many_events(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Pcrs pcrs = fresh_pcrs(1U << ALGORITHM_SHA256);

        put_header(&b, 1U << ALGORITHM_SHA256);
        for (unsigned i = 0; i < 500; i++) {
                char text[32];

                (void) snprintf(text, sizeof(text), "event %u", i);
                put_event(&b, 1U << ALGORITHM_SHA256, 1, EV_ACTION, text, strlen(text));
        }
        put_event(&b, 1U << ALGORITHM_SHA256, 0, EV_ACTION, "first", 5);
        log = parse_log(&b);
        extend(&pcrs, ALGORITHM_SHA256, 0xFF, "code", 4);
        v = compute(&(VerdictInput) {.tpm = TPM_20, .pcrs = &pcrs, .bank = _ALGORITHM_INVALID, .firmware = log});
        assert_int_equal(v->disagree, 0xFF);
        assert_int_equal(v->n_events, VERDICT_EVENTS_MAX / 8 + 1);
        assert_string_equal(v->events[0].description, "event 492");
        assert_string_equal(v->events[8].description, "first");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_constants),   cmocka_unit_test(test_localities),
                cmocka_unit_test(test_ladder),      cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_vectors),     cmocka_unit_test(test_mismatch),
                cmocka_unit_test(test_later_pcrs),  cmocka_unit_test(test_log_states),
                cmocka_unit_test(test_sha1_log),    cmocka_unit_test(test_userspace),
                cmocka_unit_test(test_baseline),    cmocka_unit_test(test_many_events),
        };

        return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
