/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a host takes for a quote: attest, signature and public key, each with its size in one byte before it. No bytes
 * crash the check, and none pass it that do not carry the signature of a key.
 */

#include <assert.h>

#include "tpm/attest.h"
#include "tpm/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A piece in memory of its own, so that one byte too far is seen. */
static uint8_t *take_piece(Reader *reader, size_t *ret_size) {
        size_t size = reader_u8(reader);
        uint8_t *copy;

        if (size > reader_left(reader))
                size = reader_left(reader);

        copy = malloc(size > 0 ? size : 1);
        assert(copy);
        if (size > 0)
                memcpy(copy, reader_take(reader, size), size);
        *ret_size = size;
        return copy;
}

static void check_parts(const Quote *quote) {
        Signature signature;
        PublicKey key;
        Attest attest;

        if (attest_parse(quote->attest, quote->attest_size, &attest) == QUOTE_OK) {
                assert(attest.bank >= 0 && attest.bank < _ALGORITHM_MAX);
                assert((attest.selection & ~PCR_ALL) == 0);
                assert(attest.extra_data_size <= sizeof(attest.extra_data));
                assert(attest.pcr_digest_size <= sizeof(attest.pcr_digest));
        }
        if (public_key_parse(quote->public_key, quote->public_key_size, &key) == QUOTE_OK &&
            signature_parse(quote->signature, quote->signature_size, &signature) == QUOTE_OK)
                assert(signature_verify(&key, &signature, quote->attest, quote->attest_size) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Pcrs pcrs = {.banks[ALGORITHM_SHA256] = {.present = PCR_ALL}};
        static const uint8_t nonce[32];
        const QuoteRequest request = {
                .nonce = nonce,
                .nonce_size = sizeof(nonce),
                .bank = ALGORITHM_SHA256,
                .selection = 0x47FF,
                .report = "",
        };
        Reader reader = reader_of(data, size);
        Quote quote = {.pcrs = &pcrs};
        _cleanup_free_ uint8_t *attest = take_piece(&reader, &quote.attest_size);
        _cleanup_free_ uint8_t *signature = take_piece(&reader, &quote.signature_size);
        _cleanup_free_ uint8_t *public_key = take_piece(&reader, &quote.public_key_size);
        QuoteResult result;
        int r;

        quote.attest = attest;
        quote.signature = signature;
        quote.public_key = public_key;
        check_parts(&quote);

        /* A real quote for this nonce would need the TPM's key. */
        r = quote_check(&quote, &request, &result);
        assert(r > QUOTE_OK && r < _QUOTE_FAULT_MAX);
        assert(quote_fault_code((QuoteFault) r) && quote_fault_sentence((QuoteFault) r));

        return 0;
}
