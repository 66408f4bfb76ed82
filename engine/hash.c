/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/sha.h>

#include "engine/hash.h"

void hash_buffer(const Buffer *b, char ret[static HASH_TEXT_SIZE]) {
        unsigned char digest[SHA256_DIGEST_LENGTH];

        (void) SHA256((const unsigned char *) (b->data ? b->data : ""), b->size, digest);
        for (size_t i = 0; i < sizeof(digest); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}
