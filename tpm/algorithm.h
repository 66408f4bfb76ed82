/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The hash algorithms that PCR banks have (TCG Algorithm Registry, table 3).
 */

#include "core/buffer.h"

#define DIGEST_SIZE_MAX 64U

typedef enum Algorithm {
        ALGORITHM_SHA1,
        ALGORITHM_SHA256,
        ALGORITHM_SHA384,
        ALGORITHM_SHA512,
        ALGORITHM_SM3_256,
        _ALGORITHM_MAX,
        _ALGORITHM_INVALID = -EINVAL,
} Algorithm;

/** algorithm_from_string() - look up "sha256" and so on; "sm3_256" is "sm3". Return: it, or _ALGORITHM_INVALID. */
Algorithm algorithm_from_string(const char *name) _pure_;

/** algorithm_from_id() - look up a TPM_ALG_ID, as 0x000b. Return: the algorithm, or _ALGORITHM_INVALID. */
Algorithm algorithm_from_id(uint16_t id) _pure_;

/** algorithm_to_string() - the name of a bank as in sysfs (pcr-sha256): "sha256"; SM3_256 is "sm3" */
const char *algorithm_to_string(Algorithm algorithm) _const_;

/** algorithm_id() - the TPM_ALG_ID */
uint16_t algorithm_id(Algorithm algorithm) _const_;

/** algorithm_size() - the size of a digest in bytes */
size_t algorithm_size(Algorithm algorithm) _const_;

/* One of several pieces of data that are hashed together. */
typedef struct HashPart {
        const void *data;
        size_t size;
} HashPart;

/**
 * algorithm_hash() - hash pieces of data, one after the other
 * @algorithm: the algorithm
 * @parts: the pieces
 * @n_parts: the number of pieces
 * @ret: takes algorithm_size() bytes
 *
 * Return: 0, -EOPNOTSUPP if libcrypto does not have the algorithm (SM3 in some builds), -ENOMEM.
 */
int algorithm_hash(Algorithm algorithm, const HashPart *parts, size_t n_parts, uint8_t *ret);

/** hex_encode() - write lower-case hex digits and a NUL; @ret has room for 2 * size + 1 characters */
void hex_encode(const uint8_t *data, size_t size, char *ret);

/**
 * hex_decode() - read hex digits of either case
 * @text: the digits, and nothing else
 * @size: the number of bytes that they must make
 * @ret: takes the bytes
 *
 * Return: 0 or -EINVAL.
 */
int hex_decode(const char *text, size_t size, uint8_t *ret);
