/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions of algorithm.h and pcrs.h that need libcrypto. Tests: tests/unit/tpm/test-algorithm.c, test-pcrs.c.
 */

#include <openssl/evp.h>

#include "tpm/pcrs.h"

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

/* Looked up by name, because a libcrypto without SM3 has no function EVP_sm3(). */
static const char *const algorithm_digest_names[_ALGORITHM_MAX] = {
        [ALGORITHM_SHA1] = "SHA1",     [ALGORITHM_SHA256] = "SHA256", [ALGORITHM_SHA384] = "SHA384",
        [ALGORITHM_SHA512] = "SHA512", [ALGORITHM_SM3_256] = "SM3",
};

int algorithm_hash(Algorithm algorithm, const HashPart *parts, size_t n_parts, uint8_t *ret) {
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = NULL;
        const EVP_MD *md = EVP_get_digestbyname(algorithm_digest_names[algorithm]);

        if (!md || (size_t) EVP_MD_size(md) != algorithm_size(algorithm))
                return -EOPNOTSUPP;

        ctx = EVP_MD_CTX_new();
        if (!ctx)
                return -ENOMEM;
        /* A FIPS policy may refuse an algorithm that is compiled in. */
        if (EVP_DigestInit_ex(ctx, md, NULL) != 1)
                return -EOPNOTSUPP;

        for (size_t i = 0; i < n_parts; i++)
                if (parts[i].size > 0 && EVP_DigestUpdate(ctx, parts[i].data, parts[i].size) != 1)
                        return -ENOMEM;

        return EVP_DigestFinal_ex(ctx, ret, NULL) == 1 ? 0 : -ENOMEM;
}

int pcr_extend(Algorithm bank, uint8_t *pcr, const uint8_t *digest) {
        size_t size = algorithm_size(bank);

        return algorithm_hash(bank, (HashPart[]){{pcr, size}, {digest, size}}, 2, pcr);
}

int pcrs_composite(const Pcrs *pcrs, Algorithm bank, uint32_t selection, Algorithm hash, uint8_t *ret) {
        HashPart parts[PCR_COUNT];
        size_t n = 0;

        if (selection & ~pcrs->banks[bank].present)
                return -ENODATA;

        for (unsigned i = 0; i < PCR_COUNT; i++)
                if (selection & 1U << i)
                        parts[n++] = (HashPart){pcrs->banks[bank].digests[i], algorithm_size(bank)};

        return algorithm_hash(hash, parts, n, ret);
}
