/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How the last apply or revert of this boot ended, kept below /run for the report.
 */

#include "core/json.h"
#include "core/root.h"

#define LAST_APPLY_PATH "/run/gtuned/last-apply.json"

/** last_apply_read() - the "last_apply" of a report; NULL (JSON null) where there was none. Return: 0 or -ENOMEM. */
int last_apply_read(const Root *root, json_object **ret);

/**
 * last_apply_write() - keep how it ended
 * @root: the root
 * @boot_id: of this boot
 * @result: "applied", "reverted", "unchanged" or "failed"
 * @error: what went wrong, or NULL
 *
 * Return: 0 or -errno; the caller may ignore it: the report then has the one before.
 */
int last_apply_write(const Root *root, const char *boot_id, const char *result, const char *error);
