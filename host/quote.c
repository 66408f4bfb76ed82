/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host quote: the report of each guest, bound to a quote of its TPM that is checked here.
 */

#include <stdarg.h>
#include <sys/random.h>

#include "host/directory.h"
#include "host/proof.h"
#include "host/tpm-options.h"
#include "host/verb.h"

#define NONCE_SIZE 32U
#define CODE_COUNTER_BACK "counter-back"

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

/* End the target with a sentence. Return: the cause, or -ENOMEM. */
static int end_with(Target *t, Cause cause, const char *code, const char *format, ...) _printf_(4, 5);
static int end_with(Target *t, Cause cause, const char *code, const char *format, ...) {
        va_list ap;
        int r;

        free(t->detail);
        t->code = code;
        va_start(ap, format);
        r = vasprintf(&t->detail, format, ap);
        va_end(ap);
        if (r < 0)
                t->detail = NULL;

        return r < 0 ? -ENOMEM : (int) cause;
}

static int end_with_fault(Target *t, QuoteFault fault) {
        return end_with(t, CAUSE_BAD_QUOTE, quote_fault_code(fault), "%s", quote_fault_sentence(fault));
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
                return r < 0 ? r : end_with_fault(t, (QuoteFault) r);

        proof->answer = a;
        memcpy(proof->nonce, nonce->data, nonce->size);
        proof->nonce_size = nonce->size;
        return compute_qualifying_data(proof);
}

static int end_with_other_key(Target *t, const KnownKey *known, const KnownKey *now) {
        char was[2 * KEY_NAME_SIZE + 1], is[2 * KEY_NAME_SIZE + 1];

        hex_encode(known->name, sizeof(known->name), was);
        hex_encode(now->name, sizeof(now->name), is);
        return end_with(t, CAUSE_BAD_QUOTE, quote_fault_code(QUOTE_OTHER_KEY),
                        "WARNING: THE KEY OF %s HAS CHANGED. Known since %s is %s, but this quote was made with %s. "
                        "Either the guest got a new TPM state, or its TPM was cleared; or another guest, or an "
                        "impostor, answers here. If you know why, accept the new key with --accept-key; else do not "
                        "trust this guest.", t->name, known->first_seen, was, is);
}

static int end_with_counter_back(Target *t, const KnownKey *known, const KnownKey *now) {
        return end_with(t, CAUSE_BAD_QUOTE, CODE_COUNTER_BACK,
                        "WARNING: THE TPM OF %s WENT BACK. On %s it had been reset %u times and restarted %u times, "
                        "now %u and %u. An old snapshot or TPM state was put back, or a copy of it answers here. If "
                        "you know why, accept this state with --accept-key; else do not trust this guest.", t->name,
                        known->last_seen, known->reset_count, known->restart_count, now->reset_count,
                        now->restart_count);
}

static void fill_key(Proof *proof) {
        const QuoteResult *result = &proof->result;
        KnownKey *key = &proof->key;

        memcpy(key->name, result->key.name, sizeof(key->name));
        key->counted = result->endorsement;
        key->reset_count = result->attest.reset_count;
        key->restart_count = result->attest.restart_count;
        timestamp_utc(key->first_seen);
        timestamp_utc(key->last_seen);
}

static int judge_key(Target *t, Proof *proof, const KnownKey *known) {
        bool accept = t->owner->tpm->accept_key;
        KnownKeyMatch match = known_key_compare(known, &proof->key);

        if (match == KNOWN_KEY_OTHER && !accept)
                return end_with_other_key(t, known, &proof->key);
        if (match == KNOWN_KEY_BACK && !accept)
                return end_with_counter_back(t, known, &proof->key);

        proof->key_status = match == KNOWN_KEY_SAME ? KEY_KNOWN : KEY_ACCEPTED;
        if (match != KNOWN_KEY_OTHER)
                memcpy(proof->key.first_seen, known->first_seen, sizeof(known->first_seen));

        return 0;
}

/* Return: 0, also where nothing is known yet; a Cause; -ENOMEM. */
static int recognise(Target *t, Proof *proof) {
        KnownKey known;
        int r;

        fill_key(proof);
        r = known_key_load(t->owner->tpm->keys_fd, t->name, &known);
        if (r >= 0)
                return judge_key(t, proof, &known);
        if (r == -ENOENT) {
                proof->key_status = KEY_NEW;
                return 0;
        }
        if (r == -EBADMSG)
                return end_with(t, CAUSE_KEY_STORE, NULL,
                                "%s.json in the directory of keys is damaged: look at it, and remove it only if you "
                                "know why", t->name);
        if (r == -ENOMEM)
                return r;

        return end_with(t, CAUSE_KEY_STORE, NULL, "%s.json in the directory of keys cannot be read: %s", t->name,
                        strerror(-r));
}

static int remember(Target *t, const Proof *proof) {
        int r;

        r = known_key_store(t->owner->tpm->keys_fd, t->name, &proof->key);
        if (r >= 0 || r == -ENOMEM)
                return r;

        return end_with(t, CAUSE_KEY_STORE, NULL, "%s.json in the directory of keys cannot be written: %s", t->name,
                        strerror(-r));
}

static int parse_report(Target *t, const QuoteAnswer *a, json_object **ret) {
        int r;

        r = (int) reply_check(a->report, a->report_size);
        if (r == 0)
                r = json_parse(a->report, a->report_size, ret);
        if (r == -ENOMEM)
                return r;
        if (r != 0)
                return end_with(t, CAUSE_BAD_REPORT, NULL, "the quote is good, but what it is bound to is no JSON");

        return report_check(*ret, &t->detail);
}

/* The report is looked at before anything is remembered: a guest that sends none was not seen. */
static int know(Target *t, Proof *proof, json_object **ret_report) {
        _cleanup_close_ int lock = -EBADF;
        int r;

        if (!t->name)
                return parse_report(t, proof->answer, ret_report);

        r = directory_lock(t->owner->tpm->keys_fd, &lock);
        if (r < 0)
                return end_with(t, CAUSE_KEY_STORE, NULL, "the directory of keys cannot be locked: %s", strerror(-r));

        r = recognise(t, proof);
        if (r == 0)
                r = parse_report(t, proof->answer, ret_report);

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
        .help = "Show the practices, proven by a TPM quote",
        .execute = "gtune-quote",
        .tpm_options = TPM_OPTION_BIT(_TPM_OPTION_MAX) - 1,
        .timeout = TPM_TIMEOUT,
        .ask = quote_ask,
        .head = print_head,
        .foot = status_foot,
        .show = quote_show,
};
