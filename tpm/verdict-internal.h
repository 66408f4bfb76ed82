/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The steps of verdict_compute(). Each sets a part of the verdict, and needs the parts of the earlier steps.
 */

#include "tpm/verdict.h"

/* PCRs that a measured boot needs: firmware code, boot loader, Secure Boot state. */
#define VERDICT_PCRS_NEEDED (1U << 0 | 1U << 4 | 1U << 7)

/* The banks, the best first. */
extern const Algorithm verdict_bank_order[_ALGORITHM_MAX];

/** verdict_judge_log() - set log, log_*, disagree, explained, banks and secure_boot. Return: 0 or -ENOMEM. */
int verdict_judge_log(const VerdictInput *in, Verdict *v);

/** verdict_judge_baseline() - set baseline and baseline_*. Return: 0 or -ENOMEM. */
int verdict_judge_baseline(const VerdictInput *in, Verdict *v);

/** verdict_collect_events() - set the events, those that extend PCRs that disagree. Return: 0 or -ENOMEM. */
int verdict_collect_events(const VerdictInput *in, Verdict *v);

/** verdict_word() - set reason and remedy. Return: 0 or -ENOMEM. */
int verdict_word(const VerdictInput *in, Verdict *v);
