/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The quote: what PCRs hold, signed by the TPM. libtss2 is loaded for it when it is asked for, and for nothing else;
 * tss-none.c stands in where it was not there at build time.
 */

#include "tpm/device.h"
#include "tpm/pcrs.h"

/* SHA-256, see quote_qualifying_data(). */
#define QUALIFYING_SIZE 32U

/* What is to be signed. */
typedef struct QuoteOrder {
        uint8_t qualifying[QUALIFYING_SIZE];
        Algorithm bank;
        uint32_t selection; /* one bit for each PCR */
} QuoteOrder;

/* A quote as the TPM marshals it (part 2), and the values that it speaks of. */
typedef struct SignedPcrs {
        Buffer attest;     /* TPMS_ATTEST */
        Buffer signature;  /* TPMT_SIGNATURE */
        Buffer public_key; /* TPM2B_PUBLIC */
        Pcrs pcrs;         /* the selected ones */
} SignedPcrs;

/**
 * tss_quote() - let the TPM sign its PCRs
 * @device: the device
 * @order: what is to be signed
 * @ret: takes the quote; the caller calls signed_pcrs_done()
 * @fault: takes the reason where there is none
 *
 * The key is a primary of the endorsement hierarchy, ECC P-256, restricted, for ECDSA with SHA-256. The same template
 * gives the same key until the TPM is cleared, so that nothing has to be kept: it is flushed on every path. PCRs may
 * move between the reading and the quote; both are repeated until they agree, at most five times.
 * Return: 0, FAULT or -ENOMEM.
 */
int tss_quote(TpmDevice *device, const QuoteOrder *order, SignedPcrs *ret, Fault *fault);

/** signed_pcrs_done() - release what a quote holds */
void signed_pcrs_done(SignedPcrs *s);
