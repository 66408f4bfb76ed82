/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The parts of verdict_compute().
 */

#include "tpm/verdict.h"

/* PCRs without a measurement in which a boot is not measured: firmware code, boot loader, Secure Boot state. */
#define VERDICT_PCRS_NEEDED (1U << 0 | 1U << 4 | 1U << 7)

/* Banks from the best to the last resort. */
extern const Algorithm verdict_bank_order[_ALGORITHM_MAX];

/** verdict_judge_log() - set what begins with "log", disagree, explained, banks, secure_boot. Return: 0, -ENOMEM. */
int verdict_judge_log(const VerdictInput *in, Verdict *v);

/** verdict_judge_baseline() - set what begins with "baseline". Return: 0, -ENOMEM. */
int verdict_judge_baseline(const VerdictInput *in, Verdict *v);

/** verdict_collect_events() - the events behind the PCRs that disagree. Return: 0, -ENOMEM. */
int verdict_collect_events(const VerdictInput *in, Verdict *v);

/** verdict_word() - set reason and remedy, from everything else. Return: 0, -ENOMEM. */
int verdict_word(const VerdictInput *in, Verdict *v);
