/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Base64 (RFC 4648, section 4), read strictly: one text for each run of bytes.
 */

#include "core/util.h"

/* The longest text that base64_decode() takes for so many bytes. */
#define BASE64_LENGTH(size) (((size) + 2) / 3 * 4)

/**
 * base64_decode() - read base64
 * @text: the text; padded, and with nothing between its characters
 * @max: the most bytes that it may give
 * @ret: takes the bytes
 * @ret_size: takes how many there are
 *
 * Return: 0; -EBADMSG for any other text, also where bits that mean nothing are not zero; -EMSGSIZE for more bytes.
 */
int base64_decode(const char *text, size_t max, uint8_t *ret, size_t *ret_size);
