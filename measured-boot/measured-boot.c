/* SPDX-License-Identifier: Apache-2.0 */

#include "measured-boot/measured-boot.h"
#include "tpm/verdict.h"

#define DOCUMENT_SIZE_MAX (1024U * 1024)
#define NAME "measured-boot"
#define JUDGE_AGAIN "run `gtune apply`"

/* What is known of this boot. */
typedef struct MeasuredBoot {
        char *path;         /* of the kept verdict */
        Verdict *verdict;   /* NULL: none that counts */
        Pcrs pcrs;          /* empty if they could not be read */
        const char *code;   /* why no verdict counts; NULL: one does, or this is an image */
        const char *reason; /* … as the end of a sentence that begins with the path, or a sentence of its own */
        bool names_path;
        Baseline *baseline; /* NULL: none is wanted, or it cannot be used */
        char *baseline_error; /* why it cannot be used */
} MeasuredBoot;

static void measured_boot_free(void *facts) {
        MeasuredBoot *m = facts;

        if (!m)
                return;

        free(m->path);
        verdict_free(m->verdict);
        baseline_free(m->baseline);
        free(m->baseline_error);
        free(m);
}

static void measured_boot_freep(MeasuredBoot **m) {
        measured_boot_free(*m);
}

static int measured_boot_parse(const Buffer *b, MeasuredBoot *m) {
        _cleanup_json_ json_object *o = NULL;
        json_object *values = NULL;
        int r;

        r = json_parse(b->data, b->size, &o);
        if (r < 0)
                return r;
        r = verdict_from_json(o, &m->verdict);
        if (r < 0)
                return r;

        (void) json_object_object_get_ex(o, "pcrs", &values);
        return values ? pcrs_from_json(values, &m->pcrs) : 0;
}

static int measured_boot_without_verdict(MeasuredBoot *m, const char *code, const char *reason, bool names_path) {
        m->verdict = verdict_free(m->verdict);
        m->code = code;
        m->reason = reason;
        m->names_path = names_path;
        return 0;
}

static int measured_boot_read_verdict(const View *view, MeasuredBoot *m) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = root_read(view->root, m->path, DOCUMENT_SIZE_MAX, &b);
        if (r == -ENOENT)
                return measured_boot_without_verdict(m, "not-judged", "no verdict was made in this boot yet", false);
        if (r >= 0)
                r = measured_boot_parse(&b, m);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return measured_boot_without_verdict(m, "verdict-unreadable", "holds no verdict", true);
        if (!view->machine->boot_id || !streq_ptr(m->verdict->boot_id, view->machine->boot_id))
                return measured_boot_without_verdict(m, "other-boot", "is the verdict of another boot", true);

        return 0;
}

/* What counts is the baseline as it is now. */
static int measured_boot_read_baseline(const View *view, MeasuredBoot *m) {
        const char *path = policy_word(view->policy, NAME, "baseline", NULL);
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        if (!path || !m->verdict || m->verdict->state != VERDICT_MEASURED)
                return 0;

        r = root_read(view->root, path, BASELINE_SIZE_MAX, &b);
        if (r >= 0)
                r = baseline_parse(b.data, b.size, path, &m->baseline, &m->baseline_error);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && !m->baseline_error)
                m->baseline_error = xasprintf("%s cannot be read: %s", path, strerror(-r));
        else if (r >= 0 && !pcrs_bank_exists(&m->pcrs, m->baseline->bank))
                m->baseline_error = xasprintf("%s is about the bank %s, and this TPM has no such bank", path,
                                              algorithm_to_string(m->baseline->bank));
        else
                return 0;

        return m->baseline_error ? 0 : -ENOMEM;
}

static int measured_boot_read(const View *view, void **ret) {
        _cleanup_(measured_boot_freep) MeasuredBoot *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;

        m->path = xasprintf("%s/%s", view->run_directory, MEASURED_BOOT_NAME);
        if (!m->path)
                return -ENOMEM;
        if (view->machine->kind != MACHINE_IMAGE) {
                r = measured_boot_read_verdict(view, m);
                if (r < 0)
                        return r;
                r = measured_boot_read_baseline(view, m);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(m);
        return 0;
}

/* "4, 9", or NULL for none. */
static int name_pcrs(uint32_t set, char **ret) {
        *ret = set == 0 ? NULL : pcr_selection_format(set);
        return set == 0 || *ret ? 0 : -ENOMEM;
}

static int measured_boot_explain_baseline(const char *path, const BaselineCheck *check, Verdict *v) {
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

static int measured_boot_actual_evidence(const Baseline *baseline, const BaselineCheck *check, unsigned pcr, Finding *f) {
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

static int measured_boot_compare(const char *path, const MeasuredBoot *m, Verdict *v, Finding *f) {
        BaselineCheck check;
        int r;

        baseline_check(m->baseline, &m->pcrs, &check);
        r = measured_boot_explain_baseline(path, &check, v);
        for (unsigned pcr = 0; r >= 0 && pcr < PCR_COUNT; pcr++)
                if (((check.failed | check.warned) & 1U << pcr) != 0)
                        r = measured_boot_actual_evidence(m->baseline, &check, pcr, f);

        return r;
}

/* Let a verdict say what comes of the baseline. */
static int measured_boot_apply_baseline(const View *view, const MeasuredBoot *m, Verdict *v, Finding *f) {
        const char *path = policy_word(view->policy, NAME, "baseline", NULL);

        v->baseline = BASELINE_NONE;
        if (!path || v->state != VERDICT_MEASURED)
                return 0;
        if (!m->baseline_error)
                return measured_boot_compare(path, m, v, f);

        v->baseline = BASELINE_INVALID;
        return free_and_strdup(&v->baseline_reason, m->baseline_error);
}

typedef struct MeasuredBootOutcome {
        const char *code;   /* of verdict_code() */
        State state;
        const char *remedy; /* where the verdict has none of its own */
} MeasuredBootOutcome;

static const MeasuredBootOutcome outcomes[] = {
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
static const char *measured_boot_reason(const Verdict *v, const char *code) {
        if (startswith(code, "baseline-"))
                return v->baseline_reason;
        if (streq(code, "log-absent"))
                return "this boot was measured, and there is no event log to compare it with";
        if (streq(code, "log-unusable") && v->log_reason)
                return v->log_reason;

        return v->reason;
}

static int measured_boot_judge(const MeasuredBoot *m, const Verdict *v, Finding *f) {
        const char *code = verdict_code(v), *remedy;

        if (!code)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);

        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                const MeasuredBootOutcome *o = outcomes + i;

                if (!streq(o->code, code))
                        continue;
                remedy = v->remedy && !startswith(code, "baseline-") ? v->remedy : o->remedy;
                return finding_verdict(f, o->state, o->code, o->state == STATE_ACTIVE && !o->remedy ? NULL : remedy,
                                       "%s", strempty(measured_boot_reason(v, code)));
        }

        return finding_verdict(f, STATE_UNKNOWN, "verdict-unreadable", JUDGE_AGAIN,
                               "%s holds a verdict that this gtuned does not know", m->path);
}

/* A verdict in another bank than the policy now asks for says nothing about the one that counts. */
static int measured_boot_check_bank(const View *view, const Verdict *v, Finding *f) {
        const char *bank = policy_word(view->policy, NAME, "bank", NULL);
        int r;

        if (!bank || v->bank == _ALGORITHM_INVALID || v->bank == algorithm_from_string(bank))
                return 0;

        r = finding_verdict(f, STATE_UNKNOWN, "other-bank", JUDGE_AGAIN,
                            "this boot was judged in another bank than the policy asks for");
        return r < 0 ? r : 1;
}

static int measured_boot_evidence_of_set(Finding *f, const char *source, uint32_t set) {
        _cleanup_free_ char *pcrs = NULL;
        int r;

        r = name_pcrs(set, &pcrs);
        return r < 0 || !pcrs ? r : finding_evidence(f, source, pcrs);
}

static int measured_boot_add_evidence(const MeasuredBoot *m, const Verdict *v, Finding *f) {
        int r;

        r = finding_evidence(f, m->path, verdict_state_to_string(v->state));
        if (r < 0 || v->state < VERDICT_NOT_MEASURED)
                return r;

        if (v->bank != _ALGORITHM_INVALID)
                r = finding_evidence(f, "PCR bank", algorithm_to_string(v->bank));
        if (r >= 0)
                r = measured_boot_evidence_of_set(f, "PCRs without a measurement", v->empty);
        if (r >= 0)
                r = finding_evidence(f, "event log", verdict_log_to_string(v->log));
        if (r >= 0)
                r = measured_boot_evidence_of_set(f, "PCRs that disagree with the event log", v->disagree);
        if (r >= 0 && v->secure_boot >= 0)
                r = finding_evidence(f, "Secure Boot", v->secure_boot > 0 ? "on" : "off");

        return r;
}

/* The event that came last is the one that a changed boot differs in most often, so the end of the list is kept. */
#define EVENTS_SHOWN 4U

static int measured_boot_add_events(Finding *f, const Verdict *v) {
        size_t first = v->n_events > EVENTS_SHOWN ? v->n_events - EVENTS_SHOWN : 0;

        for (size_t i = first; i < v->n_events; i++) {
                const VerdictEvent *e = v->events + i;
                _cleanup_free_ char *source = xasprintf("%s in PCR %u", strempty(e->type), e->pcr);

                if (!source || finding_evidence(f, source, e->description) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int measured_boot_add_settings(const View *view, Finding *f, const Verdict *v) {
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

static const char *const bank_choices[] = {"sha1", "sha256", "sha384", "sha512", "sm3", NULL};

static const PolicyKey keys[] = {
        {NAME, "require", KEY_BOOL, NULL, "anything but a measured boot is a failure: yes or no"},
        {NAME, "bank", KEY_CHOICE, bank_choices, "the PCR bank to judge by"},
        {NAME, "baseline", KEY_PATH, NULL, "the file with the values that PCRs may have"},
};

/* There is nothing to enable: who sets a key wants to know. */
static void measured_boot_wanted(const View *view, Finding *f) {
        f->wanted = WANTED_NOTHING;
        for (size_t i = 0; view->policy->n_errors == 0 && i < ELEMENTSOF(keys); i++)
                if (policy_get(view->policy, NAME, keys[i].name))
                        f->wanted = WANTED_ON;
}

static int measured_boot_observe_boot(const View *view, const MeasuredBoot *m, Verdict *v, Finding *f) {
        int r;

        r = measured_boot_add_evidence(m, v, f);
        if (r < 0)
                return r;
        r = measured_boot_apply_baseline(view, m, v, f);
        if (r < 0)
                return r;
        r = measured_boot_check_bank(view, v, f);
        if (r != 0)
                return r < 0 ? r : 0;

        r = measured_boot_judge(m, v, f);
        return r >= 0 && f->state == STATE_DIFFERS ? measured_boot_add_events(f, v) : r;
}

static int measured_boot_observe(const View *view, const void *facts, Finding *f) {
        const MeasuredBoot *m = facts;
        int r;

        measured_boot_wanted(view, f);
        if (view->machine->kind == MACHINE_IMAGE)
                r = finding_verdict(f, STATE_OFF, "image", NULL, "an image has not booted, so nothing was measured");
        else if (!m->verdict)
                r = finding_verdict(f, STATE_UNKNOWN, m->code, JUDGE_AGAIN, "%s%s%s", m->names_path ? m->path : "",
                                    m->names_path ? " " : "", m->reason);
        else
                r = measured_boot_observe_boot(view, m, m->verdict, f);

        return r < 0 ? r : measured_boot_add_settings(view, f, m->verdict);
}

static int measured_boot_plan(_unused_ const View *view, _unused_ const void *facts, _unused_ const Finding *finding,
                              _unused_ Plan *plan) {
        return 0;
}

/* An image has not booted. */
static bool measured_boot_fails(const View *view, const Finding *finding) {
        return finding->wanted == WANTED_ON && policy_bool(view->policy, NAME, "require", false) &&
               view->machine->kind != MACHINE_IMAGE && finding->state != STATE_ACTIVE;
}

bool measured_boot_breaks_baseline(const void *facts, const Finding *finding) {
        const MeasuredBoot *m = facts;

        return finding->state == STATE_DIFFERS && m->verdict && m->verdict->baseline == BASELINE_FAILURE &&
               m->verdict->log != VERDICT_LOG_MISMATCH;
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
        .read = measured_boot_read,
        .done = measured_boot_free,
        .observe = measured_boot_observe,
        .plan = measured_boot_plan,
        .fails = measured_boot_fails,
};
