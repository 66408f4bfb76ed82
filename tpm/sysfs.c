/* SPDX-License-Identifier: Apache-2.0 */

#include "tpm/sysfs.h"

#define SYSFS_READINGS_MAX 3U

TpmPresence sysfs_tpm_presence(const Root *root) {
        _cleanup_free_ char *major = NULL;

        if (!root_exists(root, TPM_SYSFS))
                return root_exists(root, TPM_ACPI_TABLE) ? TPM_NO_DRIVER : TPM_ABSENT;
        if (root_read_line(root, TPM_SYSFS "/tpm_version_major", &major) >= 0)
                return streq(major, "2") ? TPM_20 : TPM_12;

        return root_exists(root, TPM_SYSFS "/pcrs") || root_exists(root, TPM_SYSFS "/device/pcrs") ? TPM_12 : TPM_20;
}

static char *sysfs_bank_directory(Algorithm bank) {
        return xasprintf(TPM_SYSFS "/pcr-%s", algorithm_to_string(bank));
}

bool sysfs_has_pcrs(const Root *root) {
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++) {
                _cleanup_free_ char *path = sysfs_bank_directory(bank);

                if (path && root_exists(root, path))
                        return true;
        }

        return false;
}

/* If the TPM refuses a read, the kernel leaves the file empty: this is an error, and not a PCR of zeros. */
static int sysfs_read_pcr(const Root *root, const char *directory, Algorithm bank, unsigned pcr, PcrBank *ret,
                          Fault *fault) {
        _cleanup_free_ char *path = xasprintf("%s/%u", directory, pcr), *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;

        r = root_read_line(root, path, &text);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r == -EACCES || r == -EPERM)
                return fault_set(fault, FAULT_PERMISSION, "%s may not be read", path);
        if (r < 0)
                return fault_set(fault, FAULT_TPM_ERROR, "%s cannot be read: %s", path, error_text(-r));
        if (hex_decode(text, algorithm_size(bank), ret->digests[pcr]) < 0)
                return fault_set(fault, FAULT_BAD_ANSWER, "%s holds no %s digest: the TPM did not answer the kernel",
                                 path, algorithm_to_string(bank));

        ret->present |= 1U << pcr;
        return 0;
}

static int sysfs_read_bank(const Root *root, Algorithm bank, PcrBank *ret, Fault *fault) {
        _cleanup_free_ char *directory = sysfs_bank_directory(bank);
        int r = 0;

        if (!directory)
                return -ENOMEM;
        if (!root_exists(root, directory))
                return 0;

        for (unsigned pcr = 0; r == 0 && pcr < PCR_COUNT; pcr++)
                r = sysfs_read_pcr(root, directory, bank, pcr, ret, fault);

        return r;
}

static int sysfs_read_once(const Root *root, unsigned banks, Pcrs *ret, Fault *fault) {
        int r = 0;

        *ret = (Pcrs){};
        for (Algorithm bank = 0; r == 0 && bank < _ALGORITHM_MAX; bank++)
                if ((banks & 1U << bank) != 0)
                        r = sysfs_read_bank(root, bank, ret->banks + bank, fault);

        return r;
}

int sysfs_read_pcrs(const Root *root, unsigned banks, Pcrs *ret, Fault *fault) {
        Pcrs before;
        int r;

        r = sysfs_read_once(root, banks, &before, fault);
        for (unsigned i = 1; r == 0 && i < SYSFS_READINGS_MAX; i++) {
                r = sysfs_read_once(root, banks, ret, fault);
                if (r != 0 || pcrs_equal(&before, ret, PCR_MOVING))
                        return r;
                before = *ret;
        }
        if (r != 0)
                return r;

        return fault_set(fault, FAULT_UNSTABLE, "the PCRs changed in each of %u readings; ask again",
                         SYSFS_READINGS_MAX);
}
