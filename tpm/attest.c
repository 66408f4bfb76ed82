/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The three structures of a quote (TPM 2.0 part 2: 10.12.12 TPMS_ATTEST, 11.3.4 TPMT_SIGNATURE, 12.2.5 TPM2B_PUBLIC).
 */

#include <assert.h>

#include "tpm/attest.h"
#include "tpm/reader.h"

#define TPM_GENERATED_VALUE 0xFF544347U
#define TPM_ST_ATTEST_QUOTE 0x8018U
#define TPM_ALG_NULL 0x0010U
#define TPM_ALG_ECDSA 0x0018U
#define TPM_ALG_ECC 0x0023U
#define TPM_ALG_SHA256 0x000BU
#define TPM_ECC_NIST_P256 0x0003U

/* TPMA_OBJECT (part 2, 8.3.2) */
enum {
        TPMA_FIXED_TPM = 1 << 1,
        TPMA_FIXED_PARENT = 1 << 4,
        TPMA_SENSITIVE_DATA_ORIGIN = 1 << 5,
        TPMA_USER_WITH_AUTH = 1 << 6,
        TPMA_ADMIN_WITH_POLICY = 1 << 7,
        TPMA_FIRMWARE_LIMITED = 1 << 8,
        TPMA_SVN_LIMITED = 1 << 9,
        TPMA_NO_DA = 1 << 10,
        TPMA_RESTRICTED = 1 << 16,
        TPMA_SIGN = 1 << 18,
};

#define TPMA_NEEDED (TPMA_FIXED_TPM | TPMA_FIXED_PARENT | TPMA_SENSITIVE_DATA_ORIGIN | TPMA_RESTRICTED | TPMA_SIGN)
#define TPMA_ALLOWED                                                                                                  \
        (TPMA_NEEDED | TPMA_USER_WITH_AUTH | TPMA_ADMIN_WITH_POLICY | TPMA_FIRMWARE_LIMITED | TPMA_SVN_LIMITED |      \
         TPMA_NO_DA)

/* Reads a TPM2B of at most @max bytes. Return: its size; 0 also if the reader failed. */
static size_t attest_take_sized(Reader *reader, uint8_t *ret, size_t max) {
        uint16_t size = reader_be16(reader);
        const uint8_t *data = size <= max ? reader_take(reader, size) : NULL;

        if (!data) {
                reader->failed = true;
                return 0;
        }

        memcpy(ret, data, size);
        return size;
}

/* Reads a TPML_PCR_SELECTION, which must have one bank. */
static int attest_take_selection(Reader *reader, Attest *a) {
        uint32_t count = reader_be32(reader);
        uint16_t id = reader_be16(reader);
        uint8_t size = reader_u8(reader);
        const uint8_t *bits = reader_take(reader, size);

        if (reader->failed)
                return QUOTE_ATTEST_MALFORMED;
        if (count != 1 || algorithm_from_id(id) < 0)
                return QUOTE_SELECTION;

        a->bank = algorithm_from_id(id);
        a->selection = 0;
        for (size_t i = 0; i < size; i++) {
                if (i >= PCR_COUNT / 8 && bits[i])
                        return QUOTE_SELECTION;
                if (i < PCR_COUNT / 8)
                        a->selection |= (uint32_t) bits[i] << (8 * i);
        }

        return QUOTE_OK;
}

int attest_parse(const void *data, size_t size, Attest *ret) {
        Reader reader = reader_of(data, size);
        uint32_t magic = reader_be32(&reader);
        uint16_t type = reader_be16(&reader);
        Attest a = {};
        uint8_t safe;
        int r;

        assert(ret);

        if (reader.failed || size > QUOTE_PART_SIZE_MAX)
                return QUOTE_ATTEST_MALFORMED;
        if (magic != TPM_GENERATED_VALUE)
                return QUOTE_MAGIC;
        if (type != TPM_ST_ATTEST_QUOTE)
                return QUOTE_TYPE;

        a.qualified_signer_size = attest_take_sized(&reader, a.qualified_signer, sizeof(a.qualified_signer));
        a.extra_data_size = attest_take_sized(&reader, a.extra_data, sizeof(a.extra_data));
        a.clock = reader_be64(&reader);
        a.reset_count = reader_be32(&reader);
        a.restart_count = reader_be32(&reader);
        safe = reader_u8(&reader);
        a.safe = safe == 1;
        a.firmware_version = reader_be64(&reader);
        if (reader.failed || safe > 1)
                return QUOTE_ATTEST_MALFORMED;

        r = attest_take_selection(&reader, &a);
        if (r != QUOTE_OK)
                return r;
        a.pcr_digest_size = attest_take_sized(&reader, a.pcr_digest, sizeof(a.pcr_digest));
        if (reader.failed || reader_left(&reader) > 0)
                return QUOTE_ATTEST_MALFORMED;

        *ret = a;
        return QUOTE_OK;
}

/* Reads a coordinate of a key or a half of a signature; a TPM may leave out zero bytes at the beginning. */
static void attest_take_p256_number(Reader *reader, uint8_t ret[static 32]) {
        uint8_t number[32];
        size_t size = attest_take_sized(reader, number, sizeof(number));

        memset(ret, 0, 32);
        memcpy(ret + 32 - size, number, size);
        if (size == 0)
                reader->failed = true;
}

/* Checks a TPMS_ECC_PARMS: no symmetric algorithm, ECDSA with SHA-256, P-256, no KDF. */
static bool public_key_take_parameters(Reader *reader) {
        static const uint16_t expected[] = {
                TPM_ALG_NULL, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPM_ECC_NIST_P256, TPM_ALG_NULL,
        };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (reader_be16(reader) != expected[i])
                        return false;

        return true;
}

int public_key_parse(const void *data, size_t size, PublicKey *ret) {
        Reader reader = reader_of(data, size);
        uint16_t area_size = reader_be16(&reader), type, name_alg;
        const uint8_t *area = reader.data ? reader.data + reader.offset : NULL;
        uint8_t policy[DIGEST_SIZE_MAX];
        PublicKey key = {};
        int r;

        assert(ret);

        if (reader.failed || size > QUOTE_PART_SIZE_MAX || area_size != reader_left(&reader))
                return QUOTE_PUBLIC_MALFORMED;

        type = reader_be16(&reader);
        name_alg = reader_be16(&reader);
        key.attributes = reader_be32(&reader);
        (void) attest_take_sized(&reader, policy, sizeof(policy));
        if (reader.failed)
                return QUOTE_PUBLIC_MALFORMED;
        if (type != TPM_ALG_ECC || name_alg != TPM_ALG_SHA256)
                return QUOTE_KEY_TYPE;
        if (!public_key_take_parameters(&reader))
                return reader.failed ? QUOTE_PUBLIC_MALFORMED : QUOTE_KEY_TYPE;

        attest_take_p256_number(&reader, key.x);
        attest_take_p256_number(&reader, key.y);
        if (reader.failed || reader_left(&reader) > 0)
                return QUOTE_PUBLIC_MALFORMED;

        key.name[0] = TPM_ALG_SHA256 >> 8;
        key.name[1] = TPM_ALG_SHA256 & 0xFF;
        r = algorithm_hash(ALGORITHM_SHA256, &(HashPart){area, area_size}, 1, key.name + 2);
        if (r < 0)
                return r;

        *ret = key;
        return QUOTE_OK;
}

bool public_key_restricted(uint32_t attributes) {
        return (attributes & TPMA_NEEDED) == TPMA_NEEDED && !(attributes & ~(uint32_t) TPMA_ALLOWED);
}

int signature_parse(const void *data, size_t size, Signature *ret) {
        Reader reader = reader_of(data, size);
        uint16_t scheme = reader_be16(&reader), hash = reader_be16(&reader);
        Signature s;

        assert(ret);

        if (reader.failed)
                return QUOTE_SIGNATURE_MALFORMED;
        if (scheme != TPM_ALG_ECDSA || hash != TPM_ALG_SHA256)
                return QUOTE_SIGNATURE_SCHEME;

        attest_take_p256_number(&reader, s.r);
        attest_take_p256_number(&reader, s.s);
        if (reader.failed || reader_left(&reader) > 0)
                return QUOTE_SIGNATURE_MALFORMED;

        *ret = s;
        return QUOTE_OK;
}
