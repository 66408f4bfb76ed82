/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What baseline.c and baseline-file.c share.
 */

#include "tpm/baseline.h"

/** baseline_label_is_valid() - printable ASCII of at most BASELINE_LABEL_MAX characters */
bool baseline_label_is_valid(const char *label) _pure_;

/** baseline_find() - the value of a PCR with this digest, or NULL */
const BaselineValue *baseline_find(const BaselinePcr *pcr, const uint8_t *digest, size_t size) _pure_;

/** baseline_push() - append a value; the label is copied and may be NULL. Return: 0 or -ENOMEM. */
int baseline_push(BaselinePcr *pcr, const uint8_t *digest, size_t size, const char *label);

/** baseline_level_from_string() - the opposite of baseline_level_to_string(), or _BASELINE_LEVEL_INVALID */
BaselineLevel baseline_level_from_string(const char *name) _pure_;
