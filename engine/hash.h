/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/buffer.h"

#define HASH_TEXT_SIZE 65U

/** hash_buffer() - SHA-256 of the bytes, in hex */
void hash_buffer(const Buffer *b, char ret[static HASH_TEXT_SIZE]);
