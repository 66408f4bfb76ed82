/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the kernel's sysfs says of the TPM (Linux: Documentation/ABI/stable/sysfs-class-tpm).
 */

#include "core/root.h"
#include "tpm/fault.h"
#include "tpm/verdict.h"

#define TPM_SYSFS "/sys/class/tpm/tpm0"

/* Banks as a set: one bit for each Algorithm. */
#define BANKS_ALL ((1U << _ALGORITHM_MAX) - 1)

/**
 * sysfs_tpm_presence() - which TPM the kernel has
 * @root: the root
 *
 * tpm_version_major is there from Linux 5.5; before that a TPM 1.2 is known by its file "pcrs", which a TPM 2.0 never
 * had. Return: what there is.
 */
TpmPresence sysfs_tpm_presence(const Root *root);

/** sysfs_has_pcrs() - whether the kernel shows PCR values (from Linux 5.12) */
bool sysfs_has_pcrs(const Root *root);

/**
 * sysfs_read_pcrs() - read PCRs from sysfs
 * @root: the root
 * @banks: which banks, a set; those that are not allocated stay empty
 * @ret: takes the values
 * @fault: takes the reason where they cannot be read
 *
 * Each file is a TPM command of its own, so all of them are read again until two readings agree in all but PCR_MOVING,
 * at most three times. Return: 0, FAULT or -ENOMEM.
 */
int sysfs_read_pcrs(const Root *root, unsigned banks, Pcrs *ret, Fault *fault);
