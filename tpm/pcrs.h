/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the PCRs of a TPM hold, bank by bank.
 */

#include "core/json.h"
#include "tpm/algorithm.h"

#define PCR_COUNT 24U
#define PCR_ALL ((1U << PCR_COUNT) - 1)

/* The Linux kernel's IMA extends PCR 10 at any moment, and PCR 16 is for debugging: neither belongs to the boot. */
#define PCR_MOVING (1U << 10 | 1U << 16)

typedef struct PcrBank {
        uint32_t present; /* PCRs whose value is known, one bit each */
        uint8_t digests[PCR_COUNT][DIGEST_SIZE_MAX];
} PcrBank;

typedef struct Pcrs {
        PcrBank banks[_ALGORITHM_MAX]; /* a bank that is not allocated has none present */
} Pcrs;

/** pcrs_bank_exists() - whether anything is known of a bank */
bool pcrs_bank_exists(const Pcrs *pcrs, Algorithm bank) _pure_;

/** pcrs_equal() - whether two readings agree in all banks and all PCRs but those of "except" (one bit each) */
bool pcrs_equal(const Pcrs *a, const Pcrs *b, uint32_t except) _pure_;

/**
 * pcrs_composite() - the digest over selected PCRs that a quote holds (TPM 2.0 part 1, 17.6.2: ascending)
 * @pcrs: the values
 * @bank: the bank
 * @selection: one bit for each PCR; all must be present
 * @hash: what the composite is hashed with
 * @ret: takes algorithm_size(hash) bytes
 *
 * Return: 0, -ENODATA where a selected PCR is not known, or as algorithm_hash().
 */
int pcrs_composite(const Pcrs *pcrs, Algorithm bank, uint32_t selection, Algorithm hash, uint8_t *ret);

/**
 * pcr_extend() - what a PCR holds after an extend
 * @bank: the algorithm
 * @pcr: the value; is changed
 * @digest: what it is extended with
 *
 * Return: as algorithm_hash().
 */
int pcr_extend(Algorithm bank, uint8_t *pcr, const uint8_t *digest);

/** pcrs_to_json() - {"sha256": {"0": "<hex>", …}, …}. Return: 0 or -ENOMEM. */
int pcrs_to_json(const Pcrs *pcrs, json_object **ret);

/**
 * pcrs_from_json() - the opposite; what is not exactly of that form is refused
 *
 * Return: 0, -EBADMSG (an unknown bank, a PCR beyond 23, a digest that is no hex or of the wrong length).
 */
int pcrs_from_json(json_object *o, Pcrs *ret);

/**
 * pcr_selection_parse() - read "0,1,7" or "0-7,14"
 *
 * Return: 0, or -EINVAL for anything else, an empty one, or a PCR beyond 23.
 */
int pcr_selection_parse(const char *text, uint32_t *ret);

/** pcr_selection_format() - such a text, as "0-7,14"; "" for none; NULL: no memory. The caller frees it. */
char *pcr_selection_format(uint32_t selection);

/** pcr_from_string() - read "0" to "23", without a leading zero. Return: the number or -EINVAL. */
int pcr_from_string(const char *text) _pure_;

/** pcr_selection_to_json() - [0, 1, 7]. Return: 0 or -ENOMEM. */
int pcr_selection_to_json(uint32_t selection, json_object **ret);

/** pcr_selection_from_json() - the opposite. Return: 0 or -EBADMSG. */
int pcr_selection_from_json(json_object *array, uint32_t *ret);
