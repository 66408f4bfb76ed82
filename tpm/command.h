/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two TPM 2.0 commands that reading PCRs takes, marshalled by hand, so that it needs no library (TPM 2.0 part 3,
 * TPM2_GetCapability and TPM2_PCR_Read).
 */

#include "tpm/device.h"
#include "tpm/pcrs.h"

/**
 * tpm_read_pcrs() - read PCRs from the TPM
 * @device: the device
 * @banks: which banks, one bit for each Algorithm; those that are not allocated stay empty
 * @selection: which PCRs, one bit each
 * @ret: takes the values
 * @fault: takes the reason where they cannot be read
 *
 * One command gives at most eight values, so a reading counts only where the TPM's update counter was the same in all
 * of its commands, or where it agrees with the reading before it in all but PCR_MOVING. At most five readings.
 * Return: 0, FAULT or -ENOMEM.
 */
int tpm_read_pcrs(TpmDevice *device, unsigned banks, uint32_t selection, Pcrs *ret, Fault *fault);

/** tpm_rc_name() - what the standard calls a response code, as "TPM_RC_VALUE" (part 2, 6.6.3), or "unknown code" */
const char *tpm_rc_name(uint32_t rc) _const_;

/**
 * tpm_rc_fault() - a response code as a fault
 * @fault: takes class and sentence
 * @command: what the command is called, as "TPM2_PCR_Read"
 * @rc: the code; not 0
 *
 * Return: FAULT or -ENOMEM.
 */
int tpm_rc_fault(Fault *fault, const char *command, uint32_t rc);
