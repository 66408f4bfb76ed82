/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The baseline: the values that PCRs may have, one or more for each PCR. An administrator writes it; gtuned never adds
 * a value by itself. It is a JSON file:
 *
 * {"schema": 1, "bank": "sha256",
 *  "pcrs": {"4": {"level": "must", "values": [{"digest": "<hex>", "label": "kernel 6.6.0-28"}]}}}
 *
 * Nothing here needs libcrypto.
 */

#include "tpm/pcrs.h"

#define BASELINE_SIZE_MAX (256U * 1024)
#define BASELINE_VALUES_MAX 64U /* of one PCR */
#define BASELINE_LABEL_MAX 128U /* characters, of printable ASCII */

typedef enum BaselineLevel {
        BASELINE_IGNORE, /* compared without a consequence */
        BASELINE_WARN,   /* a mismatch is reported */
        BASELINE_MUST,   /* a mismatch is a failure */
        _BASELINE_LEVEL_MAX,
        _BASELINE_LEVEL_INVALID = -EINVAL,
} BaselineLevel;

typedef struct BaselineValue {
        uint8_t digest[DIGEST_SIZE_MAX];
        char *label; /* NULL: none */
} BaselineValue;

typedef struct BaselinePcr {
        bool listed;
        BaselineLevel level;
        BaselineValue *values;
        size_t n_values; /* at least 1 if listed */
} BaselinePcr;

typedef struct Baseline {
        Algorithm bank;
        BaselinePcr pcrs[PCR_COUNT];
} Baseline;

/* The outcome of the check for one PCR. */
typedef enum BaselineOutcome {
        BASELINE_NOT_LISTED,
        BASELINE_MATCH,
        BASELINE_MISMATCH,
        BASELINE_NOT_READ, /* the TPM has no such bank, or the value is not known */
        _BASELINE_OUTCOME_MAX,
} BaselineOutcome;

/* The result of the check for all PCRs. */
typedef enum BaselineResult {
        BASELINE_NONE, /* there is no baseline */
        BASELINE_OK,
        BASELINE_WARNING, /* only PCRs of the level "warn" disagree, or could not be compared */
        BASELINE_FAILURE, /* a PCR of the level "must" disagrees, or could not be compared */
        BASELINE_INVALID, /* the file cannot be read as a baseline; never set by baseline_check() */
        _BASELINE_RESULT_MAX,
        _BASELINE_RESULT_INVALID = -EINVAL,
} BaselineResult;

/* The pointers point into the baseline and the PCRs, which must live as long. */
typedef struct BaselineCheck {
        BaselineResult result;
        uint32_t failed; /* PCRs of the level "must" that disagree or were not read, one bit each */
        uint32_t warned; /* the same for the level "warn" */
        struct {
                BaselineOutcome outcome;     /* also set for the level "ignore" */
                const BaselineValue *match;  /* the value that matches, or NULL */
                const uint8_t *actual;       /* NULL: not read */
        } pcrs[PCR_COUNT];
} BaselineCheck;

/**
 * baseline_default_level() - how much a PCR counts in a new baseline
 *
 * Boot code and Secure Boot keys (0, 2, 4, 7) must match. Kernel, command line and Machine Owner Keys (8, 9, 14) warn.
 * Configuration, boot variables and GPT (1, 3, 5, 6) are ignored, because they change without a change of the system.
 * The other PCRs are changed by userspace and are not part of a new baseline. Return: the level, or
 * _BASELINE_LEVEL_INVALID.
 */
BaselineLevel baseline_default_level(unsigned pcr) _const_;

/**
 * baseline_make() - make a baseline of the present values, with the default levels
 * @pcrs: the values
 * @bank: the bank
 * @label: the label of the values; copied; NULL: none
 * @ret: takes the baseline; the caller frees it
 *
 * Return: 0; -ENODATA if the bank does not have all PCRs from 0 to 9 and 14; -EINVAL if the label is too long or
 * not printable ASCII; -ENOMEM.
 */
int baseline_make(const Pcrs *pcrs, Algorithm bank, const char *label, Baseline **ret);

/**
 * baseline_add() - add the present values
 * @baseline: the baseline; its levels, PCRs and bank stay
 * @pcrs: the values
 * @label: the label of the values; copied; NULL: none
 * @ret_added: takes the PCRs that got a new value, one bit each; a value that the baseline has is not added again
 *
 * Return: 0; -ENODATA if a listed PCR is not known; -E2BIG if a PCR has BASELINE_VALUES_MAX values; -EINVAL as
 * baseline_make(); -ENOMEM. After an error the baseline is unchanged.
 */
int baseline_add(Baseline *baseline, const Pcrs *pcrs, const char *label, uint32_t *ret_added);

/**
 * baseline_parse() - read a baseline file, strictly
 * @text: its bytes
 * @size: their number, at most BASELINE_SIZE_MAX
 * @file: its name, for errors
 * @ret: takes the baseline; the caller frees it
 * @ret_error: takes a sentence that names the file, the PCR and the defect; the caller frees it
 *
 * Return: 0, -EBADMSG with *ret_error, -ENOMEM.
 */
int baseline_parse(const char *text, size_t size, const char *file, Baseline **ret, char **ret_error);

/** baseline_format() - append the file's text: PCRs ascending, values in their order. Return: 0 or -ENOMEM. */
int baseline_format(const Baseline *baseline, Buffer *b);

/**
 * baseline_check() - compare PCRs with a baseline
 * @baseline: the baseline
 * @pcrs: the values
 * @ret: takes the outcome
 */
void baseline_check(const Baseline *baseline, const Pcrs *pcrs, BaselineCheck *ret);

/**
 * baseline_check_to_json() - make an object of the outcome
 * @baseline: the baseline
 * @check: the outcome
 * @ret: takes {"bank", "result", "pcrs": {"4": {"level", "outcome", "label", "actual", "expected": [{"digest",
 *       "label"}]}}} with the listed PCRs
 *
 * Return: 0 or -ENOMEM.
 */
int baseline_check_to_json(const Baseline *baseline, const BaselineCheck *check, json_object **ret);

/** baseline_level_to_string() - "ignore", "warn", "must" */
const char *baseline_level_to_string(BaselineLevel level) _const_;

/** baseline_outcome_to_string() - "not-listed", "match", "mismatch", "not-read" */
const char *baseline_outcome_to_string(BaselineOutcome outcome) _const_;

/** baseline_result_to_string() - "none", "ok", "warning", "failure", "invalid" */
const char *baseline_result_to_string(BaselineResult result) _const_;

/** baseline_result_from_string() - read such a text. Return: the result, or _BASELINE_RESULT_INVALID. */
BaselineResult baseline_result_from_string(const char *name) _pure_;

/** baseline_free() - release a baseline; NULL is ignored */
Baseline *baseline_free(Baseline *baseline);
DEFINE_CLEANUP(Baseline *, baseline_free);
