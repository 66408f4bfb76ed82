/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The quote: PCR values that the TPM signs. libtss2 is loaded only when a quote is requested. tss-none.c replaces tss.c
 * in a build without the headers of libtss2. Tests: tests/tpm/asks.py.
 */

#include "tpm/device.h"
#include "tpm/pcrs.h"

/* The size of SHA-256, see quote_qualifying_data(). */
#define QUALIFYING_SIZE 32U

/* The data that the TPM signs. */
typedef struct QuoteOrder {
        uint8_t qualifying[QUALIFYING_SIZE];
        Algorithm bank;
        uint32_t selection; /* one bit for each PCR */
} QuoteOrder;

/* A quote as the TPM marshals it (part 2), and the values that it is about. */
typedef struct SignedPcrs {
        Buffer attest;     /* TPMS_ATTEST */
        Buffer signature;  /* TPMT_SIGNATURE */
        Buffer public_key; /* TPM2B_PUBLIC */
        Pcrs pcrs;         /* the selected PCRs */
} SignedPcrs;

/**
 * tss_quote() - let the TPM sign its PCRs
 * @device: the device
 * @order: the data to sign
 * @ret: takes the quote; the caller calls signed_pcrs_done()
 * @fault: takes the reason if there is no quote
 *
 * The key is a primary of the endorsement hierarchy, ECC P-256, restricted, for ECDSA with SHA-256. The same template
 * makes the same key until the TPM is cleared, so that the key is not kept: it is always flushed. PCRs may change
 * between the reading and the quote; both are repeated until they agree, at most five times. Return: 0, FAULT or
 * -ENOMEM.
 */
int tss_quote(TpmDevice *device, const QuoteOrder *order, SignedPcrs *ret, Fault *fault);

/** signed_pcrs_done() - release the content of a quote */
void signed_pcrs_done(SignedPcrs *s);
