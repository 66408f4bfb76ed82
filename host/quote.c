/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host quote: the report of each guest, bound to a quote of its TPM that is checked here.
 */

#include <sys/random.h>

#include "host/directory.h"
#include "host/proof.h"
#include "host/recognise.h"
#include "host/tpm-options.h"
#include "host/verb.h"
#include "tpm/verdict.h"

#define NONCE_SIZE 32U
#define CODE_CONTRADICTION "contradiction"

/* What measured-boot asks of a boot, as VERDICT_MEASURED. */
#define PCRS_OF_A_MEASURED_BOOT (1U << 0 | 1U << 4 | 1U << 7)

/* What one guest was asked with. */
typedef struct Nonce {
        uint8_t data[NONCE_SIZE_MAX];
        size_t size;
} Nonce;

static int make_nonce(const TpmOptions *options, Nonce *ret) {
        ret->size = options->nonce_size > 0 ? options->nonce_size : NONCE_SIZE;
        memcpy(ret->data, options->nonce, sizeof(ret->data));
        if (options->nonce_size == 0 && getrandom(ret->data, ret->size, 0) != (ssize_t) ret->size)
                return negative_errno();

        return 0;
}

static int quote_ask(Target *t, json_object **ret) {
        const TpmOptions *options = t->owner->tpm;
        _cleanup_json_ json_object *arguments = json_object_new_object();
        _cleanup_free_ char *selection = pcr_selection_format(options->selection);
        _cleanup_free_ Nonce *nonce = calloc(1, sizeof(*nonce));
        char hex[2 * NONCE_SIZE_MAX + 1];
        int r;

        if (!arguments || !selection || !nonce)
                return -ENOMEM;

        r = make_nonce(options, nonce);
        if (r < 0)
                return r;

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

static int refuse_by(Target *t, QuoteFault fault) {
        return target_refuse(t, CAUSE_BAD_QUOTE, quote_fault_code(fault), "%s", quote_fault_sentence(fault));
}

static int compute_qualifying_data(Proof *proof) {
        const QuoteAnswer *a = proof->answer;
        uint8_t hash[REPORT_HASH_SIZE];
        int r;

        r = algorithm_hash(ALGORITHM_SHA256, &(HashPart) {a->report, a->report_size}, 1, hash);
        return r < 0 ? r : quote_qualifying_data(proof->nonce, proof->nonce_size, hash, proof->qualifying_data);
}

static int verify(Target *t, const QuoteAnswer *a, Proof *proof) {
        const TpmOptions *options = t->owner->tpm;
        const Nonce *nonce = t->asked;
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
        if (r != QUOTE_OK)
                return r < 0 ? r : refuse_by(t, (QuoteFault) r);

        proof->answer = a;
        memcpy(proof->nonce, nonce->data, nonce->size);
        proof->nonce_size = nonce->size;
        return compute_qualifying_data(proof);
}

static int parse_report(Target *t, const QuoteAnswer *a, json_object **ret) {
        int r;

        r = (int) reply_check(a->report, a->report_size);
        if (r == 0)
                r = json_parse(a->report, a->report_size, ret);
        if (r == -ENOMEM)
                return r;
        if (r != 0)
                return target_refuse(t, CAUSE_BAD_REPORT, NULL,
                                     "the quote is good, but what it is bound to is no JSON");

        return report_check(*ret, &t->detail);
}

static bool says_measured(json_object *report) {
        json_object *practices = json_get_array(report, "practices");

        for (size_t i = 0; i < json_object_array_length(practices); i++) {
                json_object *practice = json_object_array_get_idx(practices, i);

                if (streq(json_get_text(practice, "name"), "measured-boot") &&
                    practice_state(practice) == STATE_ACTIVE)
                        return true;
        }

        return false;
}

static int find_empty_pcrs(const Proof *proof, uint32_t *ret) {
        const Attest *a = &proof->result.attest;

        *ret = 0;
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                PcrContent content;
                int r;

                if (!(a->selection & PCRS_OF_A_MEASURED_BOOT & 1U << i))
                        continue;

                r = pcr_content(a->bank, i, proof->answer->pcrs.banks[a->bank].digests[i], &content);
                if (r < 0)
                        return r;
                if (content != PCR_CONTENT_MEASURED)
                        *ret |= 1U << i;
        }

        return 0;
}

/* A guest may say of itself what it likes, but not what its own quote denies. */
static int check_contradiction(Target *t, const Proof *proof, json_object *report) {
        _cleanup_free_ char *pcrs = NULL;
        uint32_t empty;
        int r;

        if (!says_measured(report))
                return 0;

        r = find_empty_pcrs(proof, &empty);
        if (r == -EOPNOTSUPP)
                return target_refuse(t, CAUSE_LOCAL_ERROR, NULL, "this host has no %s to look at the PCRs with",
                                     algorithm_to_string(proof->result.attest.bank));
        if (r < 0 || empty == 0)
                return r;

        pcrs = pcr_selection_format(empty);
        if (!pcrs)
                return -ENOMEM;

        return target_refuse(t, CAUSE_BAD_QUOTE, CODE_CONTRADICTION,
                             "the report says that measured-boot is active, and its own quote says that nothing was "
                             "measured into PCR %s of the bank %s: do not trust this report. If the guest judges its "
                             "boot by another bank, ask for that one with --bank.", pcrs,
                             algorithm_to_string(proof->result.attest.bank));
}

static int take_report(Target *t, const Proof *proof, json_object **ret) {
        int r;

        r = parse_report(t, proof->answer, ret);
        return r != 0 ? r : check_contradiction(t, proof, *ret);
}

/* The report is looked at before anything is remembered: a guest that sends none was not seen. */
static int know(Target *t, Proof *proof, json_object **ret_report) {
        _cleanup_close_ int lock = -EBADF;
        int r;

        if (!t->name)
                return take_report(t, proof, ret_report);

        r = directory_lock(t->owner->tpm->keys_fd, t->deadline, &lock);
        if (r == -EAGAIN)
                return target_refuse(t, CAUSE_KEY_STORE, NULL, "the directory of keys is locked by another process");
        if (r < 0)
                return target_refuse(t, CAUSE_KEY_STORE, NULL, "the directory of keys cannot be locked: %s",
                                     strerror(-r));

        r = recognise(t, proof);
        if (r == 0)
                r = take_report(t, proof, ret_report);

        return r != 0 ? r : remember(t, proof);
}

static int write_files(Target *t, Proof *proof) {
        const TpmOptions *options = t->owner->tpm;
        int r;

        if (!options->write)
                return 0;

        r = proof_write(proof, options->write, options->write_fd, &t->detail);
        return r < 0 && t->detail ? (int) CAUSE_LOCAL_ERROR : r;
}

static int quote_show(const Output *o, Target *t, json_object *value) {
        _cleanup_(proof_done) Proof proof = {};
        _cleanup_json_ json_object *report = NULL;
        QuoteAnswer answer;
        int r;

        r = quote_answer_parse(value, &answer, &t->detail);
        if (r == 0)
                r = verify(t, &answer, &proof);
        if (r == 0)
                r = know(t, &proof, &report);
        if (r == 0)
                r = write_files(t, &proof);
        if (r != 0)
                return r;

        status_judge(t, report);
        return proof_print(o, t, &proof, report);
}

const Verb verb_quote = {
        .name = "quote",
        .synopsis = "TARGET...",
        .help = "Show practices, check a TPM quote over them",
        .execute = "gtune-quote",
        .tpm_options = TPM_OPTION_BIT(_TPM_OPTION_MAX) - 1,
        .timeout = TPM_TIMEOUT,
        .ask = quote_ask,
        .head = print_head,
        .foot = status_foot,
        .show = quote_show,
};
