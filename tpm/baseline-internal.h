/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Functions of baseline.c for baseline-file.c.
 */

#include "tpm/baseline.h"

/** baseline_label_is_valid() - whether a label is printable ASCII of at most BASELINE_LABEL_MAX characters */
bool baseline_label_is_valid(const char *label) _pure_;

/** baseline_find() - find the value of a PCR with this digest. Return: the value, or NULL. */
const BaselineValue *baseline_find(const BaselinePcr *pcr, const uint8_t *digest, size_t size) _pure_;

/** baseline_push() - append a value; the label is copied and may be NULL. Return: 0 or -ENOMEM. */
int baseline_push(BaselinePcr *pcr, const uint8_t *digest, size_t size, const char *label);

/** baseline_level_from_string() - read "ignore", "warn" or "must". Return: the level, or _BASELINE_LEVEL_INVALID. */
BaselineLevel baseline_level_from_string(const char *name) _pure_;
