/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an apply or a revert writes to the journal (core/journal.h). It writes only about this machine: an image or a
 * snapshot below --root is no business of this journal. A message that cannot be written is no error.
 */

#include "core/journal.h"
#include "engine/transaction.h"

/** announce_finding() - write a message about a finding: what, a colon, and the reason of the finding */
void announce_finding(const Root *root, JournalMessage id, const Finding *f, const char *what);

/** announce_drift() - name the practices that were changed since gtuned set them, before an apply sets them again */
void announce_drift(const Survey *survey);

/** announce_done() - name what was changed below a root, by an apply or (reverted) by a revert */
void announce_done(const Root *root, const Transaction *t, bool reverted);

/**
 * announce_policy_errors() - write that nothing of a policy is applied, one message for each error
 *
 * Return: whether the journal has them, so that standard error need not repeat them.
 */
bool announce_policy_errors(const Root *root, const Policy *policy);

/** announce_refusal() - write that something was left as it is, and why. Return: as announce_policy_errors(). */
bool announce_refusal(const Root *root, const char *why);
