/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The practice measured-boot. It changes nothing and opens no TPM: it judges by the verdict that the boot unit let
 * gtune-tpm make of this boot, and by the baseline as it is now.
 */

#include "core/practice.h"

/* What gtune-tpm answered to "verdict", kept by `gtune apply`: verdict_to_json(), and "pcrs" as pcrs_to_json(). */
#define MEASURED_BOOT_PATH "/run/gtuned/measured-boot.json"

extern const Practice practice_measured_boot;
