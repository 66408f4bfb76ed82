/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The practice measured-boot. It changes nothing and opens no TPM: it judges by the verdict that the boot unit let
 * gtune-tpm make of this boot, and by the baseline as it is now.
 */

#include "core/practice.h"

/*
 * In the run directory: what gtune-tpm answered to "verdict", kept by `gtune apply`. It has the members of
 * verdict_to_json(), and "pcrs" of pcrs_to_json().
 */
#define MEASURED_BOOT_NAME "measured-boot.json"

extern const Practice practice_measured_boot;

/** measured_boot_breaks_baseline() - whether it is the baseline that does not allow this boot */
bool measured_boot_breaks_baseline(const void *facts, const Finding *finding) _pure_;
