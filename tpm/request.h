/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The requests of gtune-tpm (doc/gtune-tpm.schema.json). Any other form is refused, because a request may come from a
 * host.
 */

#include "tpm/attest.h"
#include "tpm/fault.h"

/* The largest request in bytes: it may contain the report for a quote, in which quotation marks are escaped. */
#define TPM_REQUEST_SIZE_MAX (512U * 1024U)

typedef enum TpmVerb {
        TPM_VERB_PCRS,
        TPM_VERB_EVENTLOG,
        TPM_VERB_VERDICT,
        TPM_VERB_QUOTE,
        _TPM_VERB_MAX,
} TpmVerb;

typedef struct TpmRequest {
        TpmVerb verb;
        Algorithm bank;          /* _ALGORITHM_INVALID: not given */
        uint32_t offset, limit;  /* of events */
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t nonce_size;
        uint32_t selection;      /* PCRs, one bit each */
        bool has_report;
        uint8_t report_hash[32]; /* SHA-256 of the report; the request has its text or its hash */
} TpmRequest;

/**
 * tpm_request_parse() - read a request
 * @text: one JSON object
 * @size: its length in bytes
 * @ret: takes the request
 * @fault: takes the reason, always of the class bad-request
 *
 * Return: 0, FAULT, -ENOMEM, or -EOPNOTSUPP if libcrypto has no SHA-256.
 */
int tpm_request_parse(const char *text, size_t size, TpmRequest *ret, Fault *fault);
