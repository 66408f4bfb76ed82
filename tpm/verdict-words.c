/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reason and remedy of a verdict, as sentences. Tests: tests/unit/tpm/test-verdict.c.
 */

#include "tpm/verdict-internal.h"

#define VERDICT_REMEDY_FIRMWARE "boot with firmware that measures, such as OVMF built with TPM 2.0 support"
#define VERDICT_REMEDY_BASELINE                                                                                       \
        "see `gtune baseline check`; if the change was intended, allow it with `gtune baseline add`"

static const struct {
        const char *reason; /* NULL: verdict_format_reason() makes it */
        const char *remedy;
} verdict_words[_VERDICT_ISSUE_MAX] = {
        [VERDICT_ISSUE_NO_TPM] = {"this machine has no TPM", "give the guest a TPM 2.0 device"},
        [VERDICT_ISSUE_TPM_NO_DRIVER] = {"the firmware announces a TPM, and this kernel has no driver for it that is loaded",
                                         "load the kernel's TPM driver (tpm_crb or tpm_tis), or boot a kernel that has "
                                         "it"},
        [VERDICT_ISSUE_TPM12] = {"this machine has a TPM 1.2, and measured boot is judged with TPM 2.0 only",
                                 "give the guest a TPM 2.0 device in place of the TPM 1.2"},
        [VERDICT_ISSUE_UNREADABLE] = {NULL, "look at what the kernel log says about the TPM"},
        [VERDICT_ISSUE_NOT_MEASURED] = {"PCR 0 to 7 are empty in every bank: the firmware did not measure this boot",
                                        VERDICT_REMEDY_FIRMWARE},
        [VERDICT_ISSUE_WRONG_BANK] = {NULL, "set `bank` of [measured-boot] to one that the firmware measures into, or "
                                            "let the host set the TPM's banks"},
        [VERDICT_ISSUE_SEPARATOR_ONLY] = {"the firmware closed PCR 0 to 7 and measured nothing into them",
                                          VERDICT_REMEDY_FIRMWARE},
        [VERDICT_ISSUE_PARTIAL] = {NULL, "boot with UEFI firmware that measures; a legacy BIOS such as SeaBIOS does "
                                         "not measure itself"},
        [VERDICT_ISSUE_LOG_MISMATCH] = {NULL, "look at these PCRs in `gtune eventlog`: something extended them "
                                              "without a record, or the log was changed"},
        [VERDICT_ISSUE_BASELINE_INVALID] = {NULL,
                                            "fix the baseline file, or replace it with `gtune baseline save --force`"},
        [VERDICT_ISSUE_BASELINE_MISMATCH] = {NULL, VERDICT_REMEDY_BASELINE},
        [VERDICT_ISSUE_LOG_UNUSABLE] = {NULL, "see `gtune eventlog`"},
        [VERDICT_ISSUE_BASELINE_WARNING] = {NULL, VERDICT_REMEDY_BASELINE},
};

static char *verdict_format_unreadable(const VerdictInput *in, const Verdict *v) {
        if (in->pcrs && v->bank >= 0)
                return xasprintf("not all of PCR 0 to 7 could be read in the %s bank", algorithm_to_string(v->bank));
        if (in->pcrs_reason)
                return xasprintf("the PCRs of the TPM could not be read: %s", in->pcrs_reason);

        return strdup("the PCRs of the TPM could not be read");
}

/* Return: the sentence, or NULL: no memory. */
static char *verdict_format_reason(VerdictIssue issue, const VerdictInput *in, const Verdict *v) {
        const char *bank = v->bank >= 0 ? algorithm_to_string(v->bank) : NULL;
        _cleanup_free_ char *pcrs = NULL;

        switch (issue) {
        case VERDICT_ISSUE_UNREADABLE:
                return verdict_format_unreadable(in, v);
        case VERDICT_ISSUE_WRONG_BANK:
                if (!pcrs_bank_exists(in->pcrs, v->bank))
                        return xasprintf("the %s bank is not active in this TPM, and another bank is", bank);
                return xasprintf("the firmware measured into another bank than %s", bank);
        case VERDICT_ISSUE_PARTIAL:
                pcrs = pcr_selection_format(v->empty & VERDICT_PCRS_NEEDED);
                if (!pcrs)
                        return NULL;
                return xasprintf("this boot was measured only in part: no measurement is in PCR %s (%s)", pcrs, bank);
        case VERDICT_ISSUE_LOG_MISMATCH:
                pcrs = pcr_selection_format(v->disagree & VERDICT_PCRS);
                if (!pcrs)
                        return NULL;
                return xasprintf("the event log does not lead to the value of PCR %s (%s)", pcrs,
                                 algorithm_to_string(v->log_bank));
        case VERDICT_ISSUE_BASELINE_INVALID:
        case VERDICT_ISSUE_BASELINE_MISMATCH:
        case VERDICT_ISSUE_BASELINE_WARNING:
                return strdup(strempty(v->baseline_reason));
        case VERDICT_ISSUE_LOG_UNUSABLE:
                return xasprintf("this boot was measured (%s), and its event log cannot confirm it: %s", bank,
                                 strempty(v->log_reason));
        case VERDICT_ISSUE_LOG_ABSENT:
                return xasprintf("this boot was measured (%s); %s", bank,
                                 v->log_reason ? v->log_reason : "there is no event log to compare with");
        default:
                return xasprintf("this boot was measured (%s), and the event log leads to the same PCRs", bank);
        }
}

int verdict_word(const VerdictInput *in, Verdict *v) {
        VerdictIssue issue = verdict_issue(v);
        const char *reason = verdict_words[issue].reason;

        if (free_and_strdup(&v->remedy, verdict_words[issue].remedy) < 0)
                return -ENOMEM;

        v->reason = reason ? strdup(reason) : verdict_format_reason(issue, in, v);
        return v->reason ? 0 : -ENOMEM;
}
