/* SPDX-License-Identifier: Apache-2.0 */

#include "measured-boot/measured-boot.h"
#include "tpm/verdict.h"

#define DOCUMENT_SIZE_MAX (1024U * 1024)
#define NAME "measured-boot"
#define JUDGE_AGAIN "run `gtune apply`"

/* What is known of this boot. */
typedef struct Known {
        Verdict *verdict;
        Pcrs pcrs; /* empty where they could not be read */
} Known;

static void known_done(Known *known) {
        verdict_free(known->verdict);
}

/* The kept verdict. Each of these returns 1 where it has set the finding's state, 0, or -ENOMEM. ----------- */

static int unknown(Finding *f, const char *code, const char *remedy, const char *reason) {
        int r;

        r = finding_verdict(f, STATE_UNKNOWN, code, remedy, "%s", reason);
        return r < 0 ? r : 1;
}

static int parse_document(const Buffer *b, Known *ret) {
        _cleanup_json_ json_object *o = NULL;
        json_object *values = NULL;
        int r;

        r = json_parse(b->data, b->size, &o);
        if (r >= 0)
                r = verdict_from_json(o, &ret->verdict);
        if (r < 0)
                return r;

        (void) json_object_object_get_ex(o, "pcrs", &values);
        return values ? pcrs_from_json(values, &ret->pcrs) : 0;
}

static int read_kept(const View *view, Finding *f, Known *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = root_read(view->root, MEASURED_BOOT_PATH, DOCUMENT_SIZE_MAX, &b);
        if (r == -ENOENT)
                return unknown(f, "not-judged", JUDGE_AGAIN, "no verdict was made in this boot yet");
        if (r >= 0)
                r = parse_document(&b, ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return unknown(f, "verdict-unreadable", JUDGE_AGAIN, MEASURED_BOOT_PATH " holds no verdict");

        if (!view->machine->boot_id || !streq_ptr(ret->verdict->boot_id, view->machine->boot_id))
                return unknown(f, "other-boot", JUDGE_AGAIN, MEASURED_BOOT_PATH " is the verdict of another boot");

        return 0;
}

/* The baseline: what counts is the file as it is now ------------------------------------------------------- */

/* "4, 9", or NULL for none. */
static int name_pcrs(uint32_t set, char **ret) {
        *ret = set == 0 ? NULL : pcr_selection_format(set);
        return set == 0 || *ret ? 0 : -ENOMEM;
}

static int explain_baseline(const char *path, const BaselineCheck *check, Verdict *v) {
        _cleanup_free_ char *pcrs = NULL;
        uint32_t set = check->failed ? check->failed : check->warned;
        int r;

        v->baseline = check->result;
        v->baseline_failed = check->failed;
        v->baseline_warned = check->warned;
        r = name_pcrs(set, &pcrs);
        if (r < 0 || !pcrs)
                return r;

        free(v->baseline_reason);
        v->baseline_reason = xasprintf("PCR %s %s no value that %s allows", pcrs,
                                       __builtin_popcount(set) == 1 ? "has" : "have", path);
        return v->baseline_reason ? 0 : -ENOMEM;
}

static int actual_to_evidence(const Baseline *baseline, const BaselineCheck *check, unsigned pcr, Finding *f) {
        _cleanup_free_ char *source = xasprintf("PCR %u", pcr), *value = NULL;
        const BaselinePcr *expected = baseline->pcrs + pcr;
        char is[2 * DIGEST_SIZE_MAX + 1] = "not read", allowed[2 * DIGEST_SIZE_MAX + 1];

        if (check->pcrs[pcr].actual)
                hex_encode(check->pcrs[pcr].actual, algorithm_size(baseline->bank), is);
        hex_encode(expected->values[0].digest, algorithm_size(baseline->bank), allowed);
        value = expected->n_values == 1
                        ? xasprintf("%s, and the baseline allows %s", is, allowed)
                        : xasprintf("%s, and the baseline allows %s and %zu more", is, allowed,
                                    expected->n_values - 1);

        return source && value ? finding_evidence(f, source, value) : -ENOMEM;
}

static int compare(const char *path, const Baseline *baseline, Known *known, Finding *f) {
        BaselineCheck check;
        int r;

        baseline_check(baseline, &known->pcrs, &check);
        r = explain_baseline(path, &check, known->verdict);
        for (unsigned pcr = 0; r >= 0 && pcr < PCR_COUNT; pcr++)
                if (((check.failed | check.warned) & 1U << pcr) != 0)
                        r = actual_to_evidence(baseline, &check, pcr, f);

        return r;
}

/* Takes the reason; NULL: no memory. */
static int no_comparison(Verdict *v, char *reason) {
        free(v->baseline_reason);
        v->baseline_reason = reason;
        v->baseline = BASELINE_INVALID;
        return reason ? 0 : -ENOMEM;
}

static int apply_baseline(const View *view, Known *known, Finding *f) {
        const char *path = policy_word(view->policy, NAME, "baseline", NULL);
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char *error = NULL;
        int r;

        known->verdict->baseline = BASELINE_NONE;
        if (!path || known->verdict->state != VERDICT_MEASURED)
                return 0;

        r = root_read(view->root, path, BASELINE_SIZE_MAX, &b);
        if (r >= 0)
                r = baseline_parse(b.data, b.size, path, &baseline, &error);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && pcrs_bank_exists(&known->pcrs, baseline->bank))
                return compare(path, baseline, known, f);
        if (r >= 0)
                return no_comparison(known->verdict, xasprintf("%s is about the bank %s, and this TPM has no such bank",
                                                               path, algorithm_to_string(baseline->bank)));

        return no_comparison(known->verdict, error ? error : xasprintf("%s cannot be read: %s", path, strerror(-r)));
}

/* The state that follows ---------------------------------------------------------------------------------- */

typedef struct Outcome {
        const char *code;   /* of verdict_code() */
        State state;
        const char *remedy; /* where the verdict has none of its own */
} Outcome;

static const Outcome outcomes[] = {
        {"no-tpm", STATE_UNSUPPORTED, "give the guest a TPM 2.0 (libvirt: <tpm model='tpm-crb'>)"},
        {"tpm12", STATE_UNSUPPORTED, "give the guest a TPM 2.0 in place of the TPM 1.2"},
        {"unreadable", STATE_UNKNOWN, JUDGE_AGAIN},
        {"not-measured", STATE_DIFFERS, "boot the guest with UEFI firmware that has a TPM driver"},
        {"wrong-bank", STATE_DIFFERS, "set bank to one that the firmware measures into"},
        {"separator-only", STATE_DIFFERS, "boot the guest with UEFI firmware that has a TPM driver"},
        {"partial", STATE_DIFFERS, "boot the guest with UEFI firmware that has a TPM driver"},
        {"log-mismatch", STATE_DIFFERS, "look at `gtune eventlog`, and find out who extends these PCRs"},
        {"baseline-invalid", STATE_UNKNOWN, "mend the baseline, or write it anew with `gtune baseline save`"},
        {"baseline-mismatch", STATE_DIFFERS, "find out what changed, and allow it with `gtune baseline add` if it is "
                                             "meant"},
        {"log-unusable", STATE_UNKNOWN, "look at `gtune eventlog`"},
        {"log-absent", STATE_ACTIVE, NULL},
        {"baseline-warning", STATE_ACTIVE, "find out what changed, and allow it with `gtune baseline add` if it is "
                                           "meant"},
};

/* The sentence of what verdict_code() names. */
static const char *outcome_reason(const Verdict *v, const char *code) {
        if (startswith(code, "baseline-"))
                return v->baseline_reason;
        if (streq(code, "log-absent"))
                return "this boot was measured, and there is no event log to compare it with";
        if (streq(code, "log-unusable") && v->log_reason)
                return v->log_reason;

        return v->reason;
}

static int judge(Finding *f, const Verdict *v) {
        const char *code = verdict_code(v), *remedy;

        if (!code)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);

        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                const Outcome *o = outcomes + i;

                if (!streq(o->code, code))
                        continue;
                remedy = v->remedy && !startswith(code, "baseline-") ? v->remedy : o->remedy;
                return finding_verdict(f, o->state, o->code, o->state == STATE_ACTIVE && !o->remedy ? NULL : remedy,
                                       "%s", strempty(outcome_reason(v, code)));
        }

        return finding_verdict(f, STATE_UNKNOWN, "verdict-unreadable", JUDGE_AGAIN,
                               MEASURED_BOOT_PATH " holds a verdict that this gtuned does not know");
}

/* A verdict in another bank than the policy now asks for says nothing about the one that counts. */
static int check_bank(const View *view, Finding *f, const Verdict *v) {
        const char *bank = policy_word(view->policy, NAME, "bank", NULL);

        if (!bank || v->bank == _ALGORITHM_INVALID || v->bank == algorithm_from_string(bank))
                return 0;

        return unknown(f, "other-bank", JUDGE_AGAIN, "this boot was judged in another bank than the policy asks for");
}

/* Evidence and settings ------------------------------------------------------------------------------------ */

static int evidence_of_set(Finding *f, const char *source, uint32_t set) {
        _cleanup_free_ char *pcrs = NULL;
        int r;

        r = name_pcrs(set, &pcrs);
        return r < 0 || !pcrs ? r : finding_evidence(f, source, pcrs);
}

static int add_evidence(Finding *f, const Verdict *v) {
        int r;

        r = finding_evidence(f, MEASURED_BOOT_PATH, verdict_state_to_string(v->state));
        if (r < 0 || v->state < VERDICT_NOT_MEASURED)
                return r;

        if (v->bank != _ALGORITHM_INVALID)
                r = finding_evidence(f, "PCR bank", algorithm_to_string(v->bank));
        if (r >= 0)
                r = evidence_of_set(f, "PCRs without a measurement", v->empty);
        if (r >= 0)
                r = finding_evidence(f, "event log", verdict_log_to_string(v->log));
        if (r >= 0)
                r = evidence_of_set(f, "PCRs that disagree with the event log", v->disagree);
        if (r >= 0 && v->secure_boot >= 0)
                r = finding_evidence(f, "Secure Boot", v->secure_boot > 0 ? "on" : "off");

        return r;
}

/* The event that came last is the one that a changed boot differs in most often, so the end of the list is kept. */
#define EVENTS_SHOWN 4U

static int add_events(Finding *f, const Verdict *v) {
        size_t first = v->n_events > EVENTS_SHOWN ? v->n_events - EVENTS_SHOWN : 0;

        for (size_t i = first; i < v->n_events; i++) {
                const VerdictEvent *e = v->events + i;
                _cleanup_free_ char *source = xasprintf("%s in PCR %u", strempty(e->type), e->pcr);

                if (!source || finding_evidence(f, source, e->description) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int add_settings(const View *view, Finding *f, const Verdict *v) {
        const char *bank = v && v->bank != _ALGORITHM_INVALID ? algorithm_to_string(v->bank) : NULL;
        const char *baseline = policy_word(view->policy, NAME, "baseline", NULL);
        bool required = policy_bool(view->policy, NAME, "require", false);
        bool known = policy_get(view->policy, NAME, "require");

        if (f->wanted != WANTED_ON)
                return 0;

        if (finding_setting(f, "require", known ? required ? "yes" : "no" : NULL,
                            v ? verdict_good(v) ? "yes" : "no" : NULL) < 0 ||
            finding_setting(f, "bank", policy_word(view->policy, NAME, "bank", NULL), bank) < 0 ||
            finding_setting(f, "baseline", baseline,
                            v && baseline ? baseline_result_to_string(v->baseline) : NULL) < 0)
                return -ENOMEM;

        return 0;
}

/* The practice -------------------------------------------------------------------------------------------- */

static const char *const bank_choices[] = {"sha1", "sha256", "sha384", "sha512", "sm3", NULL};

static const PolicyKey keys[] = {
        {NAME, "require", KEY_BOOL, NULL, "anything but a measured boot is a failure: yes or no"},
        {NAME, "bank", KEY_CHOICE, bank_choices, "the PCR bank to judge by"},
        {NAME, "baseline", KEY_PATH, NULL, "the file with the values that PCRs may have"},
};

/* There is nothing to enable: who sets a key wants to know. */
static void read_wanted(const View *view, Finding *f) {
        f->wanted = WANTED_NOTHING;
        for (size_t i = 0; view->policy->n_errors == 0 && i < ELEMENTSOF(keys); i++)
                if (policy_get(view->policy, NAME, keys[i].name))
                        f->wanted = WANTED_ON;
}

static int observe_boot(const View *view, Finding *f, Known *known) {
        int r;

        r = read_kept(view, f, known);
        if (r < 0)
                return r;
        if (r == 1) {
                known->verdict = verdict_free(known->verdict);
                return 0;
        }

        r = add_evidence(f, known->verdict);
        if (r >= 0)
                r = apply_baseline(view, known, f);
        if (r >= 0)
                r = check_bank(view, f, known->verdict);
        if (r != 0)
                return r < 0 ? r : 0;

        r = judge(f, known->verdict);
        return r >= 0 && f->state == STATE_DIFFERS ? add_events(f, known->verdict) : r;
}

static int observe(const View *view, Finding *f) {
        _cleanup_(known_done) Known known = {};
        int r;

        read_wanted(view, f);
        if (view->machine->kind == MACHINE_IMAGE)
                r = finding_verdict(f, STATE_OFF, "image", NULL, "an image has not booted, so nothing was measured");
        else
                r = observe_boot(view, f, &known);

        return r < 0 ? r : add_settings(view, f, known.verdict);
}

static int plan(_unused_ const View *view, _unused_ const Finding *finding, _unused_ Plan *p) {
        return 0;
}

/* An image has not booted. */
static bool fails(const View *view, const Finding *finding) {
        return finding->wanted == WANTED_ON && policy_bool(view->policy, NAME, "require", false) &&
               view->machine->kind != MACHINE_IMAGE && finding->state != STATE_ACTIVE;
}

static const Reason reasons[] = {
        {"image", "This is an image: it has not booted."},
        {"not-judged", "No verdict was made in this boot: the boot unit makes it, and so does `gtune apply`."},
        {"verdict-unreadable", "The kept verdict is damaged, or of another gtuned."},
        {"other-boot", "The kept verdict is of another boot."},
        {"other-bank", "The kept verdict is about another PCR bank than the policy asks for."},
        {"no-tpm", "The guest has no TPM."},
        {"tpm12", "The guest has a TPM 1.2, which cannot prove what is asked here."},
        {"unreadable", "There is a TPM 2.0, and its PCRs could not be read."},
        {"not-measured", "PCR 0 to 7 hold nothing: the firmware has no TPM driver, or the TPM came later."},
        {"wrong-bank", "The firmware measured, but not into the bank that is asked for."},
        {"separator-only", "The firmware closed the PCRs and measured nothing into them."},
        {"partial", "Firmware, boot loader or Secure Boot keys were not measured, as with SeaBIOS."},
        {"log-mismatch", "The event log does not lead to the values of PCR 0 to 7."},
        {"log-unusable", "The boot was measured, and the event log is damaged or cannot be read."},
        {"log-absent", "The boot was measured, and there is no event log that says what."},
        {"baseline-invalid", "The baseline cannot be read, or is no baseline."},
        {"baseline-mismatch", "A PCR that must match has a value that the baseline does not allow."},
        {"baseline-warning", "A PCR of the level \"warn\" has a value that the baseline does not allow."},
};

static const char *const sources[] = {
        "TCG PC Client Platform Firmware Profile, 1.05",
        "Linux: Documentation/security/tpm/tpm_event_log.rst",
        "UAPI Group: Linux TPM PCR Registry",
        NULL,
};

const Practice practice_measured_boot = {
        .name = NAME,
        .title = "measured boot",
        .purpose = "The firmware and the boot loader write a digest of each step into the TPM before they take it, so "
                   "that what was booted can be proven afterwards.",
        .helps = "Where a host or a key has to know which firmware, boot loader, kernel and command line this guest "
                 "runs.",
        .harms = "Nothing is changed. A baseline has to be renewed with each update of what it speaks of.",
        .proof = "PCR 0, 4 and 7 hold measurements, the event log leads to PCR 0 to 7, and the baseline allows them.",
        .sources = sources,
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
        .keys = {keys, ELEMENTSOF(keys)},
        .observe = observe,
        .plan = plan,
        .fails = fails,
};
