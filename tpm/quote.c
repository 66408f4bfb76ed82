/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The check of a quote. Tests: tests/unit/tpm/test-attest.c.
 */

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tpm/attest.h"

#define SHA256_SIZE 32U
#define QUOTE_PURPOSE "gtuned-quote-1"

static const struct {
        const char *code;
        const char *sentence;
} quote_faults[_QUOTE_FAULT_MAX] = {
        [QUOTE_OK] = {"ok", "the quote is good"},
        [QUOTE_NONCE_SIZE] = {"nonce-size", "a nonce has 16 to 64 bytes: ask again with one of that size"},
        [QUOTE_ATTEST_MALFORMED] = {"attest-malformed",
                                    "the attest is not a valid TPMS_ATTEST: do not trust this guest"},
        [QUOTE_MAGIC] = {"magic", "the attest was not made by a TPM (wrong magic): it is forged"},
        [QUOTE_TYPE] = {"type", "the attest was made by a TPM, but is not a quote: it says nothing about PCRs"},
        [QUOTE_PUBLIC_MALFORMED] = {"public-malformed",
                                    "the key is not a valid TPM2B_PUBLIC: do not trust this guest"},
        [QUOTE_KEY_TYPE] = {"key-type", "the key is not an ECC P-256 key for ECDSA with SHA-256 and a SHA-256 name, "
                                        "which gtuned uses: it was not made by gtuned"},
        [QUOTE_KEY_ATTRIBUTES] = {"key-attributes",
                                  "the key is not restricted to what its own TPM makes, or may leave it "
                                  "(restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin and no decrypt are "
                                  "needed): any program in the guest could have made this signature"},
        [QUOTE_OTHER_KEY] = {"other-key", "the key is not the one that is known for this guest: its TPM state is new "
                                          "or another TPM answers; forget the old key only if you know why"},
        [QUOTE_SIGNATURE_MALFORMED] = {"signature-malformed",
                                       "the signature is not a valid TPMT_SIGNATURE: do not trust this guest"},
        [QUOTE_SIGNATURE_SCHEME] = {"signature-scheme", "the signature is not made with ECDSA and SHA-256, which the "
                                                        "key is bound to: it is forged"},
        [QUOTE_SIGNATURE] = {"signature", "the signature does not fit: the attest or the signature was changed, or "
                                          "another key signed it"},
        [QUOTE_SIGNER] = {"signer", "the attest names another key than the one that came along, or no primary key: "
                                    "the key was changed on its way"},
        [QUOTE_NONCE] = {"nonce",
                         "the quote was not made for this nonce: it is an old quote, or a quote for another request"},
        [QUOTE_REPORT] = {"report", "the report is not the one that was quoted: it was changed on its way"},
        [QUOTE_SELECTION] = {"selection", "the quote is about other PCRs or another bank than was asked for"},
        [QUOTE_PCRS_MISSING] = {"pcrs-missing", "a PCR that was asked for came without its value"},
        [QUOTE_PCR_DIGEST] = {"pcr-digest", "the PCR values are not those that were quoted: they were changed, or "
                                            "moved in between; ask again"},
};

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);
DEFINE_CLEANUP(unsigned char *, OPENSSL_free);

const char *quote_fault_code(QuoteFault fault) {
        return quote_faults[fault].code;
}

const char *quote_fault_sentence(QuoteFault fault) {
        return quote_faults[fault].sentence;
}

/* Makes a SubjectPublicKeyInfo, which libcrypto 1.1 and 3 both read without deprecated functions. */
static EVP_PKEY *public_key_load(const PublicKey *key) {
        static const uint8_t prefix[] = {
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        };
        uint8_t der[sizeof(prefix) + sizeof(key->x) + sizeof(key->y)];
        const uint8_t *p = der;

        memcpy(der, prefix, sizeof(prefix));
        memcpy(der + sizeof(prefix), key->x, sizeof(key->x));
        memcpy(der + sizeof(prefix) + sizeof(key->x), key->y, sizeof(key->y));

        return d2i_PUBKEY(NULL, &p, sizeof(der));
}

/* Encodes the signature as DER. Return: its size, or 0: no memory. */
static size_t signature_to_der(const Signature *signature, unsigned char **ret) {
        _cleanup_(ECDSA_SIG_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
        BIGNUM *r = BN_bin2bn(signature->r, sizeof(signature->r), NULL);
        BIGNUM *s = BN_bin2bn(signature->s, sizeof(signature->s), NULL);
        int size;

        if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                return 0;
        }

        size = i2d_ECDSA_SIG(sig, ret);
        return size > 0 ? (size_t) size : 0;
}

int signature_verify(const PublicKey *key, const Signature *signature, const void *data, size_t size) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *pkey = public_key_load(key);
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        _cleanup_(OPENSSL_freep) unsigned char *der = NULL;
        size_t der_size;
        bool good;

        if (!ctx)
                return -ENOMEM;
        if (!pkey) {
                ERR_clear_error();
                return QUOTE_SIGNATURE;
        }

        der_size = signature_to_der(signature, &der);
        if (der_size == 0)
                return -ENOMEM;

        good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
               EVP_DigestVerify(ctx, der, der_size, data, size) == 1;
        ERR_clear_error();
        return good ? QUOTE_OK : QUOTE_SIGNATURE;
}

int quote_qualifying_data(const uint8_t *nonce, size_t nonce_size, const uint8_t *report_hash, uint8_t *ret) {
        const HashPart parts[] = {
                {QUOTE_PURPOSE, strlen(QUOTE_PURPOSE)},
                {nonce, nonce_size},
                {report_hash, SHA256_SIZE},
        };

        if (nonce_size < NONCE_SIZE_MIN || nonce_size > NONCE_SIZE_MAX)
                return -EINVAL;

        return algorithm_hash(ALGORITHM_SHA256, parts, ELEMENTSOF(parts), ret);
}

/* Return: 1 if the quote is bound to the nonce and this hash of a report, 0 if not, or as algorithm_hash(). */
static int quote_is_bound_to(const Attest *a, const QuoteRequest *request, const uint8_t *report_hash) {
        uint8_t expected[SHA256_SIZE];
        int r = quote_qualifying_data(request->nonce, request->nonce_size, report_hash, expected);

        if (r < 0)
                return r;

        return a->extra_data_size == sizeof(expected) && memcmp(a->extra_data, expected, sizeof(expected)) == 0;
}

static int quote_check_binding(const Attest *a, const Quote *quote, const QuoteRequest *request) {
        uint8_t hash[SHA256_SIZE];
        int r = algorithm_hash(ALGORITHM_SHA256, &(HashPart){request->report, request->report_size}, 1, hash);

        if (r < 0)
                return r;
        r = quote_is_bound_to(a, request, hash);
        if (r < 0)
                return r;
        if (r > 0)
                return QUOTE_OK;
        if (!quote->report_hash)
                return QUOTE_NONCE;

        /* The quote is refused in any case; the hash that the guest sent only decides between the two reasons. */
        r = quote_is_bound_to(a, request, quote->report_hash);
        if (r < 0)
                return r;

        return r > 0 ? QUOTE_REPORT : QUOTE_NONCE;
}

static int quote_check_pcrs(const Attest *a, const Quote *quote, const QuoteRequest *request) {
        uint8_t composite[SHA256_SIZE];
        int r;

        if (a->bank != request->bank || a->selection != request->selection)
                return QUOTE_SELECTION;

        /* The composite is made with the hash of the signing scheme (part 3, 18.4). */
        r = pcrs_composite(quote->pcrs, a->bank, a->selection, ALGORITHM_SHA256, composite);
        if (r == -ENODATA)
                return QUOTE_PCRS_MISSING;
        if (r < 0)
                return r;

        if (a->pcr_digest_size != sizeof(composite) || memcmp(a->pcr_digest, composite, sizeof(composite)) != 0)
                return QUOTE_PCR_DIGEST;

        return QUOTE_OK;
}

static int quote_check_key(const Quote *quote, const QuoteRequest *request, PublicKey *ret) {
        int r = public_key_parse(quote->public_key, quote->public_key_size, ret);

        if (r != QUOTE_OK)
                return r;
        if (!public_key_restricted(ret->attributes))
                return QUOTE_KEY_ATTRIBUTES;
        if (request->key_name && memcmp(request->key_name, ret->name, KEY_NAME_SIZE) != 0)
                return QUOTE_OTHER_KEY;

        return QUOTE_OK;
}

/* The qualified name of a primary key is the hash of its hierarchy's handle and its name (part 1, 16). */
static int quote_check_signer(const Attest *a, const PublicKey *key, bool *ret_endorsement) {
        static const uint8_t hierarchies[][4] = {
                {0x40, 0x00, 0x00, 0x0B}, /* TPM_RH_ENDORSEMENT */
                {0x40, 0x00, 0x00, 0x01}, /* TPM_RH_OWNER */
        };

        for (size_t i = 0; i < ELEMENTSOF(hierarchies); i++) {
                const HashPart parts[] = {{hierarchies[i], sizeof(hierarchies[i])}, {key->name, sizeof(key->name)}};
                uint8_t name[KEY_NAME_SIZE];
                int r;

                memcpy(name, key->name, 2);
                r = algorithm_hash(ALGORITHM_SHA256, parts, ELEMENTSOF(parts), name + 2);
                if (r < 0)
                        return r;
                if (a->qualified_signer_size != sizeof(name) || memcmp(a->qualified_signer, name, sizeof(name)) != 0)
                        continue;

                *ret_endorsement = i == 0;
                return QUOTE_OK;
        }

        return QUOTE_SIGNER;
}

int quote_check(const Quote *quote, const QuoteRequest *request, QuoteResult *ret) {
        QuoteResult result = {};
        Signature signature;
        int r;

        assert(quote);
        assert(request);
        assert(ret);

        if (request->nonce_size < NONCE_SIZE_MIN || request->nonce_size > NONCE_SIZE_MAX)
                return QUOTE_NONCE_SIZE;

        r = attest_parse(quote->attest, quote->attest_size, &result.attest);
        if (r != QUOTE_OK)
                return r;
        r = quote_check_key(quote, request, &result.key);
        if (r != QUOTE_OK)
                return r;
        r = signature_parse(quote->signature, quote->signature_size, &signature);
        if (r != QUOTE_OK)
                return r;
        r = signature_verify(&result.key, &signature, quote->attest, quote->attest_size);
        if (r != QUOTE_OK)
                return r;
        r = quote_check_signer(&result.attest, &result.key, &result.endorsement);
        if (r != QUOTE_OK)
                return r;
        r = quote_check_binding(&result.attest, quote, request);
        if (r != QUOTE_OK)
                return r;
        r = quote_check_pcrs(&result.attest, quote, request);
        if (r != QUOTE_OK)
                return r;

        *ret = result;
        return QUOTE_OK;
}
