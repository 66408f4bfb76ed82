/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gtune tells the journal (core/journal.h) of an apply or a revert. Only of this machine: who builds an image, or
 * looks at a snapshot, has nothing to tell his own journal. Nothing of it is an error where it cannot be told.
 */

#include "engine/transaction.h"

/** announce_drift() - the practices that somebody changed since gtuned set them, before that is mended */
void announce_drift(const Survey *survey);

/** announce_done() - what was changed below a root, by an apply or (reverted) by a revert */
void announce_done(const Root *root, const Transaction *t, bool reverted);

/**
 * announce_policy_errors() - that nothing of a policy is applied, one message for each error
 *
 * Return: whether it was told, so that it need not be said on standard error.
 */
bool announce_policy_errors(const Root *root, const Policy *policy);

/** announce_refusal() - that something was left as it is, and why. Return: as announce_policy_errors(). */
bool announce_refusal(const Root *root, const char *why);

/** announce_baseline() - that this boot is not one that the baseline allows, where that is so */
void announce_baseline(const Survey *survey);
