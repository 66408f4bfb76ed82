/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/tpm/ask.h"

/* The most events that a person is shown behind one PCR, the latest ones. */
#define BASELINE_EVENTS_SHOWN 12U

/**
 * baseline_verb_check() - compare the PCRs with a baseline and tell about each
 * @c: the context
 * @path: the baseline, inside the root
 *
 * Return: the exit status: STATUS_OK, also with warnings; STATUS_UNMET where a PCR of the level "must" fails;
 * STATUS_ERROR after a complaint; or -ENOMEM.
 */
int baseline_verb_check(Context *c, const char *path);

/**
 * baseline_verb_load() - tpm_read_baseline() with a complaint, where there is none too
 *
 * Return: 0, STATUS_ERROR or -ENOMEM.
 */
int baseline_verb_load(const Context *c, const char *path, Baseline **ret);
