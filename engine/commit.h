/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Carrying out a transaction: the only code that writes. Every new file is staged and flushed beside its target, the
 * intent goes to the ledger, all files are renamed, attributes are written, the side's own changes are made, units act, and
 * the ledger says what is true now. A failure on the way puts everything back; engine/recover.h handles a crash.
 */

#include "engine/transaction.h"

/**
 * commit() - carry out a transaction
 * @survey: the survey that it was made from
 * @t: the transaction, without a refusal; its ledger is completed
 * @ret_error: takes a sentence that names the path on failure; the caller frees it
 *
 * Return: 0; -errno, and everything is as it was; or, if only a unit failed, a positive errno: all else is in place.
 */
int commit(const Survey *survey, Transaction *t, char **ret_error);
