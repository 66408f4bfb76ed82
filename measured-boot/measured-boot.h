/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The practice measured-boot. It changes nothing and opens no TPM. It reads the verdict that gtune-tpm made for the
 * boot unit in this boot, and the baseline as it is now.
 */

#include "core/practice.h"

/*
 * The kept verdict, a file in the run directory: `gtune apply` writes the answer of gtune-tpm to "verdict" into it. It
 * has the members of verdict_to_json(), and "pcrs" as pcrs_to_json() makes it.
 */
#define MEASURED_BOOT_NAME "measured-boot.json"

extern const Practice practice_measured_boot;

/** measured_boot_breaks_baseline() - whether this boot differs because the baseline does not allow it */
bool measured_boot_breaks_baseline(const void *facts, const Finding *finding) _pure_;
