/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How the last apply or revert of this boot ended, kept below /run for the report.
 */

#include "engine/transaction.h"

/**
 * last_apply_read() - the member "last_apply" of a report
 * @side: the side
 * @root: the root
 * @ret: takes the object, or NULL (JSON null) if there was no apply; the caller puts it
 *
 * Return: 0 or -ENOMEM.
 */
int last_apply_read(const Side *side, const Root *root, json_object **ret);

/**
 * last_apply_write() - keep how an apply ended
 * @side: the side
 * @root: the root
 * @boot_id: of this boot
 * @result: "applied", "reverted", "unchanged" or "failed"
 * @error: what went wrong, or NULL
 * @t: the transaction, which says what was left out; NULL: nothing was carried out
 *
 * Return: 0 or -errno; the caller may ignore it: the report then shows the apply before.
 */
int last_apply_write(const Side *side, const Root *root, const char *boot_id, const char *result, const char *error,
                     const Transaction *t);
