/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading PCRs with two TPM 2.0 commands, TPM2_GetCapability and TPM2_PCR_Read (TPM 2.0 part 3). They are marshalled
 * here, so that no library is needed.
 */

#include "tpm/device.h"
#include "tpm/pcrs.h"

/**
 * tpm_read_pcrs() - read PCRs from the TPM
 * @device: the device
 * @banks: the banks, one bit for each Algorithm; a bank that is not allocated stays empty
 * @selection: the PCRs, one bit each
 * @ret: takes the values, and the banks without a PCR among @banks
 * @fault: takes the reason if they cannot be read
 *
 * One command gives at most eight values, and PCRs may change between two commands. A reading counts if the TPM's
 * update counter was the same in all commands, or if it agrees with the reading before it in all PCRs but PCR_MOVING.
 * After five readings that do not count the PCRs are unstable. Return: 0, FAULT or -ENOMEM.
 */
int tpm_read_pcrs(TpmDevice *device, unsigned banks, uint32_t selection, Pcrs *ret, Fault *fault);

/**
 * tpm_read_empty_banks() - read which banks the TPM lists without a PCR; Linux does not show them in sysfs
 * @device: the device
 * @ret: takes the banks, one bit for each Algorithm
 * @fault: takes the reason if they cannot be read
 *
 * Return: 0, FAULT or -ENOMEM.
 */
int tpm_read_empty_banks(TpmDevice *device, unsigned *ret, Fault *fault);

/** tpm_rc_name() - the name of a response code, as "TPM_RC_VALUE" (part 2, 6.6.3), or "unknown code" */
const char *tpm_rc_name(uint32_t rc) _const_;

/**
 * tpm_rc_fault() - set a fault for a response code
 * @fault: takes class and sentence
 * @command: the name of the command, as "TPM2_PCR_Read"
 * @rc: the code; not 0
 *
 * Return: FAULT or -ENOMEM.
 */
int tpm_rc_fault(Fault *fault, const char *command, uint32_t rc);
