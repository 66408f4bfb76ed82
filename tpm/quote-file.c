/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The "serialized" PCR file of tpm2-tools (lib/pcr.c, pcr_fwrite_serialized): TPML_PCR_SELECTION, a count, and as many
 * TPML_DIGEST, each as the structure of libtss2 is in memory, in little endian. Tests: tests/unit/tpm/test-attest.c.
 */

#include "tpm/attest.h"

#define QUOTE_FILE_SELECTIONS_MAX 16U
#define QUOTE_FILE_SELECTION_SIZE 8U /* TPMS_PCR_SELECTION: u16 hash, u8 size, 4 bytes, and one of padding */
#define QUOTE_FILE_DIGESTS_MAX 8U    /* of a TPML_DIGEST */

static void quote_file_put_le(uint8_t *p, uint32_t value, size_t size) {
        for (size_t i = 0; i < size; i++)
                p[i] = (uint8_t) (value >> (8 * i));
}

/* TPM2B_DIGEST: u16 size and 64 bytes. */
static int quote_file_append_digests(Buffer *b, const uint8_t *const *digests, size_t n, size_t size) {
        uint8_t list[4 + QUOTE_FILE_DIGESTS_MAX * (2 + DIGEST_SIZE_MAX)] = {}, *p = list + 4;

        quote_file_put_le(list, (uint32_t) n, 4);
        for (size_t i = 0; i < n; i++, p += 2 + DIGEST_SIZE_MAX) {
                quote_file_put_le(p, (uint32_t) size, 2);
                memcpy(p + 2, digests[i], size);
        }

        return buffer_append(b, list, sizeof(list));
}

int quote_pcr_file(const Pcrs *pcrs, Algorithm bank, uint32_t selection, Buffer *b) {
        uint8_t list[4 + QUOTE_FILE_SELECTIONS_MAX * QUOTE_FILE_SELECTION_SIZE] = {}, count[4];
        const uint8_t *digests[PCR_COUNT];
        size_t n = 0;
        int r;

        if (selection & ~pcrs->banks[bank].present)
                return -ENODATA;

        for (unsigned i = 0; i < PCR_COUNT; i++)
                if (selection & 1U << i)
                        digests[n++] = pcrs->banks[bank].digests[i];

        quote_file_put_le(list, 1, 4);
        quote_file_put_le(list + 4, algorithm_id(bank), 2);
        list[6] = PCR_COUNT / 8;
        quote_file_put_le(list + 7, selection, PCR_COUNT / 8);
        r = buffer_append(b, list, sizeof(list));
        if (r < 0)
                return r;

        quote_file_put_le(count, (uint32_t) ((n + QUOTE_FILE_DIGESTS_MAX - 1) / QUOTE_FILE_DIGESTS_MAX), 4);
        r = buffer_append(b, count, sizeof(count));
        if (r < 0)
                return r;

        for (size_t i = 0, take; i < n; i += take) {
                take = n - i < QUOTE_FILE_DIGESTS_MAX ? n - i : QUOTE_FILE_DIGESTS_MAX;
                r = quote_file_append_digests(b, digests + i, take, algorithm_size(bank));
                if (r < 0)
                        return r;
        }

        return 0;
}
