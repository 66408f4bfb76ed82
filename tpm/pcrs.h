/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The values of the PCRs of a TPM, for each bank.
 */

#include "core/json.h"
#include "tpm/algorithm.h"

#define PCR_COUNT 24U
#define PCR_ALL ((1U << PCR_COUNT) - 1)

/* PCRs that change after the boot: the Linux kernel's IMA extends PCR 10 at any time, and PCR 16 is for debugging. */
#define PCR_MOVING (1U << 10 | 1U << 16)

typedef struct PcrBank {
        uint32_t present; /* PCRs whose value is known, one bit each */
        uint8_t digests[PCR_COUNT][DIGEST_SIZE_MAX];
} PcrBank;

typedef struct Pcrs {
        PcrBank banks[_ALGORITHM_MAX]; /* a bank that is not allocated has no PCR present */
        unsigned empty; /* banks that the TPM lists without a PCR, one bit each, where it was asked for them */
} Pcrs;

/** pcrs_bank_exists() - whether the value of any PCR of a bank is known */
bool pcrs_bank_exists(const Pcrs *pcrs, Algorithm bank) _pure_;

/** pcrs_equal() - whether two readings agree in all banks, in all PCRs but those of @except (one bit each) */
bool pcrs_equal(const Pcrs *a, const Pcrs *b, uint32_t except) _pure_;

/**
 * pcrs_composite() - hash selected PCRs in ascending order, as for a quote (TPM 2.0 part 1, 17.6.2)
 * @pcrs: the values
 * @bank: the bank
 * @selection: one bit for each PCR; all must be present
 * @hash: the algorithm of the composite
 * @ret: takes algorithm_size(hash) bytes
 *
 * Return: 0, -ENODATA if a selected PCR is not known, or as algorithm_hash().
 */
int pcrs_composite(const Pcrs *pcrs, Algorithm bank, uint32_t selection, Algorithm hash, uint8_t *ret);

/**
 * pcr_extend() - extend a PCR
 * @bank: the algorithm
 * @pcr: its value, which is replaced by the new value
 * @digest: the digest to extend it with
 *
 * Return: as algorithm_hash().
 */
int pcr_extend(Algorithm bank, uint8_t *pcr, const uint8_t *digest);

/** pcrs_to_json() - make {"sha256": {"0": "<hex>", …}, …}; the caller puts it. Return: 0 or -ENOMEM. */
int pcrs_to_json(const Pcrs *pcrs, json_object **ret);

/**
 * pcrs_from_json() - read the object that pcrs_to_json() makes
 *
 * Return: 0, or -EBADMSG: an unknown bank, a PCR above 23, or a digest that is not hex or has a wrong length.
 */
int pcrs_from_json(json_object *o, Pcrs *ret);

/**
 * pcr_selection_parse() - read "0,1,7" or "0-7,14"
 *
 * Return: 0, or -EINVAL: another form, an empty text, or a PCR above 23.
 */
int pcr_selection_parse(const char *text, uint32_t *ret);

/** pcr_selection_format() - make such a text, "" for no PCR. Return: the text, the caller frees it; NULL: no memory. */
char *pcr_selection_format(uint32_t selection);

/** pcr_from_string() - read "0" to "23", without a leading zero. Return: the number or -EINVAL. */
int pcr_from_string(const char *text) _pure_;

/** pcr_selection_to_json() - make [0, 1, 7]; the caller puts it. Return: 0 or -ENOMEM. */
int pcr_selection_to_json(uint32_t selection, json_object **ret);

/** pcr_selection_from_json() - read such an array. Return: 0 or -EBADMSG. */
int pcr_selection_from_json(json_object *array, uint32_t *ret);
