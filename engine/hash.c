/* SPDX-License-Identifier: Apache-2.0 */

/*
 * These functions only compute. SHA256() of OpenSSL 3 first sets the whole library up and reads openssl.cnf, for which
 * an apply would wait longer than for all its own writing.
 */
#define OPENSSL_API_COMPAT 0x10101000L

#include <openssl/sha.h>

#include "engine/hash.h"

void hash_buffer(const Buffer *b, char ret[static HASH_TEXT_SIZE]) {
        static const char digits[] = "0123456789abcdef";
        unsigned char digest[SHA256_DIGEST_LENGTH];
        SHA256_CTX context;

        (void) SHA256_Init(&context);
        (void) SHA256_Update(&context, b->data, b->size);
        (void) SHA256_Final(digest, &context);

        for (size_t i = 0; i < sizeof(digest); i++) {
                *ret++ = digits[digest[i] >> 4];
                *ret++ = digits[digest[i] & 0xF];
        }
        *ret = 0;
}
