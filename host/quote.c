/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host quote: ask each guest for its report and a quote of its TPM that is bound to the report, and check the
 * quote. The test is tests/host/lying-quotes.py.
 */

#include <sys/random.h>

#include "host/directory.h"
#include "host/proof.h"
#include "host/recognise.h"
#include "host/tpm-options.h"
#include "host/verb.h"
#include "tpm/verdict.h"

#define HOST_NONCE_SIZE 32U
#define QUOTE_CODE_CONTRADICTION "contradiction"

/* The practice measured-boot calls a boot measured only if these PCRs are (VERDICT_MEASURED in tpm/verdict.h). */
#define QUOTE_PCRS_MEASURED (1U << 0 | 1U << 4 | 1U << 7)

/* The nonce that was sent to one guest. */
typedef struct QuoteNonce {
        uint8_t data[NONCE_SIZE_MAX];
        size_t size;
} QuoteNonce;

static int quote_ask(Target *t, json_object **ret) {
        const HostTpmOptions *options = t->owner->tpm;
        _cleanup_json_ json_object *arguments = json_object_new_object();
        _cleanup_free_ char *selection = pcr_selection_format(options->selection);
        _cleanup_free_ QuoteNonce *nonce = calloc(1, sizeof(*nonce));
        char hex[2 * NONCE_SIZE_MAX + 1];

        if (!arguments || !selection || !nonce)
                return -ENOMEM;

        nonce->size = options->nonce_size > 0 ? options->nonce_size : HOST_NONCE_SIZE;
        memcpy(nonce->data, options->nonce, sizeof(nonce->data));
        if (options->nonce_size == 0 && getrandom(nonce->data, nonce->size, 0) != (ssize_t) nonce->size)
                return negative_errno();

        hex_encode(nonce->data, nonce->size, hex);
        if (json_set_text(arguments, "nonce", hex) < 0 ||
            json_set_text(arguments, "bank", algorithm_to_string(options->bank)) < 0 ||
            json_set_text(arguments, "selection", selection) < 0)
                return -ENOMEM;

        free(t->asked);
        t->asked = TAKE_PTR(nonce);
        *ret = TAKE_PTR(arguments);
        return 0;
}

static int quote_qualify(Proof *proof) {
        const QuoteAnswer *a = proof->answer;
        uint8_t hash[REPORT_HASH_SIZE];
        int r;

        r = algorithm_hash(ALGORITHM_SHA256, &(HashPart) {a->report, a->report_size}, 1, hash);
        if (r < 0)
                return r;

        return quote_qualifying_data(proof->nonce, proof->nonce_size, hash, proof->qualifying_data);
}

static int quote_verify(Target *t, const QuoteAnswer *a, Proof *proof) {
        const HostTpmOptions *options = t->owner->tpm;
        const QuoteNonce *nonce = t->asked;
        const Quote quote = {
                .attest = a->attest,
                .attest_size = a->attest_size,
                .signature = a->signature,
                .signature_size = a->signature_size,
                .public_key = a->public_key,
                .public_key_size = a->public_key_size,
                .pcrs = &a->pcrs,
                .report_hash = a->has_report_hash ? a->report_hash : NULL,
        };
        const QuoteRequest request = {
                .nonce = nonce->data,
                .nonce_size = nonce->size,
                .bank = options->bank,
                .selection = options->selection,
                .report = a->report,
                .report_size = a->report_size,
        };
        int r;

        r = quote_check(&quote, &request, &proof->result);
        if (r == QUOTE_OK && (a->bank != options->bank || a->selection != options->selection))
                r = QUOTE_SELECTION;
        if (r < 0)
                return r;
        if (r != QUOTE_OK)
                return target_refuse(t, CAUSE_BAD_QUOTE, quote_fault_code((QuoteFault) r), "%s",
                                     quote_fault_sentence((QuoteFault) r));

        proof->answer = a;
        memcpy(proof->nonce, nonce->data, nonce->size);
        proof->nonce_size = nonce->size;
        return quote_qualify(proof);
}

static int quote_parse_report(Target *t, const QuoteAnswer *a, json_object **ret) {
        int r;

        r = (int) reply_check(a->report, a->report_size);
        if (r == 0)
                r = json_parse(a->report, a->report_size, ret);
        if (r == -ENOMEM)
                return r;
        if (r != 0)
                return target_refuse(t, CAUSE_BAD_REPORT, NULL,
                                     "the quote is good, but the report that it is bound to is not JSON");

        return report_check(*ret, &t->detail);
}

static bool quote_report_claims_measured(json_object *report) {
        json_object *practices = json_get_array(report, "practices");

        for (size_t i = 0; i < json_object_array_length(practices); i++) {
                json_object *practice = json_object_array_get_idx(practices, i);

                if (streq(json_get_text(practice, "name"), "measured-boot") &&
                    practice_state(practice) == STATE_ACTIVE)
                        return true;
        }

        return false;
}

static int quote_find_empty_pcrs(const Proof *proof, uint32_t *ret) {
        const Attest *a = &proof->result.attest;

        *ret = 0;
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                PcrContent content;
                int r;

                if (!(a->selection & QUOTE_PCRS_MEASURED & 1U << i))
                        continue;

                r = pcr_content(a->bank, i, proof->answer->pcrs.banks[a->bank].digests[i], &content);
                if (r < 0)
                        return r;
                if (content != PCR_CONTENT_MEASURED)
                        *ret |= 1U << i;
        }

        return 0;
}

/* Most of a report cannot be proven. But if the guest's own quote contradicts the report, the report is refused. */
static int quote_check_contradiction(Target *t, const Proof *proof, json_object *report) {
        _cleanup_free_ char *pcrs = NULL;
        uint32_t empty;
        int r;

        if (!quote_report_claims_measured(report))
                return 0;

        r = quote_find_empty_pcrs(proof, &empty);
        if (r == -EOPNOTSUPP)
                return target_refuse(t, CAUSE_LOCAL_ERROR, NULL,
                                     "this host does not support %s, so the PCRs cannot be compared with the report",
                                     algorithm_to_string(proof->result.attest.bank));
        if (r < 0 || empty == 0)
                return r;

        pcrs = pcr_selection_format(empty);
        if (!pcrs)
                return -ENOMEM;

        return target_refuse(t, CAUSE_BAD_QUOTE, QUOTE_CODE_CONTRADICTION,
                             "the report says that measured-boot is active, but the quote says that nothing was "
                             "measured into PCR %s of the bank %s: do not trust this report. If the guest judges its "
                             "boot by another bank, ask for that bank with --bank.", pcrs,
                             algorithm_to_string(proof->result.attest.bank));
}

static int quote_take_report(Target *t, const Proof *proof, json_object **ret) {
        int r;

        r = quote_parse_report(t, proof->answer, ret);
        if (r != 0)
                return r;

        return quote_check_contradiction(t, proof, *ret);
}

/* The report is checked before the key is stored: a guest without a valid report must leave no record. */
static int quote_recognise(Target *t, Proof *proof, json_object **ret_report) {
        _cleanup_close_ int lock = -EBADF;
        int r;

        if (!t->name)
                return quote_take_report(t, proof, ret_report);

        r = directory_lock(t->owner->tpm->keys_fd, t->deadline, &lock);
        if (r == -EAGAIN)
                return target_refuse(t, CAUSE_KEY_STORE, NULL,
                                     "the directory of keys is locked by another process; try again");
        if (r < 0)
                return target_refuse(t, CAUSE_KEY_STORE, NULL, "the directory of keys cannot be locked: %s",
                                     error_text(-r));

        r = recognise(t, proof);
        if (r != 0)
                return r;

        r = quote_take_report(t, proof, ret_report);
        if (r != 0)
                return r;

        return remember(t, proof);
}

static int quote_show(const Output *o, Target *t, json_object *value) {
        _cleanup_(proof_done) Proof proof = {};
        _cleanup_json_ json_object *report = NULL;
        const HostTpmOptions *options = t->owner->tpm;
        QuoteAnswer answer;
        int r;

        r = quote_answer_parse(value, &answer, &t->detail);
        if (r != 0)
                return r;

        r = quote_verify(t, &answer, &proof);
        if (r != 0)
                return r;

        r = quote_recognise(t, &proof, &report);
        if (r != 0)
                return r;

        if (options->write) {
                r = proof_write(&proof, options->write, options->write_fd, &t->detail);
                if (r < 0 && t->detail)
                        return (int) CAUSE_LOCAL_ERROR;
                if (r < 0)
                        return r;
        }

        host_status_judge(t, report);
        return proof_print(o, t, &proof, report);
}

const HostVerb host_verb_quote = {
        .name = "quote",
        .synopsis = "TARGET...",
        .help = "Show practices, check a TPM quote over them",
        .execute = "gtune-quote",
        .tpm_options = HOST_TPM_OPTION_BIT(_HOST_TPM_OPTION_MAX) - 1,
        .timeout = HOST_TPM_TIMEOUT,
        .ask = quote_ask,
        .head = print_head,
        .foot = host_status_foot,
        .show = quote_show,
};
