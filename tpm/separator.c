/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The values of a PCR into which nothing was measured: pcr_content() of verdict.h. Tests:
 * tests/unit/tpm/test-verdict.c.
 */

#include "tpm/verdict.h"

/* The data of a separator: of UEFI, of SeaBIOS and UEFI, and of firmware that failed to measure (PFP 1.05, 3.3.4.4). */
static const uint8_t pcr_separators[][4] = {{0, 0, 0, 0}, {0xFF, 0xFF, 0xFF, 0xFF}, {1, 0, 0, 0}};

/* PCR 0 starts with the locality that started the TPM as its last byte. */
static const uint8_t pcr_localities[] = {0, 3, 4};

static int pcr_extend_by_data(Algorithm bank, uint8_t *pcr, const void *data, size_t size) {
        uint8_t digest[DIGEST_SIZE_MAX];
        int r = algorithm_hash(bank, &(HashPart){data, size}, 1, digest);

        if (r < 0)
                return r;

        return pcr_extend(bank, pcr, digest);
}

/* Return: 1 if the value is the start, or the start extended by "os-separator"; 0 if not; or as algorithm_hash(). */
static int pcr_is_with_or_without_os(Algorithm bank, const uint8_t *start, const uint8_t *value) {
        static const char os_separator[] = "os-separator"; /* systemd-pcrosseparator.service, 261 and later */
        uint8_t pcr[DIGEST_SIZE_MAX];
        int r;

        if (memcmp(start, value, algorithm_size(bank)) == 0)
                return 1;

        memcpy(pcr, start, sizeof(pcr));
        r = pcr_extend_by_data(bank, pcr, os_separator, strlen(os_separator));
        if (r < 0)
                return r;

        return memcmp(pcr, value, algorithm_size(bank)) == 0;
}

/* Sets what the value says if the PCR began at this start. Return: 0, or as algorithm_hash(). */
static int pcr_content_from(Algorithm bank, const uint8_t *start, const uint8_t *value, PcrContent *ret) {
        int r;

        r = pcr_is_with_or_without_os(bank, start, value);
        if (r < 0)
                return r;
        if (r > 0) {
                *ret = PCR_CONTENT_START;
                return 0;
        }

        *ret = PCR_CONTENT_MEASURED;
        for (size_t i = 0; i < ELEMENTSOF(pcr_separators); i++) {
                uint8_t pcr[DIGEST_SIZE_MAX];

                memcpy(pcr, start, sizeof(pcr));
                r = pcr_extend_by_data(bank, pcr, pcr_separators[i], sizeof(pcr_separators[i]));
                if (r < 0)
                        return r;
                r = pcr_is_with_or_without_os(bank, pcr, value);
                if (r < 0)
                        return r;
                if (r > 0) {
                        *ret = PCR_CONTENT_SEPARATOR;
                        break;
                }
        }

        return 0;
}

int pcr_content(Algorithm bank, unsigned pcr, const uint8_t *value, PcrContent *ret) {
        size_t n = pcr == 0 ? ELEMENTSOF(pcr_localities) : 1;
        int r = 0;

        *ret = PCR_CONTENT_MEASURED;
        for (size_t i = 0; i < n && r >= 0 && *ret == PCR_CONTENT_MEASURED; i++) {
                uint8_t start[DIGEST_SIZE_MAX] = {};

                start[algorithm_size(bank) - 1] = pcr_localities[i];
                r = pcr_content_from(bank, start, value, ret);
        }

        return r;
}
