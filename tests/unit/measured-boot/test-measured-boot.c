/* SPDX-License-Identifier: Apache-2.0 */

/* This test is linked without libcrypto, to prove that measured-boot does not need it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"
#include "measured-boot/measured-boot.h"
#include "tpm/verdict.h"

#define BASELINE "/etc/gtuned/baseline.json"
#define KEPT "/run/gtuned/" MEASURED_BOOT_NAME

/* The guest of a test case. */
typedef struct Stage {
        Tree *tree;
        View view;
        Machine machine;
        Policy policy;
        Ledger ledger;
        PolicySetting settings[3];
        void *facts;
        Finding *finding;
} Stage;

static void stage_init(Stage *s) {
        void *tree;

        *s = (Stage) {};
        tree_setup(&tree);
        s->tree = tree;
        s->view = (View) {.root = s->tree->root, .machine = &s->machine, .policy = &s->policy, .ledger = &s->ledger,
                            .run_directory = "/run/gtuned"};
        s->machine.boot_id = (char *) "this";
        s->policy.settings = s->settings;
        assert_int_equal(finding_new(&s->finding, practice_measured_boot.name, NULL), 0);
}

static void stage_done(Stage *s) {
        void *tree = s->tree;

        practice_measured_boot.done(s->facts);
        finding_free(s->finding);
        tree_teardown(&tree);
}

/* Reads and observes, as a survey does; the last facts are kept for later questions. */
static int observe(Stage *s) {
        int r;

        practice_measured_boot.done(s->facts);
        r = practice_measured_boot.read(&s->view, &s->facts);
        return r < 0 ? r : practice_measured_boot.observe(&s->view, s->facts, s->finding);
}

static void set_policy(Stage *s, const char *name, const char *value) {
        const PolicyKeys *keys = &practice_measured_boot.keys;

        for (size_t i = 0; value && i < keys->n_keys; i++)
                if (streq(keys->keys[i].name, name))
                        s->settings[s->policy.n_settings++] =
                                (PolicySetting) {.key = keys->keys + i, .value = (char *) value};
}

/* PCR n holds the byte n everywhere. */
static void fill_pcrs(Pcrs *pcrs) {
        *pcrs = (Pcrs) {};
        pcrs->banks[ALGORITHM_SHA256].present = PCR_ALL;
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
                memset(pcrs->banks[ALGORITHM_SHA256].digests[pcr], (int) pcr, 32);
}

static void keep_verdict(const Stage *s, const Verdict *v) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        json_object *values;
        Pcrs pcrs;

        fill_pcrs(&pcrs);
        assert_int_equal(verdict_to_json(v, &o), 0);
        assert_int_equal(pcrs_to_json(&pcrs, &values), 0);
        assert_int_equal(json_set(o, "pcrs", values), 0);
        assert_int_equal(json_format(o, &text), 0);
        tree_file(s->tree, KEPT, text.data);
}

/* PCR 4 must be 04…, or the value of the case; PCR 9 has the level "warn" and likewise 09…. */
static void keep_baseline(const Stage *s, unsigned four, unsigned nine) {
        _cleanup_(baseline_freep) Baseline *b = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Pcrs pcrs;

        fill_pcrs(&pcrs);
        memset(pcrs.banks[ALGORITHM_SHA256].digests[4], (int) four, 32);
        memset(pcrs.banks[ALGORITHM_SHA256].digests[9], (int) nine, 32);
        assert_int_equal(baseline_make(&pcrs, ALGORITHM_SHA256, "test", &b), 0);
        assert_int_equal(baseline_format(b, &text), 0);
        tree_file(s->tree, BASELINE, text.data);
}

static void assert_finding(const Stage *s, size_t i, State state, const char *code) {
        const Finding *f = s->finding;

        if (f->state != state || !streq_ptr(f->reason_code, code))
                fail_msg("case %zu: %s, %s: %s", i, state_to_string(f->state), strempty(f->reason_code),
                         strempty(f->reason));
        assert_int_equal(!f->reason, !code);
}

static bool has_evidence(const Finding *f, const char *source, const char *value) {
        for (size_t i = 0; i < f->n_evidence; i++)
                if (streq(f->evidence[i].source, source) && strstr(strempty(f->evidence[i].value), value))
                        return true;

        return false;
}

static const struct {
        VerdictState verdict;
        VerdictLog log;
        State state;
        const char *code;
} verdict_cases[] = {
        {VERDICT_NO_TPM, VERDICT_LOG_ABSENT, STATE_UNSUPPORTED, "no-tpm"},
        {VERDICT_TPM_NO_DRIVER, VERDICT_LOG_ABSENT, STATE_UNSUPPORTED, "tpm-no-driver"},
        {VERDICT_TPM12, VERDICT_LOG_ABSENT, STATE_UNSUPPORTED, "tpm12"},
        {VERDICT_UNREADABLE, VERDICT_LOG_ABSENT, STATE_UNKNOWN, "unreadable"},
        {VERDICT_NOT_MEASURED, VERDICT_LOG_ABSENT, STATE_DIFFERS, "not-measured"},
        {VERDICT_NOT_MEASURED, VERDICT_LOG_MATCH, STATE_DIFFERS, "not-measured"},
        {VERDICT_WRONG_BANK, VERDICT_LOG_ABSENT, STATE_DIFFERS, "wrong-bank"},
        {VERDICT_SEPARATOR_ONLY, VERDICT_LOG_ABSENT, STATE_DIFFERS, "separator-only"},
        {VERDICT_PARTIAL, VERDICT_LOG_MATCH, STATE_DIFFERS, "partial"},
        {VERDICT_MEASURED, VERDICT_LOG_MISMATCH, STATE_DIFFERS, "log-mismatch"},
        {VERDICT_MEASURED, VERDICT_LOG_UNUSABLE, STATE_UNKNOWN, "log-unusable"},
        {VERDICT_MEASURED, VERDICT_LOG_ABSENT, STATE_ACTIVE, "log-absent"},
        {VERDICT_MEASURED, VERDICT_LOG_MATCH, STATE_ACTIVE, NULL},
};

static Verdict verdict_of(VerdictState state, VerdictLog log) {
        return (Verdict) {
                .boot_id = (char *) "this",
                .state = state,
                .reason = (char *) "a sentence",
                .bank = state < VERDICT_NOT_MEASURED ? _ALGORITHM_INVALID : ALGORITHM_SHA256,
                .log = log,
                .log_bank = _ALGORITHM_INVALID,
                .secure_boot = -1,
        };
}

static void test_verdicts(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(verdict_cases); i++) {
                const Verdict v = verdict_of(verdict_cases[i].verdict, verdict_cases[i].log);

                /* The state does not depend on the policy; whether it is a failure does. */
                for (unsigned wanted = 0; wanted < 3; wanted++) {
                        _cleanup_(stage_done) Stage s;

                        stage_init(&s);
                        keep_verdict(&s, &v);
                        set_policy(&s, "require", wanted == 0 ? NULL : wanted == 1 ? "no" : "yes");
                        assert_int_equal(observe(&s), 0);

                        assert_finding(&s, i, verdict_cases[i].state, verdict_cases[i].code);
                        assert_int_equal(s.finding->wanted, wanted == 0 ? WANTED_NOTHING : WANTED_ON);
                        assert_int_equal(s.finding->n_settings, wanted == 0 ? 0 : 3);
                        assert_int_equal(practice_measured_boot.fails(&s.view, s.finding),
                                         wanted == 2 && verdict_cases[i].state != STATE_ACTIVE);
                        assert_true(has_evidence(s.finding, KEPT,
                                                 verdict_state_to_string(v.state)));
                }
        }
}

#define EVENT(n, name, words) \
        {.pcr = n, .type = (char *) name, .description = (char *) words, .text = (char *) "verified"}

static void test_details(_unused_ void **state) {
        _cleanup_(stage_done) Stage s;
        VerdictEvent events[] = {
                EVENT(4, "EV_FIRST", "is cut off"), EVENT(4, "EV_A", "1"),  EVENT(4, "EV_A", "2"),
                EVENT(4, "EV_A", "3"),              EVENT(7, "EV_LAST", "Secure Boot"),
        };
        Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MISMATCH);

        v.disagree = 1U << 4 | 1U << 7;
        v.secure_boot = 1;
        v.remedy = (char *) "do this";
        v.events = events;
        v.n_events = ELEMENTSOF(events);
        stage_init(&s);
        keep_verdict(&s, &v);
        assert_int_equal(observe(&s), 0);

        assert_finding(&s, 0, STATE_DIFFERS, "log-mismatch");
        assert_string_equal(s.finding->remedy, "do this");
        assert_true(has_evidence(s.finding, "PCRs that disagree with the event log", "4,7"));
        assert_true(has_evidence(s.finding, "Secure Boot", "on"));
        assert_true(has_evidence(s.finding, "EV_LAST in PCR 7", "Secure Boot"));
        assert_false(has_evidence(s.finding, "EV_FIRST in PCR 4", "is cut off"));
}

static void test_no_verdict(_unused_ void **state) {
        static const struct {
                const char *text; /* NULL: no file */
                const char *code;
        } cases[] = {
                {NULL, "not-judged"},
                {"", "verdict-unreadable"},
                {"[]", "verdict-unreadable"},
                {"{\"schema\":2}", "verdict-unreadable"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                set_policy(&s, "require", "yes");
                if (cases[i].text)
                        tree_file(s.tree, KEPT, cases[i].text);
                assert_int_equal(observe(&s), 0);
                assert_finding(&s, i, STATE_UNKNOWN, cases[i].code);
                assert_string_equal(s.finding->remedy, "run `gtune apply`");
                assert_true(practice_measured_boot.fails(&s.view, s.finding));
        }
}

static void test_other_boot(_unused_ void **state) {
        static const struct {
                const char *kept, *now;
        } cases[] = {{"other", "this"}, {NULL, "this"}, {"this", NULL}, {NULL, NULL}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(stage_done) Stage s;
                Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

                v.boot_id = (char *) cases[i].kept;
                stage_init(&s);
                s.machine.boot_id = (char *) cases[i].now;
                keep_verdict(&s, &v);
                assert_int_equal(observe(&s), 0);
                assert_finding(&s, i, STATE_UNKNOWN, "other-boot");
        }
}

static void test_image(_unused_ void **state) {
        _cleanup_(stage_done) Stage s;
        const Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

        stage_init(&s);
        s.machine.kind = MACHINE_IMAGE;
        set_policy(&s, "require", "yes");
        keep_verdict(&s, &v);
        assert_int_equal(observe(&s), 0);
        assert_finding(&s, 0, STATE_OFF, "image");
        assert_int_equal(s.finding->wanted, WANTED_ON);
        assert_false(practice_measured_boot.fails(&s.view, s.finding));
}

static void test_bank(_unused_ void **state) {
        static const struct {
                const char *policy;
                State state;
                const char *code;
        } cases[] = {
                {NULL, STATE_ACTIVE, NULL}, {"sha256", STATE_ACTIVE, NULL}, {"sha384", STATE_UNKNOWN, "other-bank"},
        };
        const Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                set_policy(&s, "bank", cases[i].policy);
                keep_verdict(&s, &v);
                assert_int_equal(observe(&s), 0);
                assert_finding(&s, i, cases[i].state, cases[i].code);
        }
}

static void test_baseline(_unused_ void **state) {
        static const struct {
                unsigned four, nine;
                VerdictLog log;
                State state;
                const char *code;
                const char *evidence; /* the PCR that it names */
        } cases[] = {
                {4, 9, VERDICT_LOG_MATCH, STATE_ACTIVE, NULL, NULL},
                {4, 9, VERDICT_LOG_ABSENT, STATE_ACTIVE, "log-absent", NULL},
                {5, 9, VERDICT_LOG_MATCH, STATE_DIFFERS, "baseline-mismatch", "PCR 4"},
                {5, 9, VERDICT_LOG_ABSENT, STATE_DIFFERS, "baseline-mismatch", "PCR 4"},
                {5, 8, VERDICT_LOG_UNUSABLE, STATE_DIFFERS, "baseline-mismatch", "PCR 9"},
                {5, 9, VERDICT_LOG_MISMATCH, STATE_DIFFERS, "log-mismatch", "PCR 4"},
                {4, 8, VERDICT_LOG_MATCH, STATE_ACTIVE, "baseline-warning", "PCR 9"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(stage_done) Stage s;
                const Verdict v = verdict_of(VERDICT_MEASURED, cases[i].log);

                stage_init(&s);
                set_policy(&s, "baseline", BASELINE);
                set_policy(&s, "require", "yes");
                keep_verdict(&s, &v);
                keep_baseline(&s, cases[i].four, cases[i].nine);
                assert_int_equal(observe(&s), 0);
                assert_finding(&s, i, cases[i].state, cases[i].code);
                if (cases[i].evidence)
                        assert_true(has_evidence(s.finding, cases[i].evidence, "the baseline allows 0"));
        }
}

static void test_bad_baseline(_unused_ void **state) {
        static const char *const texts[] = {NULL, "", "{}", "{\"schema\":1,\"bank\":\"sha256\",\"pcrs\":{\"24\":{}}}"};
        const Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                set_policy(&s, "baseline", BASELINE);
                keep_verdict(&s, &v);
                if (texts[i])
                        tree_file(s.tree, BASELINE, texts[i]);
                assert_int_equal(observe(&s), 0);
                assert_finding(&s, i, STATE_UNKNOWN, "baseline-invalid");
                assert_non_null(strstr(s.finding->reason, BASELINE));
        }
}

/* A baseline cannot be compared if the values of its bank were not kept. */
static void test_baseline_of_other_bank(_unused_ void **state) {
        _cleanup_(stage_done) Stage s;
        const Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

        stage_init(&s);
        set_policy(&s, "baseline", BASELINE);
        keep_verdict(&s, &v);
        tree_file(s.tree, BASELINE, "{\"schema\":1,\"bank\":\"sha1\",\"pcrs\":{\"4\":{\"level\":\"must\",\"values\":[{"
                                    "\"digest\":\"0000000000000000000000000000000000000000\",\"label\":\"a\"}]}}}");
        assert_int_equal(observe(&s), 0);
        assert_finding(&s, 0, STATE_UNKNOWN, "baseline-invalid");
        assert_non_null(strstr(s.finding->reason, "bank sha1"));
}

/* The kept verdict may have been made with a baseline that the policy does not name any more. */
static void test_no_baseline(_unused_ void **state) {
        _cleanup_(stage_done) Stage s;
        Verdict v = verdict_of(VERDICT_MEASURED, VERDICT_LOG_MATCH);

        v.baseline = BASELINE_FAILURE;
        v.baseline_failed = 1U << 4;
        stage_init(&s);
        keep_verdict(&s, &v);
        assert_int_equal(observe(&s), 0);
        assert_finding(&s, 0, STATE_ACTIVE, NULL);
}

static void test_wanted(_unused_ void **state) {
        static const struct {
                const char *name, *value;
                size_t errors;
                Wanted wanted;
        } cases[] = {
                {NULL, NULL, 0, WANTED_NOTHING},
                {"require", "no", 0, WANTED_ON},
                {"require", "yes", 0, WANTED_ON},
                {"bank", "sha256", 0, WANTED_ON},
                {"baseline", BASELINE, 0, WANTED_ON},
                {"require", "yes", 1, WANTED_NOTHING},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                set_policy(&s, strempty(cases[i].name), cases[i].value);
                s.policy.n_errors = cases[i].errors;
                assert_int_equal(observe(&s), 0);
                assert_int_equal(s.finding->wanted, cases[i].wanted);
                assert_false(s.finding->held);
        }
}

static bool is_explained(const char *code) {
        for (size_t i = 0; i < practice_measured_boot.n_reasons; i++)
                if (streq(practice_measured_boot.reasons[i].code, code))
                        return true;

        return false;
}

static void test_codes(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(verdict_cases); i++)
                assert_true(!verdict_cases[i].code || is_explained(verdict_cases[i].code));
        for (VerdictState i = 0; i < VERDICT_MEASURED; i++)
                assert_true(is_explained(verdict_state_to_string(i)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verdicts),
                cmocka_unit_test(test_details),
                cmocka_unit_test(test_no_verdict),
                cmocka_unit_test(test_other_boot),
                cmocka_unit_test(test_image),
                cmocka_unit_test(test_bank),
                cmocka_unit_test(test_baseline),
                cmocka_unit_test(test_bad_baseline),
                cmocka_unit_test(test_baseline_of_other_bank),
                cmocka_unit_test(test_no_baseline),
                cmocka_unit_test(test_wanted),
                cmocka_unit_test(test_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
