/* SPDX-License-Identifier: Apache-2.0 */

#include "measured-boot/measured-boot.h"
#include "tpm/verdict.h"

#define MEASURED_BOOT_SIZE_MAX (1024U * 1024)
#define MEASURED_BOOT_PRACTICE "measured-boot"
#define MEASURED_BOOT_JUDGE_AGAIN "run `gtune apply`"
#define MEASURED_BOOT_JUDGE_THERE \
        "nothing here can: run `gtune apply` on the machine itself, and take the snapshot after it"

/* The facts about this boot. */
typedef struct MeasuredBoot {
        char *path;         /* of the kept verdict */
        Verdict *verdict;   /* NULL: there is none for this boot */
        Pcrs *pcrs;         /* NULL without a baseline, or if they could not be read */
        const char *code;   /* why there is no verdict; NULL: there is one, or this is an image */
        const char *reason; /* the same as a sentence, which continues after the path if names_path */
        bool names_path;
        Baseline *baseline;   /* NULL: the policy names none, or it cannot be used */
        char *baseline_error; /* why it cannot be used */
} MeasuredBoot;

static void measured_boot_free(void *facts) {
        MeasuredBoot *m = facts;

        if (!m)
                return;

        free(m->path);
        verdict_free(m->verdict);
        baseline_free(m->baseline);
        free(m->pcrs);
        free(m->baseline_error);
        free(m);
}

DEFINE_CLEANUP(MeasuredBoot *, measured_boot_free);

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
        if (!values)
                return 0;

        m->pcrs = calloc(1, sizeof(Pcrs));
        return m->pcrs ? pcrs_from_json(values, m->pcrs) : -ENOMEM;
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

        r = root_read(view->root, m->path, MEASURED_BOOT_SIZE_MAX, &b);
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

/* The baseline is read as it is now; the kept verdict may have been made with an older one. */
static int measured_boot_read_baseline(const View *view, MeasuredBoot *m) {
        const char *path = policy_word(view->policy, MEASURED_BOOT_PRACTICE, "baseline", NULL);
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
                m->baseline_error = xasprintf("%s cannot be read: %s", path, error_text(-r));
        else if (r >= 0 && !(m->pcrs && pcrs_bank_exists(m->pcrs, m->baseline->bank)))
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
                if (!m->baseline) {
                        free(m->pcrs);
                        m->pcrs = NULL;
                }
        }

        *ret = TAKE_PTR(m);
        return 0;
}

/* Makes "4,9", or NULL for no PCR. */
static int measured_boot_name_pcrs(uint32_t set, char **ret) {
        *ret = set == 0 ? NULL : pcr_selection_format(set);
        if (set != 0 && !*ret)
                return -ENOMEM;

        return 0;
}

static int measured_boot_explain_baseline(const char *path, const BaselineCheck *check, Verdict *v) {
        _cleanup_free_ char *pcrs = NULL;
        uint32_t set = check->failed ? check->failed : check->warned;
        int r;

        v->baseline = check->result;
        v->baseline_failed = check->failed;
        v->baseline_warned = check->warned;
        r = measured_boot_name_pcrs(set, &pcrs);
        if (r < 0 || !pcrs)
                return r;

        free(v->baseline_reason);
        v->baseline_reason = xasprintf("PCR %s %s no value that %s allows", pcrs,
                                       __builtin_popcount(set) == 1 ? "has" : "have", path);
        return v->baseline_reason ? 0 : -ENOMEM;
}

static int measured_boot_actual_evidence(const Baseline *baseline, const BaselineCheck *check, unsigned pcr,
                                         Finding *f) {
        _cleanup_free_ char *source = xasprintf("PCR %u", pcr), *value = NULL;
        const BaselinePcr *expected = baseline->pcrs + pcr;
        char is[2 * DIGEST_SIZE_MAX + 1] = "not read", allowed[2 * DIGEST_SIZE_MAX + 1];

        if (check->pcrs[pcr].actual)
                hex_encode(check->pcrs[pcr].actual, algorithm_size(baseline->bank), is);
        hex_encode(expected->values[0].digest, algorithm_size(baseline->bank), allowed);
        value = expected->n_values == 1 ? xasprintf("%s, and the baseline allows %s", is, allowed)
                                        : xasprintf("%s, and the baseline allows %s and %zu more", is, allowed,
                                                    expected->n_values - 1);

        if (!source || !value)
                return -ENOMEM;

        return finding_evidence(f, source, value);
}

/* Replaces what the kept verdict says of a baseline: the policy may name another one now, or the file may be new. */
static int measured_boot_apply_baseline(const View *view, const MeasuredBoot *m, Verdict *v, Finding *f) {
        const char *path = policy_word(view->policy, MEASURED_BOOT_PRACTICE, "baseline", NULL);
        BaselineCheck check;
        int r;

        v->baseline = BASELINE_NONE;
        if (!path || v->state != VERDICT_MEASURED)
                return 0;
        if (m->baseline_error) {
                v->baseline = BASELINE_INVALID;
                return free_and_strdup(&v->baseline_reason, m->baseline_error);
        }

        baseline_check(m->baseline, m->pcrs, &check);
        r = measured_boot_explain_baseline(path, &check, v);
        if (r < 0)
                return r;
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                if (((check.failed | check.warned) & 1U << pcr) == 0)
                        continue;
                r = measured_boot_actual_evidence(m->baseline, &check, pcr, f);
                if (r < 0)
                        return r;
        }

        return 0;
}

#define MEASURED_BOOT_FIRMWARE "boot the guest with UEFI firmware that has a TPM driver"
#define MEASURED_BOOT_ALLOW "find out what changed; if it was intended, allow it with `gtune baseline add`"

/* An issue of the verdict as a finding; its code is verdict_code(). */
static const struct {
        State state;
        const char *remedy; /* for a verdict that has none of its own */
} measured_boot_outcomes[_VERDICT_ISSUE_MAX] = {
        [VERDICT_ISSUE_NONE] = {STATE_ACTIVE, NULL},
        [VERDICT_ISSUE_NO_TPM] = {STATE_UNSUPPORTED, "give the guest a TPM 2.0 (libvirt: <tpm model='tpm-crb'>)"},
        [VERDICT_ISSUE_TPM_NO_DRIVER] = {STATE_UNSUPPORTED, "load the kernel's TPM driver (tpm_crb or tpm_tis), or boot a "
                                                            "kernel that has it: of Debian's for arm64 the cloud "
                                                            "flavour"},
        [VERDICT_ISSUE_TPM12] = {STATE_UNSUPPORTED, "give the guest a TPM 2.0 in place of the TPM 1.2"},
        [VERDICT_ISSUE_UNREADABLE] = {STATE_UNKNOWN, NULL},
        [VERDICT_ISSUE_NOT_MEASURED] = {STATE_DIFFERS, MEASURED_BOOT_FIRMWARE},
        [VERDICT_ISSUE_WRONG_BANK] = {STATE_DIFFERS, "set bank to one that the firmware measures into"},
        [VERDICT_ISSUE_SEPARATOR_ONLY] = {STATE_DIFFERS, MEASURED_BOOT_FIRMWARE},
        [VERDICT_ISSUE_PARTIAL] = {STATE_DIFFERS, MEASURED_BOOT_FIRMWARE},
        [VERDICT_ISSUE_LOG_MISMATCH] = {STATE_DIFFERS,
                                        "look at `gtune eventlog`, and find out which program extends these PCRs"},
        [VERDICT_ISSUE_BASELINE_INVALID] = {STATE_UNKNOWN,
                                            "fix the baseline, or replace it with `gtune baseline save --force`"},
        [VERDICT_ISSUE_BASELINE_MISMATCH] = {STATE_DIFFERS, MEASURED_BOOT_ALLOW},
        [VERDICT_ISSUE_LOG_UNUSABLE] = {STATE_UNKNOWN, "look at `gtune eventlog`"},
        [VERDICT_ISSUE_LOG_ABSENT] = {STATE_ACTIVE, NULL},
        [VERDICT_ISSUE_BASELINE_WARNING] = {STATE_ACTIVE, MEASURED_BOOT_ALLOW},
};

/* A verdict is made where the boot is: apply below another root makes none. */
static const char *measured_boot_judge_again(const View *view) {
        return view->machine->kind == MACHINE_LIVE ? MEASURED_BOOT_JUDGE_AGAIN : MEASURED_BOOT_JUDGE_THERE;
}

static int measured_boot_judge(const View *view, const Verdict *v, Finding *f) {
        const VerdictIssue issue = verdict_issue(v);
        const bool of_baseline = issue == VERDICT_ISSUE_BASELINE_INVALID || issue == VERDICT_ISSUE_BASELINE_MISMATCH ||
                                 issue == VERDICT_ISSUE_BASELINE_WARNING;
        const State state = measured_boot_outcomes[issue].state;
        const char *reason = v->reason, *remedy = measured_boot_outcomes[issue].remedy;

        if (issue == VERDICT_ISSUE_NONE)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);

        if (of_baseline)
                reason = v->baseline_reason;
        else if (issue == VERDICT_ISSUE_LOG_ABSENT && !v->log_reason)
                reason = "this boot was measured, and there is no event log to compare it with";
        else if (issue == VERDICT_ISSUE_LOG_UNUSABLE && v->log_reason)
                reason = v->log_reason;

        if (issue == VERDICT_ISSUE_UNREADABLE)
                remedy = measured_boot_judge_again(view);

        /* The verdict does not know the baseline as it is now, and has no remedy for an absent log. */
        if (!of_baseline && issue != VERDICT_ISSUE_LOG_ABSENT && v->remedy)
                remedy = v->remedy;

        return finding_verdict(f, state, verdict_code(v), remedy, "%s", strempty(reason));
}

static int measured_boot_evidence_of_set(Finding *f, const char *source, uint32_t set) {
        _cleanup_free_ char *pcrs = NULL;
        int r;

        r = measured_boot_name_pcrs(set, &pcrs);
        if (r < 0 || !pcrs)
                return r;

        return finding_evidence(f, source, pcrs);
}

static int measured_boot_add_evidence(const MeasuredBoot *m, const Verdict *v, Finding *f) {
        int r;

        r = finding_evidence(f, m->path, verdict_state_to_string(v->state));
        if (r < 0 || v->state < VERDICT_NOT_MEASURED)
                return r;

        if (v->bank != _ALGORITHM_INVALID) {
                r = finding_evidence(f, "PCR bank", algorithm_to_string(v->bank));
                if (r < 0)
                        return r;
        }
        r = measured_boot_evidence_of_set(f, "PCRs without a measurement", v->empty);
        if (r < 0)
                return r;
        r = finding_evidence(f, "event log", verdict_log_to_string(v->log));
        if (r < 0)
                return r;
        r = measured_boot_evidence_of_set(f, "PCRs that disagree with the event log", v->disagree);
        if (r < 0)
                return r;
        if (v->secure_boot >= 0)
                return finding_evidence(f, "Secure Boot", v->secure_boot > 0 ? "on" : "off");

        return 0;
}

/* A changed boot differs most often in its last events, so the end of the list is shown. */
#define MEASURED_BOOT_EVENTS_SHOWN 4U

static int measured_boot_add_events(Finding *f, const Verdict *v) {
        size_t first = v->n_events > MEASURED_BOOT_EVENTS_SHOWN ? v->n_events - MEASURED_BOOT_EVENTS_SHOWN : 0;

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
        const char *baseline = policy_word(view->policy, MEASURED_BOOT_PRACTICE, "baseline", NULL);
        bool required = policy_bool(view->policy, MEASURED_BOOT_PRACTICE, "require", false);
        bool known = policy_get(view->policy, MEASURED_BOOT_PRACTICE, "require");

        if (f->wanted != WANTED_ON)
                return 0;

        if (finding_setting(f, "require", known ? required ? "yes" : "no" : NULL,
                            v ? verdict_good(v) ? "yes" : "no" : NULL) < 0 ||
            finding_setting(f, "bank", policy_word(view->policy, MEASURED_BOOT_PRACTICE, "bank", NULL), bank) < 0 ||
            finding_setting(f, "baseline", baseline, v && baseline ? baseline_result_to_string(v->baseline) : NULL) <
                    0)
                return -ENOMEM;

        return 0;
}

static const char *const measured_boot_banks[] = {"sha1", "sha256", "sha384", "sha512", "sm3", NULL};

static const PolicyKey measured_boot_keys[] = {
        {MEASURED_BOOT_PRACTICE, "require", KEY_BOOL, NULL, "anything but a measured boot is a failure: yes or no"},
        {MEASURED_BOOT_PRACTICE, "bank", KEY_CHOICE, measured_boot_banks, "the PCR bank to judge by"},
        {MEASURED_BOOT_PRACTICE, "baseline", KEY_PATH, NULL, "the file with the values that PCRs may have"},
};

static int measured_boot_observe_boot(const View *view, const MeasuredBoot *m, Finding *f) {
        const char *bank = policy_word(view->policy, MEASURED_BOOT_PRACTICE, "bank", NULL);
        Verdict *v = m->verdict;
        int r;

        r = measured_boot_add_evidence(m, v, f);
        if (r < 0)
                return r;
        r = measured_boot_apply_baseline(view, m, v, f);
        if (r < 0)
                return r;

        /* A verdict in another bank than the policy now asks for says nothing about the bank that counts. */
        if (bank && v->bank != _ALGORITHM_INVALID && v->bank != algorithm_from_string(bank))
                return finding_verdict(f, STATE_UNKNOWN, "other-bank", measured_boot_judge_again(view),
                                       "this boot was judged in another bank than the policy asks for");

        r = measured_boot_judge(view, v, f);
        if (r < 0 || f->state != STATE_DIFFERS)
                return r;

        return measured_boot_add_events(f, v);
}

static int measured_boot_observe(const View *view, const void *facts, Finding *f) {
        const MeasuredBoot *m = facts;
        int r;

        /* There is nothing to enable: an administrator who sets a key wants to know. */
        f->wanted = WANTED_NOTHING;
        for (size_t i = 0; view->policy->n_errors == 0 && i < ELEMENTSOF(measured_boot_keys); i++)
                if (policy_get(view->policy, MEASURED_BOOT_PRACTICE, measured_boot_keys[i].name))
                        f->wanted = WANTED_ON;

        if (view->machine->kind == MACHINE_IMAGE)
                r = finding_verdict(f, STATE_OFF, "image", NULL, "an image has not booted, so nothing was measured");
        else if (!m->verdict)
                r = finding_verdict(f, STATE_UNKNOWN, m->code, measured_boot_judge_again(view), "%s%s%s",
                                    m->names_path ? m->path : "", m->names_path ? " " : "", m->reason);
        else
                r = measured_boot_observe_boot(view, m, f);
        if (r < 0)
                return r;

        return measured_boot_add_settings(view, f, m->verdict);
}

static int measured_boot_plan(_unused_ const View *view, _unused_ const void *facts, _unused_ const Finding *finding,
                              _unused_ Plan *plan) {
        return 0;
}

/* An image never fails: it has not booted. */
static bool measured_boot_fails(const View *view, const Finding *finding) {
        return finding->wanted == WANTED_ON && policy_bool(view->policy, MEASURED_BOOT_PRACTICE, "require", false) &&
               view->machine->kind != MACHINE_IMAGE && finding->state != STATE_ACTIVE;
}

bool measured_boot_breaks_baseline(const void *facts, const Finding *finding) {
        const MeasuredBoot *m = facts;

        return finding->state == STATE_DIFFERS && m->verdict && m->verdict->baseline == BASELINE_FAILURE &&
               m->verdict->log != VERDICT_LOG_MISMATCH;
}

static const Reason measured_boot_reasons[] = {
        {"image", "This is an image: it has not booted."},
        {"not-judged", "No verdict was made in this boot: the boot unit makes it, and so does `gtune apply`."},
        {"verdict-unreadable", "The kept verdict is damaged, or of another gtuned."},
        {"other-boot", "The kept verdict is of another boot."},
        {"other-bank", "The kept verdict is about another PCR bank than the policy asks for."},
        {"no-tpm", "The guest has no TPM."},
        {"tpm-no-driver", "The firmware announces a TPM, and the kernel has no driver for it, or did not load it."},
        {"tpm12", "The guest has a TPM 1.2, which cannot prove what is asked here."},
        {"unreadable", "There is a TPM 2.0, and its PCRs could not be read."},
        {"not-measured", "PCR 0 to 7 hold nothing: the firmware has no TPM driver, or the TPM came later."},
        {"wrong-bank", "The firmware measured, but not into the bank that is asked for."},
        {"separator-only", "The firmware closed the PCRs and measured nothing into them."},
        {"partial", "Firmware, boot loader or Secure Boot keys were not measured, as with SeaBIOS."},
        {"log-mismatch", "The event log does not lead to the values of PCR 0 to 7."},
        {"log-unusable", "The boot was measured, and the event log is damaged or cannot be read."},
        {"log-absent", "The boot was measured, and no event log says what in the bank by which it is judged."},
        {"baseline-invalid", "The baseline cannot be read, or is no baseline."},
        {"baseline-mismatch", "A PCR that must match has a value that the baseline does not allow."},
        {"baseline-warning", "A PCR of the level \"warn\" has a value that the baseline does not allow."},
};

static const char *const measured_boot_sources[] = {
        "TCG PC Client Platform Firmware Profile, 1.05",
        "Linux: Documentation/security/tpm/tpm_event_log.rst",
        "UAPI Group: Linux TPM PCR Registry",
        NULL,
};

const Practice practice_measured_boot = {
        .name = MEASURED_BOOT_PRACTICE,
        .title = "measured boot",
        .purpose = "The firmware and the boot loader write a digest of each step into the TPM before they run it, so "
                   "that it can be proven afterwards what was booted.",
        .helps = "If a host or a key must know which firmware, boot loader, kernel and command line this guest runs.",
        .harms = "Nothing is changed. A baseline must be renewed after each update of the software that it covers.",
        .proof = "PCR 0, 4 and 7 hold measurements, the event log leads to PCR 0 to 7, and the baseline allows them.",
        .sources = measured_boot_sources,
        .reasons = measured_boot_reasons,
        .n_reasons = ELEMENTSOF(measured_boot_reasons),
        .keys = {measured_boot_keys, ELEMENTSOF(measured_boot_keys)},
        .slow = true,
        .read = measured_boot_read,
        .done = measured_boot_free,
        .observe = measured_boot_observe,
        .plan = measured_boot_plan,
        .fails = measured_boot_fails,
};
