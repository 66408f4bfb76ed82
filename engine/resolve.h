/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From a plan to a transaction. Nothing is written here.
 */

#include "engine/transaction.h"

/**
 * resolve() - find out what a plan comes to
 * @survey: the survey
 * @plan: what is wanted; NULL: nothing
 * @release: for each observation whether what the ledger records for it is taken back
 * @ret: takes the transaction; the caller frees it
 *
 * A layout or a ledger that forbids the change is a refusal in the transaction. Return: 0 or -ENOMEM.
 */
int resolve(const Survey *survey, const Plan *plan, const bool *release, Transaction **ret);

/** resolve_policy() - resolve() of what the policy wants now, and of taking back what it does not want */
int resolve_policy(const Survey *survey, Transaction **ret);
