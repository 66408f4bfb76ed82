/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/evp.h>

#include "agent/tpm/ask.h"
#include "agent/tpm/quote-files.h"
#include "engine/hash.h"
#include "engine/report.h"

/* PCR 0 to 9, which measure the boot, and PCR 14, the Machine Owner Keys. */
#define QUOTE_PCRS_DEFAULT (0x3FFU | 1U << 14)

/* Formats the report as one line; the quote is bound to exactly these bytes. */
static int quote_take_report(const Context *c, Buffer *ret, Algorithm *ret_bank) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        *ret_bank = tpm_bank(c, survey->policy);
        r = report_make(survey, &report);
        if (r < 0)
                return r;

        return json_format(report, ret);
}

static int quote_make_arguments(const Context *c, Algorithm bank, const Buffer *report, json_object **ret) {
        const uint32_t pcrs = tpm_verb_options(c)->pcrs != 0 ? tpm_verb_options(c)->pcrs : QUOTE_PCRS_DEFAULT;
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_free_ char *selection = pcr_selection_format(pcrs);
        char hash[HASH_TEXT_SIZE];

        hash_buffer(report, hash);
        if (!o || !selection || json_set_text(o, "nonce", tpm_verb_options(c)->nonce) < 0 ||
            json_set_text(o, "bank", algorithm_to_string(bank)) < 0 || json_set_text(o, "selection", selection) < 0 ||
            json_set_text(o, "report_sha256", hash) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static bool quote_is_base64(const char *text, size_t n) {
        size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

        return n % 4 == 0 && n - digits <= 2 && strspn(text + digits, "=") == n - digits;
}

static int quote_get_base64(json_object *o, const char *key, Buffer *ret) {
        const char *text = json_get_text(o, key);
        size_t n = text ? strlen(text) : 0;
        unsigned char data[QUOTE_PART_SIZE_MAX + 3];
        int size;

        if (n == 0 || n / 4 * 3 > QUOTE_PART_SIZE_MAX + 2 || !quote_is_base64(text, n))
                return -EBADMSG;

        size = EVP_DecodeBlock(data, (const unsigned char *) text, (int) n);
        if (size < 0)
                return -EBADMSG;

        size -= (int) (n - strcspn(text, "="));
        return buffer_append(ret, data, (size_t) size);
}

static int quote_parse_files(json_object *o, QuoteFiles *ret) {
        json_object *values;
        int r;

        if (!json_object_object_get_ex(o, "pcrs", &values) || pcrs_from_json(values, &ret->pcrs) < 0)
                return -EBADMSG;

        r = quote_get_base64(o, "attest", &ret->attest);
        if (r < 0)
                return r;
        r = quote_get_base64(o, "signature", &ret->signature);
        if (r < 0)
                return r;

        return quote_get_base64(o, "public", &ret->public_key);
}

/* A host would refuse a bad quote, so it is checked here first: an emulator may be broken, or forged. */
static int quote_check_answer(const Context *c, const QuoteFiles *q) {
        uint8_t nonce[NONCE_SIZE_MAX];
        const Quote quote = {
                .attest = q->attest.data,
                .attest_size = q->attest.size,
                .signature = q->signature.data,
                .signature_size = q->signature.size,
                .public_key = q->public_key.data,
                .public_key_size = q->public_key.size,
                .pcrs = &q->pcrs,
        };
        const QuoteRequest request = {
                .nonce = nonce,
                .nonce_size = strlen(tpm_verb_options(c)->nonce) / 2,
                .bank = q->bank,
                .selection = q->selection,
                .report = q->report.data,
                .report_size = q->report.size,
        };
        QuoteResult result;
        int r;

        (void) hex_decode(tpm_verb_options(c)->nonce, request.nonce_size, nonce);
        r = quote_check(&quote, &request, &result);
        if (r > 0)
                return complain(c, "the TPM gave a bad quote: %s", quote_fault_sentence((QuoteFault) r));

        if (r == -EOPNOTSUPP)
                return complain(c, "libcrypto cannot check the quote");

        return r;
}

static int quote_make(const Context *c, QuoteFiles *q, json_object **ret) {
        _cleanup_json_ json_object *o = NULL;
        json_object *arguments;
        _cleanup_free_ char *error = NULL;
        int r;

        r = quote_make_arguments(c, q->bank, &q->report, &arguments);
        if (r < 0)
                return r;
        r = tpm_ask(c, "quote", arguments, &o, &error);
        if (r != 0)
                return tpm_complain(c, r, error);

        r = quote_parse_files(o, q);
        if (r == -EBADMSG)
                return complain(c, "gtune-tpm gave a quote that cannot be understood: gtuned and gtuned-tpm must be "
                                   "of the same version");
        if (r < 0)
                return r;
        r = quote_check_answer(c, q);
        if (r != 0)
                return r;
        r = json_set(o, "report", json_text_n(q->report.data, q->report.size));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(o);
        return 0;
}

int verb_quote(Context *c, _unused_ char **arguments) {
        const TpmVerbOptions *options = tpm_verb_options(c);
        _cleanup_json_ json_object *answer = NULL;
        _cleanup_(quote_files_done) QuoteFiles q = {
                .selection = options->pcrs != 0 ? options->pcrs : QUOTE_PCRS_DEFAULT,
        };
        int r;

        if (!options->nonce) {
                return complain_usage(c, "quote needs --nonce HEX: %u to %u bytes that the asking side has chosen",
                                      NONCE_SIZE_MIN, NONCE_SIZE_MAX);
        }

        r = quote_take_report(c, &q.report, &q.bank);
        if (r != 0)
                return r;
        r = quote_make(c, &q, &answer);
        if (r != 0)
                return r;

        if (options->directory) {
                r = quote_files_write(c, &q, options->directory);
                if (r != 0)
                        return r;
                if (!c->json)
                        return quote_files_print_command(options->directory, json_get_text(answer, "qualifying_data"));
        }

        return print_document(answer);
}
