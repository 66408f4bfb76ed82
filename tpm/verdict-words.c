/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A verdict as a sentence, and what to do.
 */

#include "tpm/verdict-internal.h"

/* Sentences that need no detail, and remedies; by verdict_code(). */
static const struct {
        const char *code;
        const char *reason; /* NULL: say() makes it */
        const char *remedy;
} words[] = {
        {"no-tpm", "this machine has no TPM", "give the guest a TPM 2.0 device"},
        {"tpm12", "this machine has a TPM 1.2, and measured boot is judged with TPM 2.0 only",
         "give the guest a TPM 2.0 device in its place"},
        {"unreadable", NULL, "look at what the kernel log says about the TPM"},
        {"not-measured", "PCR 0 to 7 are empty in every bank: the firmware did not measure this boot",
         "boot with firmware that measures, such as OVMF built with TPM 2.0 support"},
        {"wrong-bank", NULL,
         "set `bank` of [measured-boot] to one that the firmware measures into, or let the host set the TPM's banks"},
        {"separator-only", "the firmware closed PCR 0 to 7 and measured nothing into them",
         "boot with firmware that measures, such as OVMF built with TPM 2.0 support"},
        {"partial", NULL,
         "boot with UEFI firmware that measures; a legacy BIOS such as SeaBIOS does not measure itself"},
        {"log-mismatch", NULL,
         "look at these PCRs in `gtune eventlog`: something extended them without a record, or the log was changed"},
        {"baseline-invalid", NULL, "correct the baseline file, or make one with `gtune baseline save`"},
        {"baseline-mismatch", NULL,
         "see `gtune baseline check`; if the change was intended, allow it with `gtune baseline add`"},
        {"log-unusable", NULL, "see `gtune eventlog`"},
        {"log-absent", NULL, NULL},
        {"baseline-warning", NULL,
         "see `gtune baseline check`; if the change was intended, allow it with `gtune baseline add`"},
};

static char *say_unreadable(const VerdictInput *in, const Verdict *v) {
        if (in->pcrs && v->bank >= 0)
                return xasprintf("not all of PCR 0 to 7 could be read in the %s bank", algorithm_to_string(v->bank));
        if (in->pcrs_reason)
                return xasprintf("the PCRs of the TPM could not be read: %s", in->pcrs_reason);

        return strdup("the PCRs of the TPM could not be read");
}

static char *say_wrong_bank(const VerdictInput *in, const Verdict *v) {
        const char *bank = algorithm_to_string(v->bank);

        if (!pcrs_bank_exists(in->pcrs, v->bank))
                return xasprintf("the %s bank is not active in this TPM, and another one is", bank);

        return xasprintf("the firmware measured into another bank than %s", bank);
}

static char *say_partial(const VerdictInput *in, const Verdict *v) {
        _cleanup_free_ char *pcrs = pcr_selection_format(v->empty & (1U << 0 | 1U << 4 | 1U << 7));

        (void) in;
        return pcrs ? xasprintf("this boot was measured only in part: no measurement is in PCR %s (%s)", pcrs,
                                algorithm_to_string(v->bank))
                    : NULL;
}

static char *say_log_mismatch(const VerdictInput *in, const Verdict *v) {
        _cleanup_free_ char *pcrs = pcr_selection_format(v->disagree & VERDICT_PCRS);

        (void) in;
        return pcrs ? xasprintf("the event log does not lead to the value of PCR %s (%s)", pcrs,
                                algorithm_to_string(v->log_bank))
                    : NULL;
}

static char *say_baseline(const VerdictInput *in, const Verdict *v) {
        (void) in;
        return strdup(strempty(v->baseline_reason));
}

static char *say_log_unusable(const VerdictInput *in, const Verdict *v) {
        (void) in;
        return xasprintf("this boot was measured (%s), and its event log cannot confirm it: %s",
                         algorithm_to_string(v->bank), strempty(v->log_reason));
}

static char *say_log_absent(const VerdictInput *in, const Verdict *v) {
        (void) in;
        return xasprintf("this boot was measured (%s); %s", algorithm_to_string(v->bank),
                         v->log_reason ? v->log_reason : "there is no event log to compare with");
}

static char *say_measured(const VerdictInput *in, const Verdict *v) {
        (void) in;
        return xasprintf("this boot was measured (%s), and the event log leads to the same PCRs",
                         algorithm_to_string(v->bank));
}

static char *say(const char *code, const VerdictInput *in, const Verdict *v) {
        static const struct {
                const char *code;
                char *(*say)(const VerdictInput *in, const Verdict *v);
        } sayings[] = {
                {"unreadable", say_unreadable},     {"wrong-bank", say_wrong_bank},
                {"partial", say_partial},           {"log-mismatch", say_log_mismatch},
                {"baseline-invalid", say_baseline}, {"baseline-mismatch", say_baseline},
                {"baseline-warning", say_baseline}, {"log-unusable", say_log_unusable},
                {"log-absent", say_log_absent},
        };

        for (size_t i = 0; i < ELEMENTSOF(sayings) && code; i++)
                if (streq(sayings[i].code, code))
                        return sayings[i].say(in, v);

        return say_measured(in, v);
}

int verdict_word(const VerdictInput *in, Verdict *v) {
        const char *code = verdict_code(v), *reason = NULL, *remedy = NULL;

        for (size_t i = 0; i < ELEMENTSOF(words) && code; i++)
                if (streq(words[i].code, code)) {
                        reason = words[i].reason;
                        remedy = words[i].remedy;
                }

        if (free_and_strdup(&v->remedy, remedy) < 0)
                return -ENOMEM;

        v->reason = reason ? strdup(reason) : say(code, in, v);
        return v->reason ? 0 : -ENOMEM;
}
