/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/tpm/verbs.h"

/* The largest number of events that are shown for a PCR: its last events. */
#define BASELINE_EVENTS_SHOWN 12U

/**
 * baseline_check_verb() - compare the PCRs with a baseline, and print the result for each
 * @c: the context
 * @path: the baseline, inside the root
 *
 * Return: the exit status: STATUS_OK, also with warnings; STATUS_UNMET if a PCR of the level "must" fails;
 * STATUS_ERROR after a complaint; or -ENOMEM.
 */
int baseline_check_verb(Context *c, const char *path);
