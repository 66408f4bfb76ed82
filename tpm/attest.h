/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote and its check, for a host that trusts only the key: TPMS_ATTEST, TPMT_SIGNATURE and TPM2B_PUBLIC as the TPM
 * marshals them (TPM 2.0 part 2, big endian), and the files that tpm2_checkquote takes. libtss2 is not needed.
 */

#include "tpm/pcrs.h"

#define NONCE_SIZE_MIN 16U
#define NONCE_SIZE_MAX 64U

/* The largest size of each of the three structures. */
#define QUOTE_PART_SIZE_MAX 2048U

/* The name of a key: the algorithm and a SHA-256 digest (part 1, 16). */
#define KEY_NAME_SIZE 34U

/* The reason why a quote is refused; see quote_fault_code() and quote_fault_sentence(). */
typedef enum QuoteFault {
        QUOTE_OK,
        QUOTE_NONCE_SIZE,        /* the nonce of the request has a wrong length */
        QUOTE_ATTEST_MALFORMED,
        QUOTE_MAGIC,             /* the attest was not made by a TPM */
        QUOTE_TYPE,              /* the attest was made by a TPM, but is not a quote */
        QUOTE_PUBLIC_MALFORMED,
        QUOTE_KEY_TYPE,          /* not an ECC P-256 key for ECDSA with SHA-256 */
        QUOTE_KEY_ATTRIBUTES,    /* a key that signs any data, or that may leave the TPM */
        QUOTE_OTHER_KEY,         /* not the expected key */
        QUOTE_SIGNATURE_MALFORMED,
        QUOTE_SIGNATURE_SCHEME,  /* not ECDSA with SHA-256 */
        QUOTE_SIGNATURE,         /* it is wrong: attest, signature or key was changed */
        QUOTE_SIGNER,            /* the attest names another key: the public part was changed */
        QUOTE_NONCE,             /* an old quote, or a quote for another request */
        QUOTE_REPORT,            /* the report was changed after the quote */
        QUOTE_SELECTION,         /* other PCRs or another bank than in the request */
        QUOTE_PCRS_MISSING,      /* a selected PCR has no value */
        QUOTE_PCR_DIGEST,        /* the values differ from the quoted values */
        _QUOTE_FAULT_MAX,
} QuoteFault;

/* TPMS_ATTEST of a quote over one bank. */
typedef struct Attest {
        uint8_t qualified_signer[2 + DIGEST_SIZE_MAX];
        size_t qualified_signer_size;
        uint8_t extra_data[2 + DIGEST_SIZE_MAX]; /* the qualifying data */
        size_t extra_data_size;
        uint64_t clock;          /* milliseconds since the TPM was powered on */
        uint32_t reset_count;    /* TPM resets: reboots and power cycles */
        uint32_t restart_count;  /* restarts or resumes since the last reset */
        bool safe;               /* the clock never went back */
        uint64_t firmware_version;
        Algorithm bank;
        uint32_t selection;      /* one bit for each PCR */
        uint8_t pcr_digest[DIGEST_SIZE_MAX];
        size_t pcr_digest_size;
} Attest;

/* TPM2B_PUBLIC of an ECC P-256 key. */
typedef struct PublicKey {
        uint32_t attributes; /* TPMA_OBJECT */
        uint8_t x[32], y[32];
        uint8_t name[KEY_NAME_SIZE];
} PublicKey;

/* TPMT_SIGNATURE of ECDSA with SHA-256. */
typedef struct Signature {
        uint8_t r[32], s[32];
} Signature;

/* The answer of a guest. */
typedef struct Quote {
        const void *attest;
        size_t attest_size;
        const void *signature;
        size_t signature_size;
        const void *public_key;
        size_t public_key_size;
        const Pcrs *pcrs;
        const uint8_t *report_hash; /* the hash that the guest sent, 32 bytes, or NULL; it only decides between
                                     * QUOTE_REPORT and QUOTE_NONCE, and never makes a quote good */
} Quote;

/* The request to a guest. */
typedef struct QuoteRequest {
        const uint8_t *nonce;
        size_t nonce_size;      /* NONCE_SIZE_MIN to NONCE_SIZE_MAX bytes */
        Algorithm bank;
        uint32_t selection;
        const void *report;     /* the report in the answer, byte for byte */
        size_t report_size;
        const uint8_t *key_name; /* the expected name, KEY_NAME_SIZE bytes; NULL: any */
} QuoteRequest;

/* The content of a good quote. */
typedef struct QuoteResult {
        Attest attest;
        PublicKey key;
        bool endorsement; /* the key is a primary key of the endorsement hierarchy, so that counters and version
                           * are real; for the owner hierarchy the TPM obfuscates them (part 1, 36.7) */
} QuoteResult;

/**
 * quote_qualifying_data() - compute the data that a quote is bound to
 * @nonce: the nonce of the host
 * @nonce_size: in bytes
 * @report_hash: SHA-256 of the report's bytes
 * @ret: takes SHA-256("gtuned-quote-1" ‖ nonce ‖ report_hash), 32 bytes
 *
 * Return: 0, -EINVAL for a nonce that is too short or too long, or as algorithm_hash().
 */
int quote_qualifying_data(const uint8_t *nonce, size_t nonce_size, const uint8_t *report_hash, uint8_t *ret);

/**
 * quote_check() - check a quote against its request
 * @quote: the quote
 * @request: the request
 * @ret: takes the content of a good quote; unchanged otherwise
 *
 * The checks, in this order: the structures, magic and type; the key's kind, attributes and name; the signature; the
 * signer; nonce and report; the selection; the PCR values. The key must be a primary key of the endorsement or owner
 * hierarchy, because then the attest names the whole public part, attributes included. No quote proves that the key is
 * inside a TPM: this depends on the source from which the operator has the expected name. Return: QUOTE_OK, another
 * QuoteFault (positive), or -ENOMEM, -EOPNOTSUPP.
 */
int quote_check(const Quote *quote, const QuoteRequest *request, QuoteResult *ret);

/** quote_fault_code() - the stable code: "nonce", "pcr-digest" and so on, or "ok" */
const char *quote_fault_code(QuoteFault fault) _const_;

/** quote_fault_sentence() - a sentence for people: the meaning, and the remedy if there is one */
const char *quote_fault_sentence(QuoteFault fault) _const_;

/**
 * attest_parse() - read a TPMS_ATTEST
 * @data: the bytes
 * @size: the number of bytes, all of which must belong to it
 * @ret: takes the content
 *
 * Return: QUOTE_OK, QUOTE_MAGIC, QUOTE_TYPE, QUOTE_SELECTION (more than one bank, or one of unknown algorithm),
 * QUOTE_ATTEST_MALFORMED.
 */
int attest_parse(const void *data, size_t size, Attest *ret);

/**
 * public_key_parse() - read a TPM2B_PUBLIC and compute its name
 * @data: the bytes
 * @size: the number of bytes, all of which must belong to it
 * @ret: takes the key
 *
 * Return: QUOTE_OK, QUOTE_PUBLIC_MALFORMED, QUOTE_KEY_TYPE, or as algorithm_hash(). The attributes are not checked.
 */
int public_key_parse(const void *data, size_t size, PublicKey *ret);

/** public_key_restricted() - whether a key with these attributes signs only data that its own TPM made */
bool public_key_restricted(uint32_t attributes) _const_;

/** signature_parse() - read a TPMT_SIGNATURE. Return: QUOTE_OK, QUOTE_SIGNATURE_MALFORMED, QUOTE_SIGNATURE_SCHEME. */
int signature_parse(const void *data, size_t size, Signature *ret);

/**
 * signature_verify() - check a signature
 * @key: the key
 * @signature: the signature
 * @data: the signed data
 * @size: their size in bytes
 *
 * Return: QUOTE_OK, QUOTE_SIGNATURE (also for a point that is not on the curve), or -ENOMEM.
 */
int signature_verify(const PublicKey *key, const Signature *signature, const void *data, size_t size);

/**
 * quote_pcr_file() - make the "serialized" PCR file for tpm2_checkquote -f
 * @pcrs: the values
 * @bank: the bank
 * @selection: one bit for each PCR; all must be known
 * @b: takes the bytes, appended
 *
 * The file has the form of tpm2-tools 4 and 5: structures as they are in memory, little endian. The other files of
 * tpm2_checkquote are attest, signature and public key as the TPM marshals them. Return: 0, -ENODATA if a selected PCR
 * is not known, -ENOMEM.
 */
int quote_pcr_file(const Pcrs *pcrs, Algorithm bank, uint32_t selection, Buffer *b);
