/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The TPM in sysfs (Linux: Documentation/ABI/stable/sysfs-class-tpm).
 */

#include "core/root.h"
#include "tpm/fault.h"
#include "tpm/verdict.h"

#define TPM_SYSFS "/sys/class/tpm/tpm0"

/*
 * The ACPI table by which firmware announces a TPM 2.0 (TCG ACPI Specification 1.4, 8). Debian's ordinary kernel for arm64
 * has no driver for the one of QEMU's virt machine.
 */
#define TPM_ACPI_TABLE "/sys/firmware/acpi/tables/TPM2"

/* All banks, one bit for each Algorithm. */
#define BANKS_ALL ((1U << _ALGORITHM_MAX) - 1)

/**
 * sysfs_tpm_presence() - find out which TPM the kernel has
 * @root: the root
 *
 * Without a TPM in sysfs, the firmware's table tells whether the kernel only lacks the driver. Linux 5.5 and later have
 * the file tpm_version_major. Earlier kernels have the file "pcrs" for a TPM 1.2 only.
 */
TpmPresence sysfs_tpm_presence(const Root *root);

/** sysfs_has_pcrs() - whether the kernel shows PCR values (from Linux 5.12) */
bool sysfs_has_pcrs(const Root *root);

/**
 * sysfs_read_pcrs() - read PCRs from sysfs
 * @root: the root
 * @banks: the banks, one bit for each Algorithm; a bank that is not allocated stays empty
 * @ret: takes the values
 * @fault: takes the reason if they cannot be read
 *
 * The kernel sends a TPM command for each file, and PCRs may change between two commands. All files are read again
 * until two readings agree in all PCRs but PCR_MOVING, at most three times. Return: 0, FAULT or -ENOMEM.
 */
int sysfs_read_pcrs(const Root *root, unsigned banks, Pcrs *ret, Fault *fault);
