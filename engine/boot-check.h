/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads again what a transaction would write into boot stores, before anything is written.
 */

#include "engine/transaction.h"

/* A token that the transaction adds or removes. */
typedef struct BootCheckToken {
        const char *name, *value; /* value NULL: none */
} BootCheckToken;

/**
 * boot_check() - find the boot stores again as they would be, and compare them with those that there are
 * @survey: the survey
 * @t: the transaction; its files have their new content
 * @tokens: the tokens that it adds or removes
 * @n_tokens: how many
 * @ret_path: takes the file of the first entry that would not be as it should; the caller frees it; not set if all are
 *
 * Each entry must be there with the same kind and, save these tokens, the same words in the same order, and what is for
 * init stays so. Return: 0; -ENOMEM; -errno of opening the root.
 */
int boot_check(const Survey *survey, const Transaction *t, const BootCheckToken *tokens, size_t n_tokens,
               char **ret_path);
